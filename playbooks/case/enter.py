"""Enters a play for an incident, the first time or again, and says how it ended."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from actions.action import Lens
from actions.catalogue import revive
from actions.engine import finish
from actions.errors import ActionError, TargetGoneError
from playbooks.case import holding, sealing, store
from playbooks.case.answers import Waiting
from playbooks.case.case import Case, Step, plain
from playbooks.case.store import Store
from playbooks.case.story import standing
from playbooks.errors import LostLeaseError, RefusedError, SettingsError, StoppedError
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
    alive: Callable[[str], bool] = holding.alive,
) -> Ending:
    """Run the play once for the incident and record how it ended.

    Raises UnknownIncidentError, or BusyError while a living process works on it. What else
    ends it, an interrupt too, is recorded as a crash of the play, and raised.
    """
    db.read(lambda conn: store.incident(conn, incident_id))
    renewed = parts.pool is not None
    with holding.held(db, incident_id, alive, parts.now, renewed=renewed) as mine:
        # Read only now: whoever held it before may have rolled it back.
        incident = db.read(lambda conn: store.incident(conn, incident_id))
        if incident.status == "rolled-back":
            return Ending("Completed", incident.status, incident.says)
        case = Case(parts, mine, incident, body, play, step)
        try:
            ending = await _run(case)
        except LostLeaseError:
            raise  # Whoever took it over says how it ends.
        except BaseException as error:
            # Its message may hold anything; the ledger gets its kind alone.
            says = f"the play broke off: {type(error).__name__}"
            _close(case, Ending("Crashed", _status(case), says))
            raise
        _close(case, ending)
        sealing.checkpoint(db, parts)
        return ending


async def _run(case: Case) -> Ending:
    try:
        await recover(case)
        await case.body(case)
    except Waiting as waiting:
        return Ending("Waiting", _status(case), str(waiting))
    except TargetGoneError as error:
        return Ending("Gone", "gone", str(error))
    except (RefusedError, SettingsError) as error:
        # What was done before the refusal is in effect, and the status must not hide it.
        status = _status(case)
        return Ending("Refused", "refused" if status == "proposed" else status, str(error))
    except StoppedError as error:
        return Ending("Stopped", "partial", str(error))
    return Ending("Completed", _status(case))


def _status(case: Case) -> str:
    return case.store.read(lambda conn: standing(conn, case.incident.id))


def _close(case: Case, ending: Ending) -> None:
    before = case.incident

    def work(conn: Connection) -> None:
        store.set_status(conn, before.id, ending.status, ending.says)
        body = {"play": case.play, "code": case.code, "entry": before.entry, "ended": ending.state}
        body |= {"status": ending.status, "says": ending.says}
        case.record.note(conn, before.id, "play.ended", body)

    case.store.commit(work)


async def recover(case: Case) -> int:
    """Take what a crash left half-way on to its wanted value; return how many steps were.

    Runs before anything else: a host must not stay on an allow-all group while people decide.
    """
    count = 0
    for intent, _ in case.store.read(lambda conn: store.steps(conn, case.incident.id)):
        if intent.phase not in ("intended", "undoing"):
            continue
        try:
            action = revive(intent.action, intent.fields)
            if not isinstance(action, Lens):
                continue
            aws = case.parts.aws(case.target.account, case.target.region)
            count += await case.drive(finish(action, aws, intent))
        except ActionError as error:
            case.journal.failed(intent.step, str(error))
    return count
