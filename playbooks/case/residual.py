"""What the attacker may still have after what was done, worst first. Pure."""

from collections.abc import Iterable

from actions.journal import Intent

FLOWS = (
    "established tracked flows live on until they close or idle out",
    "flows through NAT gateways, network load balancers and PrivateLink are always tracked",
    "DNS through the VPC resolver is not filtered by security groups (tunnelling stays possible)",
    "the instance metadata service still answers on the host",
)


def residual(steps: Iterable[Intent]) -> tuple[str, ...]:
    """Return the residual exposure, from the journal alone."""
    said: list[str] = []
    phases: dict[str, str] = {}
    for intent in steps:
        phases[intent.action] = intent.phase
        if intent.phase != "done":
            said.append(f"{intent.step} is {intent.phase}, not in effect")
        elif intent.verdict != "verified":
            unseen = ", ".join(intent.plan.unseen) or "its keys"
            said.append(f"{intent.step} is unverified: {unseen} could not be read")
    isolated = phases.get("isolate_instance") == "done"
    said += FLOWS if isolated else ("the host is still on the network",)
    if phases.get("deny_instance_sessions") != "done":
        said.insert(0, "credentials that the host was issued still work")
    return tuple(said)


def status(steps: Iterable[Intent]) -> str:
    """Return contained-live-flows only when cut off and denied, both read back; else partial."""
    good = {i.action for i in steps if i.phase == "done" and i.verdict == "verified"}
    return "contained-live-flows" if "isolate_instance" in good else "partial"
