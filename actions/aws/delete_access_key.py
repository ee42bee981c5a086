"""Delete an access key for good, once nobody needs it and a person said so."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Takes
from actions.aws.access_keys import LOOKING, USER, Key, keys_of, used
from actions.aws.clients import Aws
from actions.aws.principal import Principal
from actions.errors import NothingToDoError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.permission import Permission


@dataclass(frozen=True)
class DeleteAccessKey(OneWay[Aws]):
    """Deactivate the key, then delete it. The result is {"key": its id}.

    A deleted key never comes back, and its use cannot be asked for any more; CloudTrail is still
    searched by its id (IAM API reference, "DeleteAccessKey", "GetAccessKeyLastUsed").
    """

    principal: Principal
    key_id: str

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        *LOOKING,
        Permission("iam:UpdateAccessKey", USER),
        Permission("iam:DeleteAccessKey", USER),
    )

    @property
    def target(self) -> str:
        return self.principal.key

    def facts(self, p: Aws) -> Result:
        active = keys_of(p, self.principal).get(self.key_id)
        return {} if active is None else {"active": active, "used": used(p, self.key_id)}

    def foresee(self, p: Aws, before: State) -> Foreseen:
        if not before:
            raise NothingToDoError(
                f"user {self.principal.name} has no access key {self.key_id} (any more). There is "
                "nothing to delete."
            )
        key = Key(self.key_id, before["active"], before["used"])
        breaks = (f"whoever still uses access key {key} fails from then on",)
        return Foreseen(breaks if key.active else (), (f"access key {key}",))

    def do(self, p: Aws, mark: str, approval: str | None) -> None:
        active = keys_of(p, self.principal).get(self.key_id)
        named = {"UserName": self.principal.name, "AccessKeyId": self.key_id}
        if active:
            p.iam.update_access_key(**named, Status="Inactive")
        if active is not None:
            p.iam.delete_access_key(**named)

    def find(self, p: Aws, mark: str) -> Result | None:
        return None if self.key_id in keys_of(p, self.principal) else {"key": self.key_id}
