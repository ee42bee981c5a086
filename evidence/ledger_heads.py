"""Has the ledger count its own cases: entries of kind `heads`, under a case of their own.

What such an entry states (heads.py) follows from the entries before it, so it can be computed
again at any time, and one case's bundle can show that it holds all the entries of the case.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from evidence.heads import KIND, Count, Head, count_of
from evidence.leaf import Entry, Leaf, read_leaf
from evidence.ledger import append, place
from evidence.ledger_counts import count_in
from evidence.ledger_engine import in_dialect
from evidence.ledger_tree import tree_size
from evidence.note import Checkpoint

# The case under which the entries stand. No incident is called so.
CASE = "heads"

# A loose index scan: one step for each case, however many entries it has (SQLite, "The WITH
# Clause"; PostgreSQL wiki, "Loose indexscan").
_HEADS = (
    "WITH RECURSIVE named(name) AS (SELECT MIN(pseudonym) FROM ledger_entries UNION ALL"
    " SELECT (SELECT MIN(pseudonym) FROM ledger_entries WHERE pseudonym > named.name) FROM named"
    " WHERE named.name IS NOT NULL)"
    " SELECT e.pseudonym, e.case_seq, e.leaf_hash FROM named JOIN ledger_entries AS e"
    " ON e.pseudonym = named.name AND e.case_seq = (SELECT b.case_seq FROM ledger_entries AS b"
    " WHERE b.pseudonym = named.name AND b.idx + 0 < ? ORDER BY b.case_seq DESC LIMIT 1)"
)
_NEWEST = (
    "SELECT e.idx, e.leaf, o.salt, o.actor, o.body FROM ledger_cases AS c"
    " JOIN ledger_entries AS e ON e.pseudonym = c.pseudonym"
    " LEFT JOIN ledger_openings AS o ON o.entry_id = e.id"
    " WHERE c.case_id = ? AND e.idx + 0 < ? ORDER BY e.case_seq DESC LIMIT 1"
)
_AFTER = "SELECT id FROM ledger_entries WHERE idx > ? OR idx IS NULL LIMIT 1"
_UNCOUNTED = "SELECT leaf FROM ledger_entries WHERE idx >= ? ORDER BY idx LIMIT ?"


@dataclass(frozen=True, slots=True)
class Counted:
    """An entry of kind `heads` as it is stored: index, leaf, and its opening; None once erased."""

    index: int
    data: bytes
    leaf: Leaf
    opening: tuple[bytes, str, bytes] | None

    def count(self) -> Count | None:
        """Return what it states; None once erased.

        Raises:
            LedgerCorruptError: when the body is not the one that the leaf commits to.
        """
        if self.opening is None:
            return None
        return count_in(self.index, self.leaf, self.opening[0], self.opening[2])


def count(
    conn: Connection, origin: str, actor: str, *, now: datetime, salt: bytes
) -> Checkpoint | None:
    """Give every waiting entry its place, and add one that counts the cases up to there.

    On a write transaction of the caller, as `place` and `append` are. Returns the new head, not
    yet signed; None, and adds nothing, while the ledger is empty.

    Raises:
        ForkError, LedgerCorruptError: as `place` does.
    """
    place(conn, origin, wait=True)
    size = tree_size(conn)
    if not size:
        return None
    body = count_of(heads_at(conn, size), size).body()
    append(conn, Entry(KIND, CASE, body, actor, now), record_time=now, salt=salt)
    # At once, so that it is the next entry after those that it counts.
    return place(conn, origin, wait=True)


def heads_at(conn: Connection, size: int) -> list[Head]:
    """Return the head of every case among the first `size` entries, sorted by pseudonym."""
    rows = conn.exec_driver_sql(in_dialect(conn, _HEADS), (size,))
    return sorted((Head(*row) for row in rows), key=lambda head: head.case)


def newest(conn: Connection, size: int = 1 << 62) -> Counted | None:
    """Return the newest `heads` entry among the ledger's first `size` entries, or None."""
    row = conn.exec_driver_sql(in_dialect(conn, _NEWEST), (CASE, size)).one_or_none()
    if row is None:
        return None
    index, data, salt, actor, body = row
    return Counted(index, data, read_leaf(data), None if salt is None else (salt, actor, body))


def is_last(conn: Connection) -> bool:
    """Return whether no entry comes after the newest count, placed or waiting."""
    found = newest(conn)
    return (
        found is not None
        and not conn.exec_driver_sql(in_dialect(conn, _AFTER), (found.index,)).all()
    )


def uncounted(conn: Connection, limit: int = 50) -> list[Leaf]:
    """Return the oldest entries that have their place and are in no count, at most `limit`."""
    found = newest(conn)
    stated = None if found is None else found.count()
    first = 0 if found is None else found.index if stated is None else stated.entries
    rows = conn.exec_driver_sql(in_dialect(conn, _UNCOUNTED), (first, limit))
    return [read_leaf(data) for (data,) in rows]
