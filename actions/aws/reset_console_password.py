"""Give a user a console password that nobody knows."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Takes
from actions.aws.clients import Aws
from actions.aws.iam_target import find, must_be_a
from actions.aws.login_profile import made_at, profile_of
from actions.aws.principal import Principal
from actions.errors import NothingToDoError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.permission import Permission

_USER = "arn:{partition}:iam::{account}:user/*"
# A tag on the user: the mark of the reset that was begun last.
MARK = "stanch:password-reset"
# Enough for any password policy, whose longest minimum is 128 (IAM User Guide, "Set an account
# password policy for IAM users"); the end has one of each kind that a policy can ask for.
RANDOM_BYTES = 93
KINDS = "aA1!"


@dataclass(frozen=True)
class ResetConsolePassword(OneWay[Aws]):
    """Set the user's console password to a random value that is kept nowhere.

    The result is {"created": the login profile's CreateDate, "reset_required": True}. The user
    needs a new password from an administrator. MFA devices stay. Console sessions that are open
    go on: what cuts them is a deny on the user. A tag on the user and PasswordResetRequired, which
    is set with the password in one call (IAM API Reference, "UpdateLoginProfile"), tell that it
    happened.
    """

    principal: Principal

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("iam:GetUser", _USER),
        Permission("iam:GetLoginProfile", _USER),
        Permission("iam:TagUser", _USER),
        Permission("iam:UpdateLoginProfile", _USER),
    )

    def __post_init__(self) -> None:
        must_be_a("user", self.principal)

    @property
    def target(self) -> str:
        return self.principal.key

    def facts(self, p: Aws) -> Result:
        find(p, self.principal)
        profile = profile_of(p, self.principal)
        return {"created": made_at(profile) if profile else None}

    def foresee(self, p: Aws, before: State) -> Foreseen:
        name = self.principal.name
        if before["created"] is None:
            raise NothingToDoError(f"user {name} has no console password, so none is reset.")
        return Foreseen(
            blast=(f"{name} cannot sign in to the console until an administrator sets a password",),
            lost=(f"the console password of {name}",),
        )

    def do(self, p: Aws, mark: str, approval: str | None) -> None:
        name = self.principal.name
        profile = profile_of(p, self.principal)
        if profile and profile["PasswordResetRequired"]:
            # Another's reset is pending, and must not be taken for this one.
            p.iam.update_login_profile(UserName=name, PasswordResetRequired=False)
        p.iam.tag_user(UserName=name, Tags=[{"Key": MARK, "Value": mark}])
        p.iam.update_login_profile(
            UserName=name,
            Password=p.chance(RANDOM_BYTES) + KINDS,
            PasswordResetRequired=True,
        )

    def find(self, p: Aws, mark: str) -> Result | None:
        tags = find(p, self.principal).answer["User"].get("Tags", [])
        profile = profile_of(p, self.principal)
        if {"Key": MARK, "Value": mark} not in tags or profile is None:
            return None
        if not profile["PasswordResetRequired"]:
            return None
        return {"created": made_at(profile), "reset_required": True}
