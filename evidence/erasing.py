"""Destroys the openings of single values, and looks where else in the database a text stands.

What is destroyed is the value and its salt; the commitment stays, and so does every proof. On the
disk: on SQLite the row is overwritten and deleted with secure_delete on, and `compact` writes the
file anew and empties the write-ahead log; on PostgreSQL the table is written anew, while archives
of its log, replicas and backups keep the value until they are dropped.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, select

from evidence.custody.statement import SIGNERS
from evidence.errors import CustodyError, TokenError
from evidence.jws_token import unbase64url
from evidence.ledger import Recorded, entries
from evidence.ledger_engine import in_dialect, run
from evidence.personal import OpenValue

_BLANK = "UPDATE ledger_values SET salt = ?, value = ? WHERE entry_id = ? AND place = ?"
_DELETE = "DELETE FROM ledger_values WHERE entry_id = ? AND place = ?"
_LEAST_SEGMENTS = 3


def naming(conn: Connection, case: str, text: str) -> list[tuple[int, str, OpenValue]]:
    """Return the case's open values that hold `text`: place of the entry in its case, its kind.

    A signed answer holds its signer's name, too, though in base64url.

    Raises:
        CustodyError: when the text is too short to be told from others.
    """
    if len(text) < 3 or text.isspace():
        raise CustodyError("expected a value of three characters or more, as it was recorded")
    return [
        (entry.leaf.case_seq, entry.leaf.kind, one)
        for entry in entries(conn, case)
        for one in _erasable(entry)
        if any(text in said for said in _said(json.loads(one.value)))
    ]


def named(
    conn: Connection, case: str, commitments: Collection[str]
) -> list[tuple[int, str, OpenValue]]:
    """Return the case's open values that these commitments (hex) are of, as `naming` does."""
    return [
        (entry.leaf.case_seq, entry.leaf.kind, one)
        for entry in entries(conn, case)
        for one in _erasable(entry)
        if one.commitment in commitments
    ]


def erase_values(conn: Connection, case: str, commitments: Collection[str]) -> None:
    """Destroy the openings of these commitments (hex) of a case, in the caller's transaction.

    Raises:
        CustodyError: when one of them is none of this case, or was erased before.
    """
    if conn.dialect.name == "sqlite":
        run(conn, "PRAGMA secure_delete = ON", ())
    left = set(commitments)
    for entry in entries(conn, case):
        for one in _erasable(entry):
            if one.commitment not in left:
                continue
            left.discard(one.commitment)
            blank = (bytes(len(one.salt)), bytes(len(one.value)), entry.id, one.place)
            run(conn, in_dialect(conn, _BLANK), blank)
            run(conn, in_dialect(conn, _DELETE), (entry.id, one.place))
    if left:
        raise CustodyError(
            f"{len(left)} of the values are none of {case} that may go, or were erased before: "
            "sign anew"
        )


def compact(engine: Engine) -> bool:
    """Write the database anew, so that no page of it has what was deleted; tell whether it was.

    False where others use it just now: what was deleted may then still lie in unused pages.
    """
    raw = engine.raw_connection()
    cursor = raw.cursor()
    try:
        if engine.dialect.name != "sqlite":
            raw.rollback()
            setattr(raw.dbapi_connection, "autocommit", True)  # noqa: B010
            cursor.execute("VACUUM (FULL) ledger_values")
            return True
        for setting in ("busy_timeout = 5000", "secure_delete = ON"):
            cursor.execute(f"PRAGMA {setting}")
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        # Busy, or not (SQLite, "PRAGMA wal_checkpoint").
        return cursor.fetchone() == (0, 0, 0)
    except engine.dialect.loaded_dbapi.Error:
        return False
    finally:
        cursor.close()
        # Its settings are not the pool's.
        raw.invalidate()


def standing(conn: Connection, text: str) -> dict[str, int]:
    """Return table.column -> rows that hold a text, in the whole database."""
    found: dict[str, int] = {}
    needles = {text.encode(), json.dumps(text)[1:-1].encode()}
    tables = MetaData()
    tables.reflect(conn)
    for table in tables.sorted_tables:
        for row in conn.execute(select(table)).mappings():
            for column, value in row.items():
                if any(needle in _bytes(value) for needle in needles):
                    place = f"{table.name}.{column}"
                    found[place] = found.get(place, 0) + 1
    return found


def _erasable(entry: Recorded) -> tuple[OpenValue, ...]:
    """Return the open values of an entry that may go: a hold without its signature would be none.

    Who held evidence, and who signed for it, is kept for legal claims (GDPR, art. 17(3)(e)).
    """
    if entry.opening is None or entry.leaf.kind in SIGNERS:
        return ()
    return entry.opening.values


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    if isinstance(value, str):
        return value.encode(errors="replace")
    return json.dumps(value, default=str, ensure_ascii=False).encode(errors="replace")


def _said(value: Any) -> Iterator[str]:
    """Yield every text in a value, and what a token among them says."""
    if isinstance(value, str):
        yield value
        segments = value.split(".")
        if len(segments) == _LEAST_SEGMENTS:
            for segment in segments[:2]:
                try:
                    yield unbase64url(segment).decode(errors="replace")
                except TokenError:
                    return
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _said(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _said(inner)
