"""What a finding means: who is the suspect, which play answers, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from playbooks.intake.alert import Alert
from playbooks.intake.known_types import BY_WORKLOAD, FindingType, Reflex

Role: TypeAlias = Literal["suspect", "victim", "unknown"]

# GuardDuty's accessKeyDetails.userType, folded. IAM holds nothing to contain for these callers:
# the root user obeys no policy, and the others own no key or role in this account.
UNCONTAINABLE: Final = frozenset({"root", "awsaccount", "awsservice"})


@dataclass(frozen=True, slots=True)
class Meaning:
    """What follows from a finding before any policy is asked."""

    type_known: bool
    role: Role
    """What the resource is: under the attacker's control, hit by it, or not to be told."""
    why: str
    play: str | None
    """The play to propose; None when no one play is known to fit."""
    reflex: Reflex
    techniques: tuple[str, ...]
    retired: bool = False


def meaning(alert: Alert, types: Mapping[str, FindingType]) -> Meaning:
    """Return what `alert` means by the table `types` (keyed by type name in lower case).

    The type decides. `resourceRole` does not: GuardDuty fills TARGET for every access key and
    for many hosts that clearly act, and leaves it out for runtime findings. It counts only for
    the types that mean either, and there not against the traffic's direction.
    """
    known = types.get(alert.finding_type.lower())
    if known is None:
        why = f"{alert.finding_type} is not in the table of finding types: a person decides"
        return Meaning(False, "unknown", why, None, "none", ())
    role, reason = _role(alert, known)
    play = known.play
    if play == BY_WORKLOAD:
        on_host = alert.resource.kind == "instance"
        play = "compromised_instance" if on_host else "compromised_container"
    if play == "leaked_access_key" and alert.resource.kind == "role":
        play = "compromised_identity"  # A role has no keys, only sessions.
    return Meaning(
        type_known=True,
        role=role,
        why=f"{known.means}: {reason}",
        play=play,
        reflex=_reflex(alert, known.reflex),
        techniques=known.techniques,
        retired=known.status == "retired",
    )


def _reflex(alert: Alert, stated: Reflex) -> Reflex:
    """Fit what is done to the credential ("IAM identifiers", unique id prefixes)."""
    if stated not in ("key_disable", "session_deny"):
        return stated
    if (alert.resource.user_type or "").lower() in UNCONTAINABLE:
        return "none"
    if stated == "session_deny":
        return stated
    prefix = (alert.resource.access_key_id or "")[:4]
    # A temporary key (ASIA) cannot be disabled; its role's sessions can be denied.
    by_prefix: dict[str, Reflex] = {"AKIA": "key_disable", "ASIA": "session_deny"}
    return by_prefix.get(prefix, "none")


def _role(alert: Alert, known: FindingType) -> tuple[Role, str]:
    kind, given = alert.resource.kind, alert.resource_role
    if kind not in known.resource:
        return "unknown", f"this type is about {' or '.join(known.resource)}, not about {kind}"
    if known.suspect == "yes":
        return "suspect", f"the type says that the {kind} acts"
    if known.suspect == "no":
        return "victim", f"the type says that the {kind} is acted upon"
    if known.suspect == "by_role":
        return _by_role(given, alert.connection_direction)
    if known.suspect == "by_direction":
        return _by_direction(alert.connection_direction)
    return "unknown", "this type does not tell suspect from victim"


def _by_role(given: str | None, direction: str | None) -> tuple[Role, str]:
    if (given, direction) in {("ACTOR", "INBOUND"), ("TARGET", "OUTBOUND")}:
        return "unknown", f"resourceRole {given} contradicts connectionDirection {direction}"
    if given == "ACTOR":
        return "suspect", "resourceRole is ACTOR, and decides for this type"
    if given == "TARGET":
        return "victim", "resourceRole is TARGET, and decides for this type"
    return "unknown", f"resourceRole decides for this type, and is {given or 'absent'}"


def _by_direction(direction: str | None) -> tuple[Role, str]:
    # Inferred: AWS documents the field, not that it tells the parties apart.
    if direction == "OUTBOUND":
        return "suspect", "the connection went out"
    if direction == "INBOUND":
        return "victim", "the connection came in"
    return "unknown", f"the connection's direction is {direction or 'absent'}"
