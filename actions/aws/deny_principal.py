"""Deny everything to a user or role, by a managed policy of Stanch's own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.attached_policies import ATTACHING, attach, attached, detach, must_have_room
from actions.aws.clients import Aws
from actions.aws.iam_target import LOOKING, find, must_take_changes, tail_of
from actions.aws.managed_policy import (
    OURS,
    POLICY_PERMISSIONS,
    arn_of,
    document_of,
    write_document,
)
from actions.aws.principal import Principal
from actions.aws.role_sessions import COUNTING, others_hit
from actions.errors import TargetGoneError, UnfitError
from actions.journal import Json, State


@dataclass(frozen=True)
class DenyPrincipal(Lens[Aws]):
    """Attach a customer managed policy to the principal that denies every action on everything.

    State: `policy/<name>` is the policy's document in force (a dict), or None; `attached/<unique
    id>` is True where it hangs on the principal, else None. The deny takes the console, access
    keys, and all sessions of the principal, also those issued later; it does not bind sessions of
    other roles that it assumed before (IAM User Guide, "Policy evaluation logic", "Explicit and
    implicit denies"). The document needs no statement that protects itself: once it is in force
    the principal can detach nothing, and until then only a service control policy on
    iam:PolicyARN can hold the principal off, which is why the policy is a managed one and its
    name begins with "stanch-deny-". AWS's AWSCompromisedKeyQuarantine policies are left alone.
    `name` names another policy; `unique_id` is whom it was put on, once that is recorded: he need
    not exist any more.
    """

    principal: Principal
    name: str = ""
    unique_id: str = ""

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (*LOOKING, *POLICY_PERMISSIONS, *ATTACHING, *COUNTING)

    @property
    def target(self) -> str:
        return self.principal.key

    @property
    def policy_name(self) -> str:
        """Return the policy's name, one for each principal unless `name` was given."""
        return self.name or f"{OURS}{self.principal.kind}-{self.principal.name}"

    @property
    def document(self) -> dict[str, Json]:
        """Return the policy document."""
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "StanchDenyEverything",
                    "Effect": "Deny",
                    "Action": "*",
                    "Resource": "*",
                }
            ],
        }

    def recalled(self, keys: Iterable[str]) -> "DenyPrincipal":
        # The policy outlives its principal, and the name may be somebody else's by now.
        return replace(self, unique_id=tail_of(keys, "attached/"))

    def read(self, p: Aws) -> Mapping[str, Json]:
        arn, who = arn_of(p, self.policy_name), self.principal
        unique_id, there = self.unique_id, False
        try:
            found = find(p, who)
            unique_id = unique_id or found.unique_id
            there = found.unique_id == unique_id and arn in attached(p, who)
        except TargetGoneError:
            if not unique_id:
                raise
        return {
            f"policy/{self.policy_name}": document_of(p, self.policy_name),
            f"attached/{unique_id}": True if there else None,
        }

    def wanted(self, before: State) -> State:
        return {k: self.document if k.startswith("policy/") else True for k in before}

    def write(self, p: Aws, key: str, value: Json) -> None:
        kind, _, rest = key.partition("/")
        if kind == "policy":
            write_document(p, rest, value)
        elif value:
            attach(p, self.principal, rest, arn_of(p, self.policy_name))
        else:
            detach(p, self.principal, rest, arn_of(p, self.policy_name))

    def foresee(self, p: Aws, before: State) -> Foreseen:
        who = self.principal
        if not self.policy_name.startswith(OURS):
            raise UnfitError(
                f"the denial is to be called {self.policy_name!r}, which nothing protects: the "
                f"organisation's latch and Stanch's own role know it by {OURS!r}. Name it so."
            )
        found = find(p, who)
        must_take_changes(who, found)
        must_have_room(p, who, arn_of(p, self.policy_name))
        if who.kind == "role":
            blast = f"every session of role {who.name} is denied, whoever has it"
            return Foreseen(blast=(blast, *others_hit(p, who, found)))
        blast = f"user {who.name} is denied everything: keys, console and sessions"
        roles = f"sessions of roles that {who.name} assumed go on: deny those roles' sessions too"
        return Foreseen(blast=(blast, roles))
