"""Turn a user's access keys off; they stay, for CloudTrail is searched by their ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.iam_target import must_be_a, present
from actions.aws.principal import Principal
from actions.errors import NothingToDoError
from actions.journal import Json, State
from actions.permission import Permission

_USER = "arn:{partition}:iam::{account}:user/*"


@dataclass(frozen=True)
class DeactivateAccessKeys(Lens[Aws]):
    """Set the user's access keys to Inactive, all of them or those of `ids`; none is deleted.

    State: `key/<access key id>` is "Active" or "Inactive". A key id is never given anew (IAM User
    Guide, "Manage access keys for IAM users"), so one that was deleted is not given back. A key
    minted meanwhile shows as drift: act again. Sessions that a key got from STS go on until they
    run out, unless the user is denied (deny_principal).
    """

    principal: Principal
    ids: tuple[str, ...] = ()

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("iam:ListAccessKeys", _USER),
        Permission("iam:GetAccessKeyLastUsed", _USER),
        Permission("iam:UpdateAccessKey", _USER),
    )

    def __post_init__(self) -> None:
        must_be_a("user", self.principal)

    @property
    def target(self) -> str:
        return self.principal.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        with present(self.principal):
            pages = p.iam.get_paginator("list_access_keys").paginate(UserName=self.principal.name)
            keys = [key for page in pages for key in page["AccessKeyMetadata"]]
        return {
            f"key/{key['AccessKeyId']}": key["Status"]
            for key in keys
            if not self.ids or key["AccessKeyId"] in self.ids
        }

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before, "Inactive")

    def write(self, p: Aws, key: str, value: Json) -> None:
        p.iam.update_access_key(
            UserName=self.principal.name, AccessKeyId=key.removeprefix("key/"), Status=value
        )

    def foresee(self, p: Aws, before: State) -> Foreseen:
        active = [key.removeprefix("key/") for key, status in before.items() if status == "Active"]
        if not active:
            among = f" among {', '.join(self.ids)}" if self.ids else ""
            raise NothingToDoError(
                f"user {self.principal.name} has no active access key{among}, so none is turned "
                "off."
            )
        return Foreseen(blast=tuple(_use(p, key) for key in active))


def _use(p: Aws, key: str) -> str:
    used: Any = p.iam.get_access_key_last_used(AccessKeyId=key)["AccessKeyLastUsed"]
    if "LastUsedDate" not in used:
        return f"access key {key} stops working; it was never used"
    when = used["LastUsedDate"].strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"access key {key} stops working; it was last used {when} for {used['ServiceName']} "
        f"in {used['Region']}"
    )
