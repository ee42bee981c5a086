"""Works what is due: each incident once at a time, all reflexes before any whole play."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from playbooks.case import store
from playbooks.case.enter import Ending
from playbooks.case.spooling import Run, cannot_commit
from playbooks.case.store import LONGEST, Store, Work
from playbooks.errors import BusyError, LostLeaseError, PlaybookError, UnshownError
from playbooks.respond import plays, run
from playbooks.respond.emergency import Emergency
from playbooks.wiring import logs
from playbooks.wiring.parts import Parts
from playbooks.wiring.prefect_server import Server

if TYPE_CHECKING:
    from playbooks.case.play import Play

log = logging.getLogger("stanch.responder")
T = TypeVar("T")

# Seconds between two looks at what is due; a kick within the process makes it look at once.
LOOK = 0.5
# Plays that run at once. Each asks AWS from the pool; Prefect shares the processor with them.
AT_ONCE = 4
# Seconds that a play waits for other incidents' reflexes, so that a slow one holds up no play.
REFLEXES_FIRST = 5.0
# Seconds until an incident that another process works on is looked at again.
BUSY = 2.0
# Seconds that a play's end waits for Prefect to take it.
LINGER = 2.0
# Seconds for which Prefect is not tried again where it did not take a run.
PREFECT_GONE = 10.0
# From so many tries on, work counts as stuck; it is tried again all the same.
STUCK = 5


class Responder:
    """Takes due work until it is stopped. `server` None shows nothing in Prefect."""

    def __init__(
        self, parts: Parts, db: Store, server: Server | None, emergency: Emergency
    ) -> None:
        self._parts = parts
        self._db = db
        self._server = server
        self.emergency = emergency
        self._working: dict[str, asyncio.Task[None]] = {}
        self._reflexes = 0
        self._calm = asyncio.Event()
        self._plays = asyncio.Semaphore(AT_ONCE)
        self._not_before: dict[str, float] = {}
        self._prefect_again = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        # Set where something that is to go on as long as the process has broken off.
        self.broken = threading.Event()

    def kick(self) -> None:
        """Look at once for what is due; from any thread. Once `work` has ended, nothing is done."""
        if self._loop is not None:
            with suppress(RuntimeError):  # The loop is closed.
                self._loop.call_soon_threadsafe(self._wake.set)

    def stop(self) -> None:
        """Take nothing more; from any thread. `work` then ends the entries in hand and returns."""
        self._stopping = True
        self.kick()

    async def work(self, patience: float) -> None:
        """Take due work until `stop`; then give the verbs in hand `patience` seconds to end.

        What is left undone stays due, and its lease is given up.
        """
        self._loop = asyncio.get_running_loop()
        self._calm.set()
        while not self._stopping:
            self._wake.clear()
            await self.look()
            try:
                await asyncio.wait_for(self._wake.wait(), LOOK)
            except TimeoutError:
                continue
        await self._end(patience)

    async def look(self) -> None:
        """Begin what is due and not in hand."""
        for spooled in self.emergency.waiting():
            self._hand(spooled.id, self._contained(spooled))
        try:
            due = await self._call(lambda: self._db.read(self._due))
        except SQLAlchemyError as error:
            kind = type(getattr(error, "orig", None) or error).__name__
            log.error("the database cannot be read (%s); it is tried again in %s s", kind, LOOK)
            for incident in self.emergency.unseen():
                if incident not in self._working:
                    self._hand(incident, self._without(incident, error))
            return
        for incident, rows in _by_incident(due).items():
            resting = time.monotonic() < self._not_before.get(incident, 0.0)
            if incident not in self._working and not resting and not self._stopping:
                self._begin(incident, rows)

    def _due(self, conn: Connection) -> list[Work]:
        return store.due_work(conn, store.clock(conn, self._parts.now))

    def _begin(self, incident: str, rows: list[Work]) -> None:
        # Counted before any of them runs, so that no play begins before the last reflex has.
        self._reflexes += 1
        self._calm.clear()
        self._hand(incident, self._one(incident, rows))

    def _hand(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._working[name] = task
        task.add_done_callback(lambda _: self._over(name))

    def _over(self, incident: str) -> None:
        del self._working[incident]
        # Work that came while it was in hand is looked for at once.
        self._wake.set()

    async def _one(self, incident: str, rows: list[Work]) -> None:
        try:
            made = await self._reflex(incident)
            if made is not None:
                await self._play(incident, made)
        except BusyError:
            self._not_before[incident] = time.monotonic() + BUSY
        except LostLeaseError as error:
            self._not_before[incident] = time.monotonic() + BUSY
            log.warning("%s", error)
        except Exception as error:
            # Whatever one incident's play raises, the others go on, and it is tried again.
            log.exception("%s: the play broke off", incident)
            if cannot_commit(error):
                await self._without(incident, error)
            await self._failed(rows, type(error).__name__)

    async def _without(self, incident: str, error: Exception) -> None:
        """Contain at least, where the database keeps the play from going on."""
        try:
            spooled = await self._call(lambda: self.emergency.began(incident, error))
        except PlaybookError as unknown:
            log.error("%s waits for the database: %s", incident, unknown)
            return
        await self._contained(spooled)

    async def _contained(self, spooled: Run) -> None:
        try:
            await self.emergency.contain(spooled)
        except Exception as error:
            # The others go on; what is spooled of it is brought in, and then entered.
            kind = type(error).__name__
            log.exception("%s: %s could not be contained: %s", spooled.id, spooled.place, kind)

    async def _reflex(self, incident: str) -> "Play | None":
        """Run the reflex, and return the play; None where no play answers the incident."""
        try:
            found = await self._call(lambda: self._db.read(lambda c: store.incident(c, incident)))
            if not found.play:
                await self._call(lambda: self._db.commit(lambda conn: self._settle(conn, incident)))
                return None
            made = plays.find(found.play)
            known = self.emergency.following(incident)
            await run.reflex(self._parts, known, incident, made, due=True)
            return made
        finally:
            self._reflexes -= 1
            if not self._reflexes:
                self._calm.set()

    async def _play(self, incident: str, made: "Play") -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._calm.wait(), REFLEXES_FIRST)
        async with self._plays:
            if not await self._call(lambda: self._db.read(lambda c: self._last(c, incident))):
                return
            ending = await self._entered(incident, made)
        with logs.about(incident=incident):
            log.info("the play ended %s, %s", ending.state, ending.status)

    async def _entered(self, incident: str, made: "Play") -> Ending:
        here = (self._parts, self.emergency.following(incident), incident, made)
        if self._server is None:
            return await run.entered(*here, due=True)
        why = "Prefect was gone a moment ago"
        if time.monotonic() >= self._prefect_again:
            try:
                return await run.shown(*here, patience=run.PATIENCE, linger=LINGER, due=True)
            except UnshownError as error:
                self._prefect_again = time.monotonic() + PREFECT_GONE
                why = str(error)
        await self._call(lambda: run.unshown(self._parts, self._db, incident, why))
        return await run.entered(*here, due=True)

    def _last(self, conn: Connection, incident: str) -> int:
        return store.last_work(conn, incident, store.clock(conn, self._parts.now))

    def _settle(self, conn: Connection, incident: str) -> None:
        now = store.clock(conn, self._parts.now)
        store.work_done(conn, incident, store.last_work(conn, incident, now), now)

    async def _failed(self, rows: list[Work], error: str) -> None:
        def work(conn: Connection) -> None:
            now = store.clock(conn, self._parts.now)
            for row in rows:
                store.work_failed(conn, row.id, error, now + pause(row.tries))

        for row in rows:
            if row.tries + 1 >= STUCK:
                log.error(
                    "%s: work %s broke off %s times, last by %s; it is tried again in %s. See "
                    "`stanch show %s`",
                    *(row.incident, row.id, row.tries + 1, error, pause(row.tries), row.incident),
                )
        try:
            await self._call(lambda: self._db.commit(work))
        except SQLAlchemyError:
            # Still due, then: only the pause is not kept.
            self._not_before[rows[0].incident] = time.monotonic() + BUSY

    async def _end(self, patience: float) -> None:
        """Cancel what is in hand: entries end after the verb that runs, and give their lease up."""
        tasks = set(self._working.values())
        for task in tasks:
            task.cancel()
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=patience)
            if left:
                log.error("a verb did not end within %s s; its lease runs out by itself", patience)

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._parts.pool, work)


def pause(tries: int) -> timedelta:
    """Return how long work waits that broke off, when it had been tried so often before."""
    return min(timedelta(seconds=2.0**tries), LONGEST) if tries < 16 else LONGEST


def _by_incident(due: list[Work]) -> dict[str, list[Work]]:
    found: dict[str, list[Work]] = {}
    for row in due:
        found.setdefault(row.incident, []).append(row)
    return found
