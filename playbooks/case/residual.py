"""What the attacker may still have after what was done, worst first. Pure.

What counts as contained, and what is open until then, is each play's kind of target's own: a host's
stands here, that of identities and of Vaults beside it.
"""

from collections.abc import Iterable, Mapping

from actions.journal import Intent
from playbooks.case import residual_identity, residual_vault

FLOWS = (
    "established tracked flows live on until they close or idle out",
    "flows through NAT gateways, network load balancers and PrivateLink are always tracked",
    "DNS through the VPC resolver is not filtered by security groups (tunnelling stays possible)",
    "the instance metadata service still answers on the host",
)
# What only keeps evidence takes nothing from an attacker: the evidence says how it went.
KEEPS = "run_collection_command/"

Left = Mapping[str, Mapping[str, str]]
# Plays that take nothing from anybody in a hurry: done when each of their steps is.
WORKS = {"rotate_credentials", "access_review", "notify_regulators"}
# Of these, the ones that act on nothing: how far they are is on their list of open points alone.
PAPERWORK = {"notify_regulators"}
IDENTITIES = {"leaked_access_key", "compromised_identity"}
VAULTS = {"compromised_vault"}


def residual(
    steps: Iterable[Intent], left: Left | None = None, play: str = "", own: str = ""
) -> tuple[str, ...]:
    """Return the residual exposure, from the journal alone.

    `left` maps each step that never came to be to its kind (needless, unfit, failed, open) and
    error. `own` is the incident's own target, where that is a principal: what is done to others
    does not shut it.
    """
    done, left = list(steps), left or {}
    if play in WORKS:
        said = []
    elif play in IDENTITIES:
        said = residual_identity.residual(done, left, own)
    elif play in VAULTS:
        said = residual_vault.residual(done, left)
    else:
        said = _host(done, left)
    for intent in done:
        if intent.phase != "done":
            said.append(f"{intent.step} is {intent.phase}, not in effect")
        elif intent.verdict != "verified":
            unseen = ", ".join(intent.plan.unseen) or "its keys"
            said.append(f"{intent.step} is unverified: {unseen} could not be read")
    for step, why in left.items():
        if why["kind"] == "open":
            said += [why["error"]] if step != "latch" else []
        elif why["kind"] != "needless" and not step.startswith(KEEPS):
            said.append(f"{step} was not done: {why['error']}")
    return tuple(said)


def _host(done: list[Intent], left: Left) -> list[str]:
    phases = {i.action: i.phase for i in done}
    said: list[str] = []
    if _ended(done):
        pass  # A host that is no more has no flows; its sessions outlive it.
    elif phases.get("isolate_instance") == "done":
        said += FLOWS
    else:
        said.append("the host is still on the network")
    if phases.get("narrow_instance_sessions") == "done":
        said.insert(0, "credentials that the host was issued after its release work")
    elif phases.get("deny_instance_sessions") != "done" and not _needless(left):
        said.insert(0, "credentials that the host was issued still work")
    return said


def status(steps: Iterable[Intent], left: Left | None = None, play: str = "", own: str = "") -> str:
    """Say contained only of what was taken from the attacker and read back; else partial.

    A host that has no credentials needs no denial, and one that is terminated no isolation.
    """
    done, left = list(steps), left or {}
    if play in IDENTITIES:
        return residual_identity.status(done, left, own)
    if play in VAULTS:
        return residual_vault.status(done, left)
    good = _good(done)
    if play in WORKS:
        still = [why for why in left.values() if why["kind"] != "needless"]
        return "done" if not still and all(i.action in good for i in done) else "under way"
    denied = "deny_instance_sessions" in good or _needless(left)
    if denied and _ended(done):
        return "contained, host terminated"
    return "contained, live flows possible" if denied and "isolate_instance" in good else "partial"


def _good(steps: Iterable[Intent]) -> set[str]:
    return {i.action for i in steps if i.phase == "done" and i.verdict == "verified"}


def _ended(steps: Iterable[Intent]) -> bool:
    return "terminate_instance" in _good(steps)


def _needless(left: Left) -> bool:
    return any(
        step.startswith("deny_instance_sessions/") and why["kind"] == "needless"
        for step, why in left.items()
    )
