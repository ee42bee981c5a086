"""Reads the custody of a case from the ledger, and writes entries that follow from it.

On a connection that the caller owns, in its transaction; nothing here commits.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select

from evidence import ledger_schema as table
from evidence.custody.follow import follow, replay
from evidence.custody.signing import refuse_strangers
from evidence.custody.state import NOT_OPEN, CaseCustody, Event
from evidence.custody.statement import SIGNERS
from evidence.errors import CustodyError, LedgerError
from evidence.jws_token import PublicKey
from evidence.leaf import Entry, Leaf, actor_commitment, body_commitment, stamp
from evidence.ledger import Opening, Recorded, append, entries, pseudonym
from evidence.merkle import leaf_hash
from evidence.personal import hidden


def view(conn: Connection, case: str) -> CaseCustody:
    """Return where the custody of a case stands, replayed from all of its entries.

    An entry that is missing, or whose body was altered, stands in its `problems`.

    Raises:
        LedgerError: when the case has no entry.
    """
    recorded = list(entries(conn, case))
    state = replay(pseudonym(conn, case), map(event_of, recorded))
    state.problems += _breaks(recorded)
    return state


def every_case(conn: Connection) -> list[str]:
    """Return the ids of all cases that the ledger has, sorted."""
    found = conn.execute(select(table.cases.c.case_id).order_by(table.cases.c.case_id))
    return [str(case) for case in found.scalars()]


def event_of(entry: Recorded) -> Event:
    """Return what the rules of custody need of a ledger entry."""
    leaf, opening = entry.leaf, entry.opening
    event = Event(leaf.kind, leaf.case_seq, "", leaf.record_time, None)
    if opening is None:
        return event
    # The table of openings may be erased, so it can be written; the leaf says what stood there.
    if not _committed(leaf, opening):
        return replace(event, fault="its body or actor is not what its leaf commits to")
    try:
        body = entry.body
    except LedgerError as error:
        return replace(event, fault=str(error))
    if leaf.kind in SIGNERS and hidden(opening.actor, body):
        return replace(event, fault=NOT_OPEN)
    return replace(event, actor=opening.actor, body=body)


def record(
    conn: Connection,
    entry: Entry,
    people: Mapping[str, PublicKey],
    *,
    record_time: datetime,
    salt: bytes,
) -> CaseCustody:
    """Append an entry about custody if it follows from those before it; return the new state.

    `people` are the known public keys by name. Nobody else appends to the case until the caller's
    transaction ends, so what was judged is what it stands after.

    Raises:
        CustodyError: when it breaks a rule, or is signed by somebody unknown; nothing is written.
        LedgerError: when the case has no entry yet.
    """
    return record_all(conn, entry.case, [(entry, salt)], people, record_time=record_time)


def record_all(
    conn: Connection,
    case: str,
    salted: Iterable[tuple[Entry, bytes]],
    people: Mapping[str, PublicKey],
    *,
    record_time: datetime,
) -> CaseCustody:
    """Append entries of one case, each with its salt, as `record` does one; replay the case once.

    Raises:
        CustodyError, LedgerError: as `record`; the caller rolls back what was written before.
    """
    _alone(conn, case)
    state = view(conn, case)
    for entry, salt in salted:
        if entry.case != case:
            raise CustodyError(f"entry of case {entry.case!r} among those of {case!r}")
        follow(state, Event(entry.kind, -1, entry.actor, stamp(record_time), entry.body))
        if entry.kind in SIGNERS:
            refuse_strangers(entry.body, people)
        append(conn, entry, record_time=record_time, salt=salt)
    return state


def _committed(leaf: Leaf, opening: Opening) -> bool:
    # SQLite lets an intruder store text where bytes belong.
    if not all(isinstance(stored, bytes) for stored in (opening.salt, opening.body)):
        return False
    body = body_commitment(opening.salt, opening.body)
    actor = actor_commitment(opening.salt, opening.committed_actor)
    return (body, actor) == (leaf.body, leaf.actor)


def _breaks(recorded: list[Recorded]) -> Iterator[str]:
    """Yield where entries of a case do not follow each other: one was altered, or taken out."""
    prev = None
    for number, entry in enumerate(recorded):
        if (entry.leaf.case_seq, entry.leaf.prev) != (number, prev):
            yield f"entry {entry.leaf.case_seq} does not follow from the one before it"
            return
        if leaf_hash(entry.data) != entry.leaf_hash:
            yield f"entry {entry.leaf.case_seq} is not what its hash says"
            return
        prev = entry.leaf_hash.hex()


def _alone(conn: Connection, case: str) -> None:
    # Each append updates this row. SQLite, which has one writer at a time, leaves FOR UPDATE out.
    conn.execute(
        select(table.cases.c.next_seq).where(table.cases.c.case_id == case).with_for_update()
    )
