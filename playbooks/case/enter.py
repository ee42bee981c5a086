"""Enters a play for an incident, the first time or again, and says how it ended."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from actions.action import Lens
from actions.catalogue import revive
from actions.engine import finish
from actions.errors import ActionError, TargetGoneError
from playbooks.case import holding, sealing, store
from playbooks.case.answers import Waiting
from playbooks.case.case import Case, Step, plain
from playbooks.case.residual import status
from playbooks.case.store import Store
from playbooks.errors import BusyError, RefusedError, SettingsError, StoppedError
from playbooks.wiring.parts import Parts

Body = Callable[[Case], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ending:
    """How an entry ended: Completed, Waiting, Refused, Gone or Stopped; and what to say of it."""

    state: str
    status: str
    says: str = ""


async def enter(
    parts: Parts,
    db: Store,
    incident_id: str,
    body: Body,
    play: str,
    *,
    step: Step = plain,
    holder: str = "",
    alive: Callable[[str], bool] = holding.alive,
) -> Ending:
    """Run the play once for the incident and record how it ended.

    Raises UnknownIncidentError, or BusyError while a living process works on it.
    """
    me = holder or holding.myself()
    incident = db.read(lambda conn: store.incident(conn, incident_id))
    if not db.commit(lambda conn: store.take(conn, incident_id, me, alive)):
        raise BusyError(f"another process works on {incident_id} right now; wait for it.")
    case = Case(parts, db, incident, body, play, step)
    try:
        try:
            await recover(case)
            ending = await _run(case)
        except SettingsError as error:
            ending = Ending("Refused", "refused", str(error))
        _close(case, ending)
        sealing.checkpoint(db, parts)
        return ending
    finally:
        db.commit(lambda conn: store.let_go(conn, incident_id, me))


async def _run(case: Case) -> Ending:
    try:
        await case.body(case)
    except Waiting as waiting:
        return Ending("Waiting", _status(case), str(waiting))
    except TargetGoneError as error:
        return Ending("Gone", "gone", str(error))
    except RefusedError as error:
        return Ending("Refused", "refused", str(error))
    except StoppedError as error:
        return Ending("Stopped", "partial", str(error))
    return Ending("Completed", _status(case))


def _status(case: Case) -> str:
    rows = case.store.read(lambda conn: store.steps(conn, case.incident.id))
    return status([intent for intent, _ in rows]) if rows else "proposed"


def _close(case: Case, ending: Ending) -> None:
    before = case.incident

    def work(conn: Connection) -> None:
        store.set_status(conn, before.id, ending.status, ending.says)
        body = {"play": case.play, "entry": before.entry, "ended": ending.state}
        body |= {"status": ending.status, "says": ending.says}
        case.record.note(conn, before.id, "play.ended", body)

    case.store.commit(work)


async def recover(case: Case) -> int:
    """Take what a crash left half-way on to its wanted value; return how many steps were.

    Runs before anything else: a host must not stay on an allow-all group while people decide.
    """
    count = 0
    for intent, _ in case.store.read(lambda conn: store.steps(conn, case.incident.id)):
        if intent.phase != "intended":
            continue
        action = revive(intent.action, intent.fields)
        if not isinstance(action, Lens):
            continue
        aws = case.parts.aws(case.target.account, case.target.region)
        try:
            count += await case.drive(finish(action, aws, intent))
        except ActionError as error:
            case.journal.failed(intent.step, str(error))
    return count


def again(case: Case) -> Case:
    """Return the case with its incident read anew."""
    fresh = case.store.read(lambda conn: store.incident(conn, case.incident.id))
    return replace(case, incident=fresh)
