"""Containment while the database cannot commit: the reflex, over what was known last.

emergency = Emergency(parts, db, spool)
accept = emergency.accepting          # in place of take.accepting(parts, db)
emergency.refresh()                   # every few seconds
db = emergency.following(incident)    # what an entry commits through
run = emergency.began(incident, error)  # an entry broke off because of the database
await emergency.contain(run, reflex)  # and so for each of emergency.waiting()
emergency.bring_in()                  # every few seconds
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from actions.errors import ActionError
from playbooks.case import store
from playbooks.case.answers import Waiting
from playbooks.case.enter import Body, Ending, recover
from playbooks.case.incident import Incident
from playbooks.case.record import Record
from playbooks.case.spool import Spool, running
from playbooks.case.spooling import Run, SpooledCase, cannot_commit
from playbooks.case.store import CLOSED, Store
from playbooks.case.store.memory import (
    MemoryStore,
    Snapshot,
    Within,
    learn,
    refreeze,
    rename,
    snapshot_of,
)
from playbooks.case.story import standing
from playbooks.errors import PlaybookError, SpoolError
from playbooks.intake.accepted import Accepted, Arrival
from playbooks.intake.errors import ReplayedError
from playbooks.respond import importing, plays, spooled_alert, take
from playbooks.respond.known import Known
from playbooks.wiring.parts import Parts

log = logging.getLogger("stanch.emergency")

# Seconds for which what was known last may be acted on.
FRESH = 600.0
# The part of the spool that alerts leave free: what is done matters more than what is said.
SPARE = 4


class Emergency:
    """Takes alerts and contains while the database is away; brings all of it in afterwards."""

    def __init__(
        self, parts: Parts, db: Store, spool: Spool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._parts = parts
        self._db = db
        self.spool = spool
        self._clock = clock
        self._known = Known(db, clock)
        self._turn = threading.RLock()
        self._memory: MemoryStore | None = None
        self._as_of = float("-inf")
        self._waiting: list[Run] = []
        # What this process opened since the last look: no responder may have seen it yet.
        self._opened: list[str] = []
        # What is in the memory of these is newer than what the database has.
        self._begun: set[str] = set()
        self._places: dict[str, asyncio.Lock] = {}

    @property
    def on(self) -> bool:
        """Return whether something of this process is spooled and not yet imported."""
        return self._memory is not None

    def refresh(self) -> None:
        """Read what the guard must know. Raises what the database raises; the last then counts."""
        with self._turn:
            before = set(self._opened)
        self._known.refresh()
        with self._turn:
            self._opened = [one for one in self._opened if one not in before]

    def following(self, incident: str) -> Store:
        """Return the database as an entry of the incident uses it: what it commits is known."""
        return self._known.following(lambda _: (incident,))

    def accepting(self, arrivals: Sequence[Arrival]) -> Sequence[Accepted | Exception]:
        """Take all in, in the database or in the spool; as `intake.accepted.Accept`.

        Once something waits in the spool, what comes goes there too until that is imported, so
        that a finding is known again; the database is asked where the spool is full.
        """
        if self.on:
            return [self._spooled(one, None) for one in arrivals]
        results = self._by_database(arrivals)
        with self._turn:
            self._opened += _opened(results)
        return [
            self._spooled(one, result)
            if isinstance(result, Exception) and cannot_commit(result)
            else result
            for one, result in zip(arrivals, results, strict=True)
        ]

    def waiting(self) -> list[Run]:
        """Return the runs that alerts in the spool ask for, each once."""
        with self._turn:
            found, self._waiting = self._waiting, []
        return found

    def unseen(self) -> list[str]:
        """Return the incidents that this process opened just before the database went, once each.

        For a responder that cannot read what is due.
        """
        with self._turn:
            found, self._opened = self._opened, []
        return found

    def began(self, incident: str, error: BaseException) -> Run:
        """Return the run for an incident whose entry broke off because of the database.

        Raises UnknownIncidentError where it is not known well enough, or SpoolError.
        """
        with self._turn:
            if (known := self._memory) and incident not in self._begun:
                # The database may have come and gone since the memory was made.
                found = self._now(incident)
                known.commit(lambda conn: learn(conn, found))
            memory = self._away()
            about = memory.read(lambda conn: store.incident(conn, incident))
            run = self._run(incident, about.place)
            run.tell("began", why=_kind(error))
            self._begun.add(incident)
        return run

    async def contain(self, run: Run) -> Ending:
        """Run the reflex of the incident's play, and spool how it ended. Reversible acts alone.

        Where what is known is too old, or there is nothing that may happen by itself, nothing is
        acted on, and that is spooled. Raises SpoolError when not even that can be.
        """
        memory = await self._ready()
        async with self._places.setdefault(run.place, asyncio.Lock()):
            return await self._contain(memory, run)

    async def _contain(self, memory: MemoryStore, run: Run) -> Ending:
        with running(self.spool):
            incident = memory.read(lambda conn: store.incident(conn, run.incident))
            reflex = _reflex_of(incident.play)
            # In the memory alone, whose ledger gives the case its pseudonym for this while.
            record = Record("stanch", self._parts.now, self._parts.random)
            about = {"run": run.id}
            memory.commit(lambda conn: record.note(conn, incident.id, "spool.began", about))
            why = self._hindered(incident, reflex)
            if reflex is None or why:
                ending = Ending("Proposed", "proposed", why)
            else:
                parts = replace(self._parts, engine=memory.engine)
                case = SpooledCase(parts, memory, incident, reflex, incident.play, run=run)
                ending = await _reflex(case)
            told = {"ended": ending.state, "status": ending.status, "says": ending.says}
            run.tell("note", kind="reflex.ended", body=told, actor="stanch")
        log.warning("%s, spooled as %s: the reflex ended %s", run.place, run.id, ending.state)
        return ending

    def bring_in(self) -> int:
        """Import what waits, and look at the database again; as `importing.bring_in`."""
        count = importing.bring_in(self._parts, self._db, self.spool)
        # In its turn: what is spooled between a look and this would not be run before the next.
        with self._turn:
            if self.on and self.spool.empty():
                # What was asked for meanwhile is in the database now, with its work.
                self._memory, self._waiting = None, []
                self._begun.clear()
        return count

    def _by_database(self, arrivals: Sequence[Arrival]) -> Sequence[Accepted | Exception]:
        return take.accepting(self._parts, self._known.following(_opened, "alerts"))(arrivals)

    def _spooled(self, one: Arrival, error: Exception | None) -> Accepted | Exception:
        why = _kind(error) if error else "others wait in the spool"
        try:
            with self._turn:
                taken, run = self._away().commit(lambda conn: self._spool(conn, one, why))
                self._waiting += [run] if run else []
                return taken
        except ReplayedError as replayed:
            return replayed
        except SpoolError as full:
            log.error("%s", full)
            return error or self._by_database([one])[0]

    def _spool(self, conn: Connection, one: Arrival, why: str) -> tuple[Accepted, Run | None]:
        """Take the alert into the memory and, where it says anything new, into the spool."""
        alert = one.alert
        known = store.known_alert(conn, alert.dedupe_key)
        before = store.incident(conn, known.incident) if known else None
        taken = take.accept(self._parts, Within(conn), alert, one.came)
        repeated = known and alert.count <= known.count and alert.last_seen <= known.last_seen
        if repeated and store.incident(conn, taken.incident) == before:
            return taken, None
        run = self._run(taken.incident, store.incident(conn, taken.incident).place)
        self._begun.add(taken.incident)
        if taken.new:
            # The database gives it a number once it knows of it.
            rename(conn, taken.incident, run.id)
            run = replace(run, incident=run.id)
        spare = self.spool.path.stat().st_size // SPARE
        run.tell("alert", why=why, spare=spare, **spooled_alert.written(alert, one.came))
        return replace(taken, incident=run.incident), run

    def _run(self, incident: str, place: str) -> Run:
        id = f"SPOOL-{self._parts.random(5).hex()}"
        return Run(id, incident, place, self.spool, self._parts.now)

    def _hindered(self, incident: Incident, reflex: Body | None) -> str:
        if self._clock() - self._as_of > FRESH:
            return "what the guard knows is too old to act on"
        if reflex is None:
            return "its play has no reflex"
        if incident.status in CLOSED:
            return f"the incident is {incident.status}"
        return "; ".join(incident.hindrances)

    def _away(self) -> MemoryStore:
        """Return the store for while the database is away, made from what is known now."""
        with self._turn:
            try:
                # A full disk can still be read.
                if self._memory is None:
                    self.refresh()
                else:
                    self._look(self._memory)
            except SQLAlchemyError as error:
                log.error("what was known last counts: %s", _kind(error))
            if self._memory is None:
                self._as_of, known = self._known.latest()
                self._memory = MemoryStore(known)
            return self._memory

    async def _ready(self) -> MemoryStore:
        """Return the store in memory. The database may take its time to say that it is gone."""
        if self._parts.pool is None:
            return self._away()
        return await asyncio.get_running_loop().run_in_executor(self._parts.pool, self._away)

    def _now(self, incident: str) -> Snapshot:
        try:
            return self._db.read(lambda conn: snapshot_of(conn, incident))
        except SQLAlchemyError:
            return self._known.own(incident)

    def _look(self, memory: MemoryStore) -> None:
        """Read again what is frozen: of all that the guard knows, only people change that."""
        at, found = self._clock(), self._db.read(store.freezes)
        memory.commit(lambda conn: refreeze(conn, found))
        self._as_of = at


def _reflex_of(play: str) -> Body | None:
    # Prefect comes with the plays; whoever only takes alerts in does without.
    from playbooks.case.play import reflex_of

    return reflex_of(plays.find(play)) if play else None


def _opened(results: Sequence[Accepted | Exception]) -> list[str]:
    return [one.incident for one in results if isinstance(one, Accepted) and one.new]


async def _reflex(case: SpooledCase) -> Ending:
    try:
        await recover(case)
        await case.body(case)
    except Waiting as waiting:
        return Ending("Proposed", _standing(case), str(waiting))
    except (PlaybookError, ActionError) as error:
        log.error("%s: the reflex stopped: %s", case.incident.id, error)
        return Ending("Stopped", _standing(case), str(error))
    state = "Frozen" if case.frozen else "Completed"
    return Ending(state, _standing(case), case.gate.frozen())


def _standing(case: SpooledCase) -> str:
    return case.store.read(lambda conn: standing(conn, case.incident.id))


def _kind(error: BaseException) -> str:
    """Return what went wrong without what was written: a message may hold anything."""
    return type(getattr(error, "orig", None) or error).__name__
