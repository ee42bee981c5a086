"""What somebody who holds a user's or a role's credentials may still have, worst first. Pure."""

from collections.abc import Mapping, Sequence

from actions.aws.principal import GLOBAL
from actions.journal import Intent
from playbooks.case.guard import target_of

Left = Mapping[str, Mapping[str, str]]
# Without an SCP that was there before, an attacker can strip a denial before it takes effect.
RACE = (
    "race-exposed: no latch bound the principal, and IAM takes seconds to minutes until a denial "
    "holds; what it stripped or made meanwhile is what the sweep looks for"
)
RACING = ("deny_principal", "deny_role_sessions", "deny_instance_sessions")
# Steps on what the principal made count as done, not as the principal's own: by their target.
DENIALS = ("deny_principal", "deny_in_permission_set")


def residual(steps: Sequence[Intent], left: Left, own: str = "") -> list[str]:
    """Return what is open of a principal, from its steps."""
    done, left = _of(steps, own), _left_of(left, own)
    said: list[str] = []
    if not _cut(done, left):
        said.append("credentials of the principal still work")
    if _raced(done) and not _in_effect(done, "latch_principal"):
        said.append(left.get("latch", {}).get("error") or RACE)
    if _in_effect(done, "deny_instance_sessions") and not _in_effect(done, "deny_role_sessions"):
        said.append("sessions of the role that are not this host's still work")
    if _in_effect(done, "narrow_principal_sessions"):
        said.insert(0, "credentials that were issued after the release work")
    return said


def status(steps: Sequence[Intent], left: Left, own: str = "") -> str:
    """Say contained only where every way in was shut and read back.

    For a user the denial and its access keys; for a role its sessions and, where somebody else may
    assume it, its trust. A sweep that is not quiet yet is said.
    """
    done, left = _of(steps, own), _left_of(left, own)
    if not _cut(done, left, seen=True):
        return "partial"
    said = ["contained"]
    if _raced(done) and not _in_effect(done, "latch_principal"):
        said.append("race-exposed")
    if left.get("sweep", {}).get("kind") == "open":
        said.append("sweep goes on")
    return ", ".join(said)


def _of(steps: Sequence[Intent], own: str) -> list[Intent]:
    """Return the steps but those on other principals, such as what an attacker made."""
    return [i for i in steps if _about(i.step, own)]


def _left_of(left: Left, own: str) -> Left:
    return {step: why for step, why in left.items() if _about(step, own)}


def _about(step: str, own: str) -> bool:
    on = target_of(step)
    return not own or f"/{GLOBAL}/" not in on or on == own or "/latch/" in on


def _raced(done: Sequence[Intent]) -> bool:
    """Return whether anything was denied in IAM itself, where whoever is denied may strip it."""
    return any(i.action in RACING for i in done)


def _cut(done: Sequence[Intent], left: Left, *, seen: bool = False) -> bool:
    def shut(*actions: str) -> bool:
        return any(
            _in_effect(done, action, seen=seen) or _needless(left, action) for action in actions
        )

    denied = any(_in_effect(done, action, seen=seen) for action in DENIALS)
    if any(i.action == "deactivate_access_keys" for i in done) or _needless(
        left, "deactivate_access_keys"
    ):
        return denied and shut("deactivate_access_keys")
    if denied or _in_effect(done, "deny_instance_sessions", seen=seen):
        return True
    return _in_effect(done, "deny_role_sessions", seen=seen) and shut("close_trust_policy")


def _in_effect(done: Sequence[Intent], action: str, *, seen: bool = False) -> bool:
    mine = [i for i in done if i.action == action and i.phase == "done"]
    return bool(mine) and (not seen or any(i.verdict == "verified" for i in mine))


def _needless(left: Left, action: str) -> bool:
    return any(
        step.startswith(f"{action}/") and why["kind"] == "needless" for step, why in left.items()
    )
