"""Take away a console password that should not be there, such as one that an attacker made."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Takes
from actions.aws.clients import Aws
from actions.aws.iam_target import find, gone_already, must_be_a
from actions.aws.login_profile import made_at, profile_of
from actions.aws.principal import Principal
from actions.errors import NothingToDoError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.permission import Permission

_USER = "arn:{partition}:iam::{account}:user/*"


@dataclass(frozen=True)
class DeleteLoginProfile(OneWay[Aws]):
    """Delete the user's login profile that was made at `created`, and no other.

    `created` is its CreateDate, RFC 3339 in UTC to the second: a user has one profile at a time,
    and one made later is another's. The result is {"deleted": `created`}. The password is lost;
    for a profile that the user had before, use reset_console_password.
    """

    principal: Principal
    created: str

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("iam:GetUser", _USER),
        Permission("iam:GetLoginProfile", _USER),
        Permission("iam:DeleteLoginProfile", _USER),
    )

    def __post_init__(self) -> None:
        must_be_a("user", self.principal)

    @property
    def target(self) -> str:
        return self.principal.key

    def facts(self, p: Aws) -> Result:
        find(p, self.principal)
        return {"there": self._there(p)}

    def foresee(self, p: Aws, before: State) -> Foreseen:
        name = self.principal.name
        if not before["there"]:
            raise NothingToDoError(
                f"user {name} has no login profile of {self.created} (any more); none is deleted."
            )
        return Foreseen(
            blast=(f"{name} cannot sign in to the console",),
            lost=(f"the login profile of {name} made {self.created}, with its password",),
        )

    def do(self, p: Aws, mark: str, approval: str | None) -> None:
        if self._there(p):
            with gone_already():
                p.iam.delete_login_profile(UserName=self.principal.name)

    def find(self, p: Aws, mark: str) -> Result | None:
        find(p, self.principal)
        return None if self._there(p) else {"deleted": self.created}

    def _there(self, p: Aws) -> bool:
        profile = profile_of(p, self.principal)
        return profile is not None and made_at(profile) == self.created
