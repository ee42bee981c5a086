"""Deny a user's or role's sessions of before a time, and leave it those that come after."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.aws.attached_policies import ATTACHING, must_have_room
from actions.aws.clients import Aws
from actions.aws.deny_principal import DenyPrincipal
from actions.aws.iam_target import LOOKING, find, must_take_changes
from actions.aws.managed_policy import POLICY_PERMISSIONS, arn_of
from actions.aws.narrow_instance_sessions import INSTANCE_LIFE, Sessions
from actions.aws.principal import Principal
from actions.aws.provider_time import answered_at
from actions.journal import Json, State

# GetSessionToken and GetFederationToken give a user sessions of 36 hours at most (AWS STS API
# Reference, DurationSeconds).
USER_LIFE = timedelta(hours=36)


@dataclass(frozen=True)
class NarrowPrincipalSessions(Lens[Aws]):
    """Let the managed policy that denies a principal hold for sessions issued before a time.

    State: as of `deny_principal` with the same `principal` and `name`, whose policy and attachment
    these are; the document has one condition more, aws:TokenIssueTime earlier than
    `issued_before`, an RFC 3339 time in UTC. What was stolen stays dead until it runs out. A
    user's access key carries no such time (IAM User Guide, "AWS global condition context keys"):
    a leaked key is held off by being inactive, and by nothing here. `unique_id` is whom it was
    put on, once that is recorded.
    """

    principal: Principal
    issued_before: str
    name: str = ""
    unique_id: str = ""

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (*LOOKING, *POLICY_PERMISSIONS, *ATTACHING)

    @property
    def target(self) -> str:
        return self.principal.key

    @property
    def document(self) -> dict[str, Json]:
        """Return the policy document."""
        whole = self._whole().document
        [denial] = whole["Statement"]
        older = {"DateLessThan": {"aws:TokenIssueTime": self.issued_before}}
        narrow = {**denial, "Sid": "StanchDenyEarlierSessions", "Condition": older}
        return whole | {"Statement": [narrow]}

    def cell(self, key: str) -> str:
        return self._whole().cell(key)

    def recalled(self, keys: Iterable[str]) -> "NarrowPrincipalSessions":
        return replace(self, unique_id=self._whole().recalled(keys).unique_id)

    def read(self, p: Aws) -> Mapping[str, Json]:
        return self._whole().read(p)

    def wanted(self, before: State) -> State:
        return {k: self.document if k.startswith("policy/") else True for k in before}

    def write(self, p: Aws, key: str, value: Json) -> None:
        self._whole().write(p, key, value)

    def foresee(self, p: Aws, before: State) -> Foreseen:
        who = self.principal
        must_take_changes(who, find(p, who))
        must_have_room(p, who, arn_of(p, self._whole().policy_name))
        hours = principal_sessions(p, who).longest.total_seconds() / 3600
        return Foreseen(
            blast=(
                f"sessions of {who.kind} {who.name} that were issued before {self.issued_before} "
                f"stay denied; they last {hours:g} h at most",
            )
        )

    def _whole(self) -> DenyPrincipal:
        return DenyPrincipal(self.principal, self.name, self.unique_id)


def principal_sessions(p: Aws, who: Principal) -> Sessions:
    """Return what bounds the principal's sessions. Raise TargetGoneError when it is gone."""
    answer: Any = find(p, who).answer
    if who.kind == "user":
        return Sessions(answered_at("GetUser", answer), USER_LIFE)
    allowed = timedelta(seconds=answer["Role"].get("MaxSessionDuration", 3600))
    # A host's sessions may be longer than the role's own maximum.
    return Sessions(answered_at("GetRole", answer), max(INSTANCE_LIFE, allowed))
