"""The append-only record of everything that happens, on a connection the caller owns.

    engine = sqlite_engine(path)
    with engine.begin() as conn:
        create_schema(conn)
        append(conn, Entry("case.open", "INC-1", {...}, "alice", when), record_time=now, salt=salt)
        place(conn, origin)
    with engine.connect() as conn:
        signed = sign_head(conn, signer)
    with engine.begin() as conn:
        keep(conn, signed, now=now)

An entry is durable with the caller's commit and provable with the next checkpoint. Nothing here
commits, reads a clock or makes randomness.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from evidence.errors import LedgerCorruptError, LedgerError
from evidence.leaf import (
    KIND,
    MAX_ACTOR,
    MAX_BODY,
    SALT_BYTES,
    Entry,
    Leaf,
    actor_commitment,
    body_commitment,
    stamp,
    write_leaf,
)
from evidence.ledger_engine import in_dialect, run, sqlite_engine
from evidence.ledger_postgres import postgres_engine
from evidence.ledger_reading import Opening, Recorded, entries, pseudonym
from evidence.ledger_replay import replay
from evidence.ledger_schema import create_schema
from evidence.ledger_tree import (
    SignedCheckpoint,
    consistency,
    head_at,
    inclusion,
    integrate,
    is_kept,
    keep,
    latest_checkpoint,
    place,
    sign_head,
    signed_last,
)
from evidence.merkle import leaf_hash
from evidence.personal import MARK, OpenValue, committed
from evidence.personal_kinds import personal, plain
from evidence.strict_json import canonical_form

__all__ = [
    "Appended",
    "Entry",
    "Opening",
    "Recorded",
    "SignedCheckpoint",
    "append",
    "consistency",
    "create_schema",
    "entries",
    "head_at",
    "inclusion",
    "integrate",
    "is_kept",
    "keep",
    "latest_checkpoint",
    "place",
    "postgres_engine",
    "pseudonym",
    "replay",
    "sign_head",
    "signed_last",
    "sqlite_engine",
]

# The updated row stays locked until the caller's transaction ends, so a case has one sequence.
_TAKE_SEQ = (
    "UPDATE ledger_cases SET next_seq = next_seq + 1 WHERE case_id = ?"
    " RETURNING pseudonym, next_seq - 1, (SELECT leaf_hash FROM ledger_entries AS e"
    " WHERE e.pseudonym = ledger_cases.pseudonym AND e.case_seq = ledger_cases.next_seq - 2)"
)
# Asked again where it had to wait for the row: PostgreSQL lets such a statement see only what was
# committed before it began ("Read Committed Isolation Level"), and so not the entry it waited for.
_ENTRY_BEFORE = "SELECT leaf_hash FROM ledger_entries WHERE pseudonym = ? AND case_seq = ?"
# Two may open a case at once: the second waits for the first, and gets nothing if that committed.
_OPEN_CASE = (
    "INSERT INTO ledger_cases (case_id, pseudonym, next_seq) VALUES (?, ?, 1)"
    " ON CONFLICT (case_id) DO NOTHING RETURNING pseudonym"
)
_ADD_ENTRY = (
    "INSERT INTO ledger_entries (pseudonym, case_seq, leaf, leaf_hash)"
    " VALUES (?, ?, ?, ?) RETURNING id"
)
_ADD_VALUE = (
    "INSERT INTO ledger_values (entry_id, number, place, salt, value) VALUES (?, ?, ?, ?, ?)"
)
_ADD_OPENING = "INSERT INTO ledger_openings (entry_id, salt, actor, body) VALUES (?, ?, ?, ?)"
# Both with one round trip, which SQLite does not need and cannot say.
_ADD_BOTH = (
    "WITH entry AS (INSERT INTO ledger_entries (pseudonym, case_seq, leaf, leaf_hash)"
    " VALUES (?, ?, ?, ?) RETURNING id), opening AS (INSERT INTO ledger_openings"
    " (entry_id, salt, actor, body) SELECT id, ?, ?, ? FROM entry) SELECT id FROM entry"
)


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an entry stands: row id, place in its case (from 0), and its 32-byte leaf hash."""

    id: int
    case_seq: int
    leaf_hash: bytes


