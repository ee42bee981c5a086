"""Set a user's or role's permissions boundary to a policy that lets nothing through."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.iam_target import LOOKING, find, gone_already, must_be, must_take_changes, still
from actions.aws.principal import Principal
from actions.journal import Json, State
from actions.permission import Permission

_USER = "arn:{partition}:iam::{account}:user/*"
_ROLE = "arn:{partition}:iam::{account}:role/*"
DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"


@dataclass(frozen=True)
class SetPermissionsBoundary(Lens[Aws]):
    """Bound the principal by the managed policy `policy_arn`; AWSDenyAll unless given.

    State: `boundary/<unique id>` is the boundary's policy ARN, or None. It takes no place among
    the principal's policies, and an explicit deny in it holds for all sessions (IAM User Guide,
    "Permissions boundaries for IAM entities"; AWS Managed Policy Reference, "AWSDenyAll").
    """

    principal: Principal
    policy_arn: str = ""

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        *LOOKING,
        Permission("iam:PutUserPermissionsBoundary", _USER),
        Permission("iam:PutRolePermissionsBoundary", _ROLE),
        Permission("iam:DeleteUserPermissionsBoundary", _USER),
        Permission("iam:DeleteRolePermissionsBoundary", _ROLE),
    )

    @property
    def target(self) -> str:
        return self.principal.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        found = find(p, self.principal)
        return {f"boundary/{found.unique_id}": found.boundary}

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before, self.policy_arn or DENY_ALL)

    def same(self, key: str, one: Json, other: Json) -> bool:
        # A policy's ARN begins otherwise in each partition; a principal is in one.
        return bool(_after_partition(one) == _after_partition(other))

    def write(self, p: Aws, key: str, value: Json) -> None:
        who, unique_id = self.principal, key.removeprefix("boundary/")
        if value is None:
            if still(p, who, unique_id):
                self._lift(p)
            return
        must_be(p, who, unique_id)
        value = f"arn:{p.partition}:{_after_partition(value)}"
        if who.kind == "user":
            p.iam.put_user_permissions_boundary(UserName=who.name, PermissionsBoundary=value)
        else:
            p.iam.put_role_permissions_boundary(RoleName=who.name, PermissionsBoundary=value)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        found = find(p, self.principal)
        must_take_changes(self.principal, found)
        who = f"{self.principal.kind} {self.principal.name}"
        return Foreseen(blast=(f"{who} can do no more than its new boundary lets it",))

    def _lift(self, p: Aws) -> None:
        with gone_already():
            if self.principal.kind == "user":
                p.iam.delete_user_permissions_boundary(UserName=self.principal.name)
            else:
                p.iam.delete_role_permissions_boundary(RoleName=self.principal.name)


def _after_partition(arn: Json) -> Json:
    return arn if arn is None else str(arn).split(":", 2)[-1]
