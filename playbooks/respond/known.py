"""What a process knows of the database in time: what the guard asks, and what it committed itself.

A look every few seconds shows what others did; what this process commits is known at once, so that
a database which goes away in mid-play leaves no step out.
"""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from playbooks.case.store import Store
from playbooks.case.store.memory import Snapshot, snapshot, snapshot_of

T = TypeVar("T")
Of = Callable[[Any], Sequence[str]]
# Incidents whose own commits are remembered until the next look.
FOLLOWED = 256


@dataclass(frozen=True, slots=True)
class _Own:
    """What a commit of this process left of an incident: when, the how manieth, and the rows."""

    at: float
    order: int
    found: Snapshot


class Known:
    """Times are those of `clock`, in seconds; it never jumps."""

    def __init__(self, db: Store, clock: Callable[[], float]) -> None:
        self._db = db
        self._clock = clock
        self._turn = threading.Lock()
        self._last: tuple[float, Snapshot] = (float("-inf"), Snapshot())
        self._own: OrderedDict[str, _Own] = OrderedDict()
        self._commits = itertools.count(1)

    def refresh(self) -> None:
        """Look at the database. Raises what it raises; what was known last then stays."""
        at, found = self._clock(), self._db.read(snapshot)
        with self._turn:
            self._last = (at, found)
            self._own = OrderedDict((k, own) for k, own in self._own.items() if own.at >= at)

    def following(self, of: Of, *tables: str) -> Store:
        """Return the database; what a commit changes of the incidents `of` its result is known.

        These are the incident, its steps, and what else is named.
        """
        return _Followed(self._db, of, tables, self._commits, self._learn)

    def own(self, incident: str) -> Snapshot:
        """Return what this process committed for the incident since the last look, or nothing."""
        with self._turn:
            found = self._own.get(incident)
            return found.found if found else Snapshot()

    def latest(self) -> tuple[float, Snapshot]:
        """Return when others' doings were seen last (-inf: never), and all that is known."""
        with self._turn:
            at, known = self._last
            for own in self._own.values():
                known = known.with_incident(own.found)
            return at, known

    def _learn(self, incident: str, order: int, found: Snapshot) -> None:
        with self._turn:
            own = self._own.get(incident)
            if own is None or own.order < order:
                self._own[incident] = _Own(self._clock(), order, found)
                self._own.move_to_end(incident)
            if len(self._own) > FOLLOWED:
                self._own.popitem(last=False)


class _Followed(Store):
    def __init__(
        self,
        under: Store,
        of: Of,
        tables: tuple[str, ...],
        commits: Iterator[int],
        learn: Callable[[str, int, Snapshot], None],
    ) -> None:
        super().__init__(under.engine)
        self._under = under
        self._of = of
        self._tables = tables
        self._commits = commits
        self._learn = learn

    def commit(self, work: Callable[[Connection], T]) -> T:
        def followed(conn: Connection) -> tuple[T, int, dict[str, Snapshot]]:
            result = work(conn)
            found = {one: snapshot_of(conn, one, *self._tables) for one in self._of(result)}
            # Counted here, where whoever else changes the same incident waits.
            return result, next(self._commits), found

        result, order, found = self._under.commit(followed)
        for incident, rows in found.items():
            self._learn(incident, order, rows)
        return result

    def read(self, work: Callable[[Connection], T]) -> T:
        return self._under.read(work)
