"""Closes a campaign: with nothing open, or with a signed statement on what is left open."""

from typing import Any

from sqlalchemy import Connection

from evidence import canonical, jws
from playbooks.case import store
from playbooks.case.record import Record
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.case.store import reviews as stored
from playbooks.review.errors import DecisionError, OpenRowsError
from playbooks.review.outcome import SETTLED, outcomes
from playbooks.wiring.parts import Parts

TYPE = "stanch-review-close+jws"
LONGEST = 2000


def close(parts: Parts, db: Store, review: str, person: str, key: Any, statement: str) -> int:
    """Close the campaign and return how many rows were left open, which the statement is about.

    A row is open while it is undecided, or what was decided is not in effect and read back. Raises
    OpenRowsError where some are and nothing is stated, DecisionError where it is not open.
    """
    if len(statement) > LONGEST or not all(c.isprintable() or c == "\n" for c in statement):
        raise DecisionError(f"a statement is at most {LONGEST} printable characters.")
    record = Record(person, parts.now, parts.random)

    def work(conn: Connection) -> int:
        store.lock(conn, f"review/{review}")
        found = stored.review(conn, review)
        if found.status != "open":
            raise DecisionError(f"{review} is {found.status}, so it cannot be closed.")
        came = outcomes(conn, stored.review_rows(conn, review))
        left = sorted(id for id, one in came.items() if one.state not in SETTLED)
        if left and not statement:
            raise OpenRowsError(
                f"{len(left)} rows of {review} are undecided or not carried out. Decide and apply "
                "them, or close it with --statement, which is signed and says why they stay open."
            )
        said = {
            "review": review,
            "open": len(left),
            "rows": left[:500],
            "statement": statement,
            "at": parts.now().isoformat(),
        }
        token = jws.sign(canonical.canonical(said), key, person, TYPE)
        stored.change_review(conn, review, status="closed", proof=token)
        record.note(conn, review, "review.closed", said | {"proof": token}, actor=person)
        return len(left)

    count = db.commit(work)
    checkpoint(db, parts)
    return count
