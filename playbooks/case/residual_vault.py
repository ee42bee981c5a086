"""What somebody who had a Vault, or a login to it, may still have, worst first. Pure."""

from collections.abc import Mapping, Sequence

from actions.journal import Intent

Left = Mapping[str, Mapping[str, str]]
# What must be shut, by any of the acts named, and what is open where it is not.
MUST = (
    (("block_login", "disable_entity"), "whoever holds a login of it can log in again"),
    (("revoke_tokens",), "tokens that it issued still work"),
    (("revoke_leases",), "credentials that it leased still work"),
)
# What Vault cannot take back by itself (AWS secrets engine: STS credentials end by themselves).
STS = "AWS sessions that it issued live on until they expire, unless their role denies them"


def residual(done: Sequence[Intent], left: Left) -> list[str]:
    """Return what is open of a Vault, from the incident's steps."""
    said = [text for acts, text in MUST if not _shut(done, left, acts)]
    if not _shut(done, left, ("deny_role_sessions",)):
        said.append(STS)
    said += [
        f"{i.step}: irrevocable, and perhaps alive on the other side: {', '.join(found)}"
        for i in done
        if (found := _irrevocable(i))
    ]
    return said


def status(done: Sequence[Intent], left: Left) -> str:
    """Say contained only where login, tokens and leases were shut and read back."""
    seen = [i for i in done if i.verdict == "verified"]
    if all(_shut(seen, left, acts) for acts, _ in MUST):
        return "contained, irrevocable leases" if any(map(_irrevocable, done)) else "contained"
    return "partial"


def _shut(done: Sequence[Intent], left: Left, acts: tuple[str, ...]) -> bool:
    if any(i.action in acts and i.phase == "done" for i in done):
        return True
    return any(
        step.startswith(f"{action}/") and why["kind"] == "needless"
        for step, why in left.items()
        for action in acts
    )


def _irrevocable(intent: Intent) -> list[str]:
    found = (intent.result or {}).get("irrevocable", [])
    return [str(one) for one in found] if isinstance(found, list) else []
