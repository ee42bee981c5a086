"""Whether Stanch may act on a finding without asking, and every reason why not."""

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from playbooks.intake.alert import Alert
from playbooks.intake.meaning import UNCONTAINABLE, Meaning

# Only hosts that GuardDuty sees acting in flow logs. Left out: names a host merely resolves
# (it may be a resolver for others), oddities found by machine learning, and whatever a mail
# relay, a registered scanner or a blockchain node does by design.
CAUTIOUS_TYPES: Final = frozenset(
    {
        "Backdoor:EC2/C&CActivity.B",
        "Backdoor:EC2/DenialOfService.*",
        "UnauthorizedAccess:EC2/TorClient",
        "UnauthorizedAccess:EC2/TorRelay",
    }
)


@dataclass(frozen=True, slots=True)
class AutomaticPolicy:
    """What a team has approved beforehand."""

    allow_types: frozenset[str] = CAUTIOUS_TYPES
    """Finding types, or patterns of them as in `fnmatch`; letter case does not count."""
    severity_floor: float = 7.0
    """The least severity, 1.0 to 10.0; 7.0 is where High begins."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.severity_floor) and 1 <= self.severity_floor <= 10):
            raise ValueError(f"severity_floor is {self.severity_floor}; 1.0 to 10.0 was expected")
        if not all(self.allow_types):
            raise ValueError("allow_types holds an empty text; finding types were expected")


def hindrances(alert: Alert, meaning: Meaning, policy: AutomaticPolicy) -> tuple[str, ...]:
    """Return every reason why a person must be asked; none at all means Stanch may act.

    `meaning` is that of `alert`. The guard's own checks (protection, ceilings, freeze) come on
    top of these.
    """
    resource = alert.resource
    user_type = (resource.user_type or "").lower()
    reasons = {
        f"the type {alert.finding_type} is unknown": not meaning.type_known,
        f"the type {alert.finding_type} is retired, so AWS should not have sent it": (
            meaning.retired
        ),
        f"the type {alert.finding_type} is not on the team's allow-list": not _allowed(
            alert.finding_type, policy.allow_types
        ),
        f"severity {alert.severity} is below the floor {policy.severity_floor}": (
            alert.severity < policy.severity_floor
        ),
        "the finding is a sample": alert.sample,
        "the finding is archived: somebody has judged it": alert.archived,
        f"the {resource.kind} is not known to be the suspect ({meaning.why})": (
            meaning.role != "suspect"
        ),
        f"the finding names no {resource.kind} to act on": resource.uid is None,
        f"the caller is {resource.user_type}, which IAM cannot contain": user_type in UNCONTAINABLE,
    }
    found = [reason for reason, holds in reasons.items() if holds]
    return (*found, *alert.problems)


def _allowed(finding_type: str, patterns: frozenset[str]) -> bool:
    folded = finding_type.lower()
    return any(fnmatchcase(folded, pattern.lower()) for pattern in patterns)
