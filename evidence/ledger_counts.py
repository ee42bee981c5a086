"""Counts the ledger's cases again, and compares what its entries of kind `heads` state."""

import re
from collections.abc import Iterator

from sqlalchemy import Connection

from evidence.errors import BundleError, CanonicalError, LedgerCorruptError
from evidence.heads import Count, Head, count_of, read_count
from evidence.leaf import Leaf, body_commitment, read_leaf
from evidence.ledger_engine import in_dialect
from evidence.strict_json import parse_canonical

_PLACED = "SELECT idx, leaf, leaf_hash FROM ledger_entries WHERE idx >= ? AND idx < ? ORDER BY idx"
_BODY = (
    "SELECT e.leaf, o.salt, o.body FROM ledger_entries AS e"
    " JOIN ledger_openings AS o ON o.entry_id = e.id WHERE e.idx = ?"
)
_OF_CASE = re.compile(rb'"case":"([0-9a-f]{32})","case_seq":(\d+),')
_CHUNK = 1 << 15


def check_counts(conn: Connection, stated: list[int]) -> None:
    """Check that the `heads` entries at these indices, in order, count what the ledger holds.

    One that states fewer entries of a case than an earlier one is among what this finds. What was
    erased cannot be checked, and is left out.

    Raises:
        LedgerCorruptError: naming the first that does not.
    """
    # By case, both as they stand in leaves: what is counted only now and then is made then.
    last: dict[bytes, tuple[bytes, bytes]] = {}
    done = 0
    for index, count in _counts(conn, stated):
        if not done <= count.entries <= index:
            raise LedgerCorruptError(
                f"ledger entry {index}: counts {count.entries} entries, which is fewer than an "
                "earlier one counts, or more than stand before it"
            )
        _go_on(conn, last, done, count.entries)
        done = count.entries
        heads = [Head(case.decode(), int(seq), hashed) for case, (seq, hashed) in last.items()]
        if count_of(sorted(heads, key=lambda head: head.case), done) != count:
            raise LedgerCorruptError(
                f"ledger entry {index}: the cases of the {done} entries that it counts have other "
                "last entries than it states"
            )


def _counts(conn: Connection, stated: list[int]) -> Iterator[tuple[int, Count]]:
    for index in stated:
        row = conn.exec_driver_sql(in_dialect(conn, _BODY), (index,)).one_or_none()
        if row is not None:
            data, salt, body = row
            yield index, count_in(index, read_leaf(data), salt, body)


def count_in(index: int, leaf: Leaf, salt: bytes, body: bytes) -> Count:
    """Return what the `heads` entry at `index` states.

    Raises:
        LedgerCorruptError: when its body is malformed, or not the one that the leaf commits to.
    """
    if body_commitment(salt, body) != leaf.body:
        raise LedgerCorruptError(f"ledger entry {index}: its body is not what the leaf commits to")
    try:
        members = parse_canonical(body)
        if not isinstance(members, dict):
            raise BundleError("has a body that is no object")
        return read_count(members)
    except (BundleError, CanonicalError) as error:
        raise LedgerCorruptError(f"ledger entry {index}: {error}") from error


def _go_on(conn: Connection, last: dict[bytes, tuple[bytes, bytes]], low: int, high: int) -> None:
    """Take the entries between two sizes into `last`: case -> `case_seq` and leaf hash."""
    query = in_dialect(conn, _PLACED)
    for at in range(low, high, _CHUNK):
        # The driver's own rows, as `replay` reads them.
        with conn.exec_driver_sql(query, (at, min(at + _CHUNK, high))) as result:
            rows = result.cursor.fetchall()
        for index, data, hashed in rows:
            # By what the leaves say: it is these that the tree holds, not the columns beside them.
            found = _OF_CASE.search(data)
            if found is None:
                raise LedgerCorruptError(f"ledger entry {index}: its leaf names no case")
            case, seq = found.groups()
            last[case] = seq, hashed
