"""Looks for what an attacker left in a Vault, answers it, and looks again until nothing is new."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from actions.vault.enable_audit_device import EnableAuditDevice
from evidence.sources.vault_left import Finding
from evidence.sources.vault_sweep import VaultSweep
from playbooks.case import asking, store
from playbooks.case.points import open_point, shut_point
from playbooks.case.residual_vault import BEHIND, ROUND
from playbooks.case.vault_countering import answer, implied
from playbooks.case.vault_known import known as known_of
from playbooks.case.vault_login import own

if TYPE_CHECKING:
    from actions.action import Action
    from playbooks.case.case import Case

MARK = "vault-sweep"
# A Vault tells at once what is in it, so a look after the last answer is the last.
ROUNDS = 6


def look(case: "Case") -> VaultSweep:
    """Return the source that looks: for what was made since the first sign, or is no longer so."""
    baseline = known_of(case.parts.settings, case.place).sweep
    return VaultSweep(case.place, case.since, baseline)


async def answer_first(case: "Case") -> None:
    """Answer what was there when the incident began. Raises Waiting while a person is asked."""
    if fresh := await _found(case, 0):
        await _answer(case, 0, fresh)


async def sweep(case: "Case") -> bool:
    """Look again, and answer, until a look finds nothing new; return whether it came to that.

    Raises Waiting while a person is asked about a round.
    """
    seen = {_name(f) for f in await _found(case, 0)}
    for round in range(1, 1 if case.dry else ROUNDS):
        fresh = [f for f in await _found(case, round) if _name(f) not in seen]
        if not fresh:
            shut_point(case, MARK)
            return True
        await _answer(case, round, fresh)
        seen |= {_name(f) for f in fresh}
    open_point(case, MARK, f"somebody still leaves things in Vault {case.place}: look at it")
    return False


async def _found(case: "Case", round: int) -> list[Finding]:
    kept = await case.keep(look(case), again=f"round {round}")
    if kept.missed:
        what = ", ".join(str(m["call"] or m["name"]) for m in kept.missed)
        open_point(case, f"{MARK}/missed", f"what was left is not all known: {what} failed")
    found = [Finding(**one) for one in kept.found]
    mine = _ours(case)
    return [f for f in found if f.name not in mine and not implied(f, found)]


async def _answer(case: "Case", round: int, fresh: Sequence[Finding]) -> None:
    """Turn audit devices on, ask about the rest in one question, and say what is not answered."""
    known = known_of(case.parts.settings, case.place)
    acts: list[tuple[Finding, Action[Any]]] = []
    again = f"{ROUND}{round}"
    for one in fresh:
        act = answer(case.place, one, known)
        if act is None and not one.sure:
            text = f"is it yours? {one.kind} {one.name} of Vault {case.place}: {one.why}"
            open_point(case, f"unsure/{one.kind}/{one.name}", text)
        elif act is None or act.target in own(case):
            _say(case, one)
        elif isinstance(act, EnableAuditDevice):
            if not await case.act(act, again=again):
                _say(case, one)
        else:
            acts.append((one, act))
    if not acts:
        return
    yes = await asking.ask_all(case, f"left/{round}", [act for _, act in acts], again=again)
    may = asking.fit(case, [act for _, act in acts], again=again)
    for one, act in acts:
        if not yes or act not in may or not await case.act(act, yes, again=again):
            _say(case, one)


def _say(case: "Case", one: Finding) -> None:
    text = f"to do: {one.kind} {one.name} of Vault {case.place}: {one.why}"
    open_point(case, f"{BEHIND}{one.kind}/{one.name}", text)


def _name(one: Finding) -> tuple[str, str, str]:
    """Return what makes a finding another one: what is made again by the same name counts too."""
    return one.kind, one.name, one.at if one.kind not in ("group", "entity") else ""


def _ours(case: "Case") -> frozenset[str]:
    """Return the names of what this incident made or changed itself: its login, its secret id."""
    rows = case.store.read(lambda conn: store.steps(conn, case.incident.id))
    made = {str((intent.result or {}).get("accessor", "")) for intent, _ in rows}
    mount, _, name = case.incident.target["id"].partition("/")[2].rpartition("/")
    mine = {f"auth/{mount}/role/{name}", f"auth/{mount}/users/{name}"}
    ids = {target.rpartition("/")[2] for target in own(case)}
    return frozenset(made | mine | ids) - {""}