def append(conn: Connection, entry: Entry, *, record_time: datetime, salt: bytes) -> Appended:
    """Write one entry on the caller's transaction; it gets its index from `integrate`.

    `record_time` is aware; `salt` is 32 fresh random bytes, never used twice. A case's first
    salt also gives the case its pseudonym. Values that `personal_kinds` names are committed to
    apart, each under a salt of its own.

    Raises:
        LedgerError: when a field is malformed, too large, a time naive, or no transaction begun.
        CanonicalError: when the body has no canonical form.
        sqlalchemy.exc.DBAPIError: when the database refuses; roll the transaction back.
    """
    if not conn.in_transaction():
        raise LedgerError("no transaction; an entry is written on one that the caller commits")
    _refuse(entry, salt)
    seed = salt
    salt, actor, body, values = _hidden(entry, seed, _body(entry))
    name, seq, prev = _take_place(conn, entry.case, seed)
    leaf = Leaf(
        kind=entry.kind,
        case=name,
        case_seq=seq,
        prev=prev,
        event_time=stamp(entry.event_time),
        record_time=stamp(record_time),
        actor=actor_commitment(salt, actor),
        body=body_commitment(salt, body),
    )
    data = write_leaf(leaf)
    hashed = leaf_hash(data)
    added = _add(conn, (name, seq, data, hashed), (salt, actor, body))
    for number, one in enumerate(values):
        _run(conn, _ADD_VALUE, (added, number, one.place, one.salt, one.value))
    return Appended(added, seq, hashed)


def _take_place(conn: Connection, case: str, salt: bytes) -> tuple[str, int, str | None]:
    """Return the case's pseudonym, this entry's place in it, and the hash before it in hex."""
    rows = _run(conn, _TAKE_SEQ, (case,))
    if not rows:
        name = hmac.digest(salt, b"pseudonym", hashlib.sha256)[:16].hex()
        if _run(conn, _OPEN_CASE, (case, name)):
            return name, 0, None
        rows = _run(conn, _TAKE_SEQ, (case,))
    ((name, seq, before),) = rows
    if before is None:
        ((before,),) = _run(conn, _ENTRY_BEFORE, (name, seq - 1)) or ((None,),)
    if before is None:
        raise LedgerCorruptError(f"case {case!r} lacks its entry {seq - 1}; the ledger was cut")
    return name, seq, before.hex()


def _add(conn: Connection, entry: tuple[Any, ...], opening: tuple[Any, ...]) -> int:
    """Write an entry and what it commits to; return its row id."""
    if conn.dialect.name == "postgresql":
        ((added,),) = _run(conn, _ADD_BOTH, (*entry, *opening))
    else:
        ((added,),) = _run(conn, _ADD_ENTRY, entry)
        _run(conn, _ADD_OPENING, (added, *opening))
    return int(added)


def _run(conn: Connection, statement: str, values: tuple[Any, ...]) -> Sequence[Any]:
    return run(conn, in_dialect(conn, statement), values)


def _body(entry: Entry) -> bytes:
    # A timeline nests the body two levels down. The standard library writes the same bytes as
    # `canonical` several times faster, which this one place needs.
    body = canonical_form(dict(entry.body), depth=2)
    if len(body) > MAX_BODY:
        raise LedgerError(
            f"body of {len(body)} bytes; expected at most {MAX_BODY}. "
            "Store larger things as artifacts and name their hash"
        )
    return body


def _hidden(
    entry: Entry, seed: bytes, body: bytes
) -> tuple[bytes, str, bytes, Sequence[OpenValue]]:
    """Return salt, actor and body to commit to, and the openings of single values."""
    if MARK in body or entry.actor.encode().startswith(MARK):
        raise LedgerError(
            'actor or body holds {"commitment": ...}, which stands for a value that is not open'
        )
    if plain(entry.kind, entry.actor):
        return seed, entry.actor, body, ()
    places = personal(entry.kind, entry.actor, entry.body)
    if not places:
        return seed, entry.actor, body, ()
    said = json.loads(body)
    salt, actor, made, values = committed(seed, entry.actor, said, places)
    return salt, actor, canonical_form(made, depth=2), values


def _refuse(entry: Entry, salt: bytes) -> None:
    if not KIND.fullmatch(entry.kind):
        raise LedgerError(f"kind {entry.kind!r}; expected {KIND.pattern}")
    if not 0 < len(entry.case) <= 200 or not entry.case.isprintable():
        raise LedgerError(
            f"case id of {len(entry.case)} characters; expected 1 to 200 printable ones"
        )
    if not 0 < len(entry.actor) <= MAX_ACTOR:
        raise LedgerError(f"actor of {len(entry.actor)} characters; expected 1 to {MAX_ACTOR}")
    if "\0" in entry.actor:
        # PostgreSQL's text cannot hold it.
        raise LedgerError("actor with a NUL character; expected a name")
    if len(salt) != SALT_BYTES:
        raise LedgerError(f"salt of {len(salt)} bytes; expected {SALT_BYTES} random ones")
