"""The verb sweep: look for what an attacker made, answer it, and again, until it is quiet."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from actions.aws.principal import Principal
from evidence.sources.following import Finding
from evidence.sources.principal_changes import PrincipalChanges, quiet
from playbooks.case import store
from playbooks.case.indicators import ours
from playbooks.case.latching import arn_of
from playbooks.case.points import open_point, shut_point

if TYPE_CHECKING:
    from playbooks.case.case import Case

Answer = Callable[[Finding], Awaitable[None]]
MARK = "sweep"


async def sweep(case: "Case", who: Principal, answer: Answer) -> bool:
    """Answer what a principal, and whoever it made or became, changed since the first sign.

    Return whether it is quiet: nothing new, and long enough past the last thing that was shut.

    Each round is collected once and journalled; the play is entered again for the next. What
    Stanch itself did is left out.
    """
    number, found = 0, dict[str, Finding]()
    while True:
        looked = _until(case, number)
        kept = await case.keep(await _changes(case, who, looked), again=f"round {number}")
        fresh = [f for f in map(_finding, kept.found) if f.event not in found]
        fresh = [f for f in fresh if not ours(case, f.by)]
        for one in fresh:
            await answer(one)
        found |= {f.event: f for f in fresh}
        if case.dry:
            return False
        mark = _marked(case, number, bool(fresh))
        # By when it was looked, not by now: what it saw was as late as CloudTrail was then.
        if quiet(found.values(), looked, mark) and not kept.missed:
            shut_point(case, MARK)
            return True
        due = mark + PrincipalChanges.AGAIN_AFTER
        if case.clock() < due:
            text = f"the sweep is not quiet: CloudTrail lags, and is asked again at {due:%H:%M} UTC"
            open_point(case, MARK, text)
            case.timers.add(due)
            return False
        number += 1


def added(case: "Case", kind: str) -> list[Finding]:
    """Return what the sweep found of this kind on the incident's own principal, each thing once.

    MFA devices stay until a person says otherwise: a device may be the owner's new one.
    """
    rows = case.store.read(lambda conn: store.all_kept(conn, case.incident.id))
    name = f"keep/{PrincipalChanges.name}/"
    found = [f for step, value in rows if step.startswith(name) for f in value.get("found", ())]
    mine = [f for f in map(_finding, found) if f.kind == kind and f.id and not ours(case, f.by)]
    return list({one.id: one for one in mine}.values())


async def _changes(case: "Case", who: Principal, until: datetime) -> PrincipalChanges:
    users = (who.name,) if who.kind == "user" else ()
    roles = () if users else (await arn_of(case, who),)
    return PrincipalChanges(users, roles, (), case.since, until, who.account, case.region)


def _finding(told: Mapping[str, Any]) -> Finding:
    return Finding(**told)


def _until(case: "Case", number: int) -> datetime:
    """Return up to when a round looks; of the first round as later ones, the time it began."""
    step = f"{MARK}/until/{number}"
    known = _kept(case, step)
    if known is not None:
        return datetime.fromisoformat(known["at"])
    now = case.clock()
    if not case.dry:
        _keep(case, step, now)
    return now


def _marked(case: "Case", number: int, fresh: bool) -> datetime:
    """Return when the last thing that was found was answered: in this round, or in one before."""
    for round in range(number, -1, -1):
        step = f"{MARK}/mark/{round}"
        known = _kept(case, step)
        if known is not None:
            return datetime.fromisoformat(known["at"])
        if round == number and (fresh or number == 0):
            now = case.clock()
            _keep(case, step, now)
            return now
    raise AssertionError("the first round has a mark")


def _kept(case: "Case", step: str) -> Any:
    return case.store.read(lambda conn: store.kept(conn, case.incident.id, step))


def _keep(case: "Case", step: str, at: datetime) -> None:
    def work(conn: Connection) -> None:
        store.keep_newest(conn, case.incident.id, step, {"at": at.isoformat()})

    case.store.commit(work)
