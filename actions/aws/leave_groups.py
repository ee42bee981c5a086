"""Take a user out of its groups, all or some."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.iam_target import find, gone_already, must_be, must_be_a, present, still
from actions.aws.principal import Principal
from actions.errors import NothingToDoError
from actions.journal import Json, State
from actions.permission import Permission

_USER = "arn:{partition}:iam::{account}:user/*"
_GROUP = "arn:{partition}:iam::{account}:group/*"


@dataclass(frozen=True)
class LeaveGroups(Lens[Aws]):
    """Remove the user from every IAM group, so that it loses what the groups' policies allow.

    State: `group/<user's unique id>/<group name>` is True, or None when it is not a member. Where
    `groups` names some, it leaves those alone.
    """

    principal: Principal
    groups: tuple[str, ...] = ()

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        Permission("iam:GetUser", _USER),
        Permission("iam:ListGroupsForUser", _USER),
        Permission("iam:AddUserToGroup", _GROUP),
        Permission("iam:RemoveUserFromGroup", _GROUP),
    )

    def __post_init__(self) -> None:
        must_be_a("user", self.principal)

    @property
    def target(self) -> str:
        return self.principal.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        unique_id = find(p, self.principal).unique_id
        with present(self.principal):
            pages = p.iam.get_paginator("list_groups_for_user").paginate(
                UserName=self.principal.name
            )
            groups = [group["GroupName"] for page in pages for group in page["Groups"]]
        wanted = [group for group in groups if not self.groups or group in self.groups]
        return {f"group/{unique_id}/{group}": True for group in wanted}

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before)

    def write(self, p: Aws, key: str, value: Json) -> None:
        _, unique_id, group = key.split("/", 2)
        if value:
            must_be(p, self.principal, unique_id)
            p.iam.add_user_to_group(GroupName=group, UserName=self.principal.name)
        elif still(p, self.principal, unique_id):
            with gone_already():
                p.iam.remove_user_from_group(GroupName=group, UserName=self.principal.name)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        if not before:
            among = f" of {', '.join(self.groups)}" if self.groups else ""
            raise NothingToDoError(f"user {self.principal.name} is in no group{among}.")
        groups = ", ".join(key.split("/", 2)[2] for key in before)
        return Foreseen(blast=(f"{self.principal.name} loses what it has by {groups}",))
