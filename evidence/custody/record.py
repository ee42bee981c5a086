"""Reads the custody of a case from the ledger, and writes entries that follow from it.

On a connection that the caller owns, in its transaction; nothing here commits.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, select

from evidence import ledger_schema as table
from evidence.custody.follow import follow, replay
from evidence.custody.signing import refuse_strangers
from evidence.custody.state import CaseCustody, Event
from evidence.custody.statement import SIGNERS
from evidence.jws_token import PublicKey
from evidence.leaf import Entry, stamp
from evidence.ledger import Recorded, append, entries, pseudonym


def view(conn: Connection, case: str) -> CaseCustody:
    """Return where the custody of a case stands, replayed from all of its entries.

    Raises:
        LedgerError: when the case has no entry.
    """
    return replay(pseudonym(conn, case), map(event_of, entries(conn, case)))


def every_case(conn: Connection) -> list[str]:
    """Return the ids of all cases that the ledger has, sorted."""
    found = conn.execute(select(table.cases.c.case_id).order_by(table.cases.c.case_id))
    return [str(case) for case in found.scalars()]


def event_of(entry: Recorded) -> Event:
    """Return what the rules of custody need of a ledger entry."""
    opening = entry.opening
    actor, body = ("", None) if opening is None else (opening.actor, entry.body)
    return Event(entry.leaf.kind, entry.leaf.case_seq, actor, entry.leaf.record_time, body)


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
    _alone(conn, entry.case)
    state = view(conn, entry.case)
    follow(state, Event(entry.kind, -1, entry.actor, stamp(record_time), entry.body))
    if entry.kind in SIGNERS:
        refuse_strangers(entry.body, people)
    append(conn, entry, record_time=record_time, salt=salt)
    return state


def _alone(conn: Connection, case: str) -> None:
    # Each append updates this row. SQLite, which has one writer at a time, leaves FOR UPDATE out.
    conn.execute(
        select(table.cases.c.next_seq).where(table.cases.c.case_id == case).with_for_update()
    )
