"""Where the artifacts of one case stand, as their entries say. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Who holds an artifact until somebody takes it over: the deployment itself.
LOCKER = "stanch"
NOT_OPEN = "who signed it is not open here"


@dataclass(frozen=True, slots=True)
class Event:
    """A ledger entry: its place in its case, who, when recorded, and its body.

    The body is None where it cannot be had, and `fault` says why.
    """

    kind: str
    seq: int
    actor: str
    time: str
    body: Mapping[str, Any] | None
    fault: str = "its body was erased"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One handover: from whom to whom, when it was recorded, where, and why."""

    giver: str
    taker: str
    at: str
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold on artifacts (None: on all of the case); `released` is when it ended."""

    id: str
    artifacts: frozenset[str] | None
    reason: str
    by: str
    since: str
    released: str | None = None
    released_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Artifact:
    """One artifact: times RFC 3339 UTC, hashes hex, size a decimal string of bytes.

    `last_intact` is when its stored bytes last had their hash: when it was stored, or when a later
    check found it so. `last_found` is what the newest check found.
    """

    artifact_id: str
    name: str
    size: str
    sensitive: bool
    stored_sha256: str
    manifest_sha256: str
    stored_at: str
    last_intact: str
    holder: str = LOCKER
    transfers: tuple[Transfer, ...] = ()
    retain_until: str | None = None
    reads: int = 0
    last_read: str | None = None
    last_checked: str | None = None
    last_found: str | None = None
    disposed: str | None = None
    disposed_by: tuple[str, ...] = ()


@dataclass(slots=True)
class CaseCustody:
    """The custody of a case: artifacts and holds by id; `retain_until` is that of all of them.

    `seen` are digests of the statements that took effect: each takes effect once. `problems` are
    entries that do not follow from those before them, and so have no effect.
    """

    case: str
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    retain_until: str | None = None
    seen: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def holds_on(self, artifact_id: str) -> tuple[str, ...]:
        """Return the ids of the holds that are in force on an artifact; none once disposed."""
        if self.artifacts[artifact_id].disposed:
            return ()
        return tuple(
            hold.id
            for hold in self.holds.values()
            if hold.released is None and (hold.artifacts is None or artifact_id in hold.artifacts)
        )

    def retained_until(self, artifact_id: str) -> str | None:
        """Return until when an artifact must be kept; None where nobody has said."""
        own = self.artifacts[artifact_id].retain_until
        return max(filter(None, (own, self.retain_until)), default=None)
