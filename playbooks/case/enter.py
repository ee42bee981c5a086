"""Enters a play for an incident, the first time or again, and says how it ended."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from actions.action import Lens
from actions.catalogue import revive
from actions.engine import finish
from actions.errors import ActionError, TargetGoneError
from evidence.errors import KeyServiceError
from playbooks.case import holding, sealing, store, way_back
from playbooks.case.answers import Waiting
from playbooks.case.case import Case, Step, plain
from playbooks.case.gate import finishing
from playbooks.case.incident import Incident
from playbooks.case.spooling import refuse_waiting
from playbooks.case.store import Store
from playbooks.case.store.health import first_intended
from playbooks.case.story import standing
from playbooks.errors import FrozenError, LostLeaseError, RefusedError, SettingsError, StoppedError
from playbooks.wiring import logs
from playbooks.wiring.parts import Parts

log = logging.getLogger("stanch.enter")

Body = Callable[[Case], Awaitable[None]]
Kind = Literal["play", "reflex"]
# Kept once the reflex came to its end.
REFLEX = "reflex"


@dataclass(frozen=True, slots=True)
class Ending:
    """How an entry ended, and what to say of it.

    `state` is Completed, Waiting, Refused, Gone, Stopped, Frozen or Settled.
    """

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
    kind: Kind = "play",
    due: bool = False,
    step: Step = plain,
    alive: Callable[[str], bool] = holding.alive,
) -> Ending:
    """Run the play once for the incident and record how it ended; what was due is then settled.

    A `reflex` is the play's beginning alone: it settles nothing, and once it came to its end it is
    not run again. With `due`, nothing is run where no work is due (any more): it ends Settled.

    Raises UnknownIncidentError, or BusyError while a living process works on it or what was done
    to its target without the database waits to be imported. What else ends it, an interrupt too,
    is recorded as a crash of the play, and raised; it stays due.
    """
    known = db.read(lambda conn: store.incident(conn, incident_id))
    refuse_waiting(parts.settings, known.place)
    renewed = parts.pool is not None
    with (
        logs.about(incident=incident_id, kind=kind),
        holding.held(db, incident_id, alive, parts.now, renewed=renewed) as mine,
    ):
        # Read only now: whoever held it before may have rolled it back.
        incident, begun = db.read(lambda conn: _begin(conn, incident_id, parts, kind))
        if (due and not begun.upto) or begun.again:
            return Ending("Settled", incident.status, incident.says)
        if incident.status in way_back.ENDED.values():
            mine.commit(lambda conn: store.work_done(conn, incident_id, begun.upto, begun.at))
            return Ending("Completed", incident.status, incident.says)
        case = Case(parts, mine, incident, body, play, step)
        try:
            ending = await _run(case)
        except LostLeaseError:
            raise  # Whoever took it over says how it ends.
        except BaseException as error:
            # Its message may hold anything; the ledger gets its kind alone.
            says = f"the play broke off: {type(error).__name__}"
            _close(case, Ending("Crashed", _stood(case), says), kind, begun)
            raise
        _close(case, ending, kind, begun)
        if kind == "play":
            _sign(db, parts)
        return ending


def _sign(db: Store, parts: Parts) -> None:
    try:
        sealing.checkpoint(db, parts)
    except KeyServiceError as error:
        # How it ended is committed; the responder signs it once the key is to be had again.
        log.error("no checkpoint: %s", error)


@dataclass(frozen=True, slots=True)
class _Begun:
    """When the entry began, by the clock of timers; the last work that it will settle, or 0;
    whether it is a reflex that came to its end before; and when it began by this host's clock."""

    at: datetime
    upto: int
    again: bool
    here: datetime


def _begin(conn: Connection, incident_id: str, parts: Parts, kind: Kind) -> tuple[Incident, _Begun]:
    at = store.clock(conn, parts.now)
    again = kind == "reflex" and store.kept(conn, incident_id, REFLEX) is not None
    begun = _Begun(at, store.last_work(conn, incident_id, at), again, parts.now())
    return store.incident(conn, incident_id), begun


async def _run(case: Case) -> Ending:
    ending = await _ran(case)
    if not case.frozen or ending.state not in ("Completed", "Waiting"):
        return ending
    says = f"{len(case.frozen)} acts wait: {case.gate.frozen() or 'the freeze was just lifted'}"
    return Ending("Frozen", ending.status, says + (f" {ending.says}" if ending.says else ""))


async def _ran(case: Case) -> Ending:
    try:
        await recover(case)
        if (back := await way_back.entered(case)) is not None:
            return Ending(*back)
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
    except FrozenError as error:
        return Ending("Frozen", _status(case), str(error))
    return Ending("Completed", _status(case))


def _status(case: Case) -> str:
    return case.store.read(lambda conn: standing(conn, case.incident.id))


def _stood(case: Case) -> str:
    """Return the status that a crash leaves: of a release that waits to be lifted, that."""
    now = case.store.read(lambda conn: store.incident(conn, case.incident.id)).status
    return now if now in store.RELEASED else _status(case)


def _close(case: Case, ending: Ending, kind: Kind, begun: _Begun) -> None:
    before = case.incident

    def work(conn: Connection) -> datetime | None:
        store.set_status(conn, before.id, ending.status, ending.says)
        body = {"play": case.play, "code": case.code, "entry": before.entry, "ended": ending.state}
        body |= {"status": ending.status, "says": ending.says}
        case.record.note(conn, before.id, f"{kind}.ended", body)
        if ending.state == "Crashed":
            if not store.open_work(conn, before.id):
                store.add_work(conn, before.id, "lost lease", begun.at)
        elif kind == "reflex":
            store.keep(conn, before.id, REFLEX, {"ended": ending.state})
        else:
            store.work_done(conn, before.id, begun.upto, begun.at)
            # A timer that fired while the clock stood ahead of where it stands now is set again.
            for at in case.timers:
                store.add_timer(conn, before.id, at)
        return first_intended(conn, before.id)

    first = case.store.commit(work)
    _count(case, ending, kind, first if first and first >= begun.here else None)


def _count(case: Case, ending: Ending, kind: Kind, first: datetime | None) -> None:
    """Count the entry, and time what it did for the first time in this incident."""
    before, metrics = case.incident, case.parts.metrics
    metrics.entered(kind, ending.state)
    if first is not None:
        metrics.first_act((first - before.opened).total_seconds())
    if ending.status.startswith("contained") and not before.status.startswith("contained"):
        metrics.contained((case.parts.now() - before.opened).total_seconds())


async def finish_half_way(
    parts: Parts, db: Store, incident_id: str, alive: Callable[[str], bool] = holding.alive
) -> int:
    """Hold the incident and `recover` it, and no more; return how many steps were half-way.

    Raises UnknownIncidentError, or BusyError while a living process works on it.
    """

    async def nothing(case: Case) -> None:
        """Do nothing."""

    renewed = parts.pool is not None
    with holding.held(db, incident_id, alive, parts.now, renewed=renewed) as mine:
        incident = db.read(lambda conn: store.incident(conn, incident_id))
        return await recover(Case(parts, mine, incident, nothing, incident.play))


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
            with finishing():
                count += await case.drive(finish(action, case.provider(action), intent))
        except ActionError as error:
            case.journal.failed(intent.step, str(error))
    return count
