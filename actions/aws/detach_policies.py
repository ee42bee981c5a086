"""Take policies off a user, role or group."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.policy_holder import HOLDING, PolicyHolder, read_policies, write_policy
from actions.errors import NothingToDoError
from actions.journal import Json, State


@dataclass(frozen=True)
class DetachPolicies(Lens[Aws]):
    """Detach the managed policies of `attached` (ARNs), delete the inline ones of `inline` (names).

    State: `attached/<unique id>/<ARN>` is True, or None where it does not hang on the holder;
    `inline/<unique id>/<name>` is the document (a dict), or None. Managed policies themselves
    stay, for others may have them. What the holder may do by other policies, groups or a resource's
    own policy, it still may. A document that comes back may differ from the one found in white
    space alone, which IAM keeps and boto3 does not.
    """

    holder: PolicyHolder
    attached: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = HOLDING

    @property
    def target(self) -> str:
        return self.holder.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        return read_policies(p, self.holder, self.attached, self.inline)

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before)

    def write(self, p: Aws, key: str, value: Json) -> None:
        write_policy(p, self.holder, key, value)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        there = [key.split("/", 2)[2] for key, value in before.items() if value is not None]
        if not there:
            raise NothingToDoError(
                f"{self.holder.kind} {self.holder.name} has none of these policies (any more)."
            )
        who = f"{self.holder.kind} {self.holder.name}"
        if self.holder.kind == "group":
            who = f"every user in {who}"
        return Foreseen(blast=(f"{who} loses what {', '.join(there)} allow",))
