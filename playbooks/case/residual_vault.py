"""What somebody who had a Vault, or a login to it, may still have, worst first. Pure."""

from collections.abc import Iterator, Mapping, Sequence

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
DENIAL = ("deny_role_sessions",)
# A point that is open while a kind of act waits for a yes, or was refused.
ASKED = "/asked"
# Points: the logins of a whole Vault, which are not shut; what a sweep found and nobody answered.
LOGINS = "logins"
BEHIND = "left/"
# How steps that answer what was left are told from those on the incident's own login.
ROUND = "left in round "


def residual(done: Sequence[Intent], left: Left) -> list[str]:
    """Return what is open of a Vault, from the incident's steps."""
    # What waits for a yes says so itself, with all that is open.
    said = [
        text
        for acts, text in (*MUST, (DENIAL, STS))
        if not _shut(done, left, acts) and not _open(left, f"{acts[0]}{ASKED}")
    ]
    said += [
        f"{i.step}: irrevocable, and perhaps alive on the other side: {', '.join(found)}"
        for i in done
        if (found := _irrevocable(i))
    ]
    return said


def status(done: Sequence[Intent], left: Left) -> str:
    """Say contained only where login, tokens and leases were shut and read back, all of them."""
    seen = [i for i in done if i.phase != "done" or i.verdict == "verified"]
    if not all(_shut(seen, left, acts) for acts, _ in MUST) or _open(left, LOGINS):
        return "partial"
    said = ["contained"]
    if any(map(_irrevocable, done)):
        said.append("irrevocable leases")
    if not _shut(seen, left, DENIAL):
        said.append("AWS sessions live on")
    if _open(left, BEHIND):
        said.append("ways back in are open")
    return ", ".join(said)


def _shut(done: Sequence[Intent], left: Left, acts: tuple[str, ...]) -> bool:
    """Return whether one of the acts is done or had nothing to do, and none of them is missing."""
    mine = [i for i in done if i.action in acts and f"#{ROUND}" not in i.step]
    kinds = set(_kinds(left, acts))
    missing = bool(kinds & {"failed", "open"}) or any(i.phase == "intended" for i in mine)
    # Of several ways to shut the same thing one may not fit where another does.
    unfit = "unfit" in kinds and len(acts) == 1
    good = any(i.phase == "done" for i in mine) or "needless" in kinds
    return good and not missing and not unfit


def _kinds(left: Left, acts: tuple[str, ...]) -> Iterator[str]:
    return (
        why["kind"]
        for step, why in left.items()
        if step.partition("/")[0] in acts and f"#{ROUND}" not in step
    )


def _open(left: Left, name: str) -> bool:
    return any(step.startswith(name) and why["kind"] == "open" for step, why in left.items())


def _irrevocable(intent: Intent) -> list[str]:
    found = (intent.result or {}).get("irrevocable", [])
    return [str(one) for one in found] if isinstance(found, list) else []
