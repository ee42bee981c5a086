"""What a witness has seen, in a SQLite file that is made once and never made again.

A witness without its memory would cosign any history. So the file is only ever opened, never
created, by who serves; a witness that lost it is retired, and another one, of another key, begun.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from evidence.errors import WitnessError
from evidence.merkle import EMPTY_ROOT
from evidence.note import Checkpoint

# What is kept of a log that contradicts itself: enough to show it, and not a full disk.
MAX_REFUSED = 100
BUSY_SECONDS = 10.0

_SCHEMA = """
CREATE TABLE witness (public BLOB NOT NULL);
CREATE TABLE heads (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL,
    note TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE TABLE refused (
    id INTEGER PRIMARY KEY, origin TEXT NOT NULL, size INTEGER NOT NULL,
    note TEXT NOT NULL, status INTEGER NOT NULL, at INTEGER NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Refused:
    """A head that a log signed and that does not extend what it had signed before."""

    note: str
    status: int
    at: int


@dataclass(frozen=True, slots=True)
class WitnessState:
    """The state of the witness whose public key is `public` (32 bytes), in the file `path`."""

    path: Path
    public: bytes

    def create(self) -> None:
        """Make the file, empty of heads. Raises FileExistsError where there is one."""
        os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        with contextlib.closing(self._open()) as db:
            db.executescript(f"PRAGMA journal_mode = WAL; BEGIN; {_SCHEMA} COMMIT;")
            db.execute("INSERT INTO witness (public) VALUES (?)", (self.public,))

    def check(self) -> None:
        """Raise WitnessError unless the file is there, whole, and this witness's own."""
        with self._using() as db:
            try:
                found = db.execute("SELECT public FROM witness").fetchall()
                whole = db.execute("PRAGMA quick_check").fetchall() == [("ok",)]
                db.execute("SELECT count(*) FROM heads, refused")
            except sqlite3.DatabaseError as error:
                raise self._lost(str(error)) from error
        if found != [(self.public,)]:
            raise self._lost("it belongs to another key")
        if not whole:
            raise self._lost("it is damaged")

    @contextlib.contextmanager
    def turn(self) -> Iterator["Turn"]:
        """Yield a turn that nobody shares; what it wrote is on disk when the block ends.

        Raises:
            WitnessError: when the state cannot be read or written.
        """
        with self._using() as db:
            try:
                db.execute("BEGIN IMMEDIATE")
                yield Turn(db)
                db.execute("COMMIT")
            except sqlite3.Error as error:
                raise WitnessError(f"the witness's state {self.path}: {error}") from error

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        if not self.path.is_file():
            raise self._lost("it is not there")
        try:
            db = self._open()
        except sqlite3.Error as error:
            raise self._lost(str(error)) from error
        # Closing rolls back what was not committed.
        with contextlib.closing(db):
            yield db

    def _open(self) -> sqlite3.Connection:
        # mode=rw: never make the file.
        place = f"file:{quote(str(self.path))}?mode=rw"
        db = sqlite3.connect(place, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        db.execute("PRAGMA synchronous = FULL")
        return db

    def _lost(self, why: str) -> WitnessError:
        return WitnessError(
            f"the witness's state {self.path} cannot be trusted: {why}. A witness that forgot what "
            "it saw must not go on: retire it (take its key out of every policy) and begin another "
            "with `witness init` in a new folder"
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """A look at the state, and a change to it, that nobody comes in between."""

    db: sqlite3.Connection

    def last(self, origin: str) -> Checkpoint:
        """Return the largest head that was cosigned of a log; the empty one where none was."""
        row = self.db.execute("SELECT size, root FROM heads WHERE origin = ?", (origin,)).fetchone()
        return Checkpoint(origin, 0, EMPTY_ROOT) if row is None else Checkpoint(origin, *row)

    def cosigned(self, head: Checkpoint, note: str, at: int) -> None:
        """Keep a head as the largest; `at` in seconds since 1970."""
        self.db.execute(
            "INSERT INTO heads (origin, size, root, note, at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root,"
            " note = excluded.note, at = excluded.at",
            (head.origin, head.size, head.root, note, at),
        )

    def refused(self, head: Checkpoint, note: str, status: int, at: int) -> None:
        """Keep a note that contradicts what was seen: signed, it is proof against the log."""
        self.db.execute(
            "INSERT INTO refused (origin, size, note, status, at) SELECT ?, ?, ?, ?, ?"
            " WHERE NOT EXISTS (SELECT 1 FROM refused WHERE note = ?)"
            " AND (SELECT count(*) FROM refused WHERE origin = ?) < ?",
            (head.origin, head.size, note, status, at, note, head.origin, MAX_REFUSED),
        )

    def heads(self) -> list[tuple[str, int]]:
        """Return, for each log, the note of its largest head and when it was cosigned."""
        return list(self.db.execute("SELECT note, at FROM heads ORDER BY origin"))

    def contradictions(self) -> list[Refused]:
        """Return what was refused though the log had signed it, the first first."""
        rows = self.db.execute("SELECT note, status, at FROM refused ORDER BY id")
        return [Refused(*row) for row in rows]
