"""Hears a person: checks what they chose against the world as it is, signs it and records it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from playbooks.case.record import Record
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.case.store import reviews as stored
from playbooks.case.store.reviews import ReviewRow
from playbooks.review import deciding
from playbooks.review.deciding import Choice, reviewer
from playbooks.review.errors import DecisionError
from playbooks.review.outcome import free
from playbooks.review.standing import standing
from playbooks.wiring import people
from playbooks.wiring.parts import Parts


def hear(
    parts: Parts,
    db: Store,
    review: str,
    person: str,
    key: Any,
    chosen: Callable[[Mapping[str, ReviewRow]], Sequence[Choice]],
) -> int:
    """Record what a person chose, all of it or nothing, and return how many rows it was.

    `chosen` is handed the campaign's rows by id. Raises DecisionError, which says why not.
    """
    found = db.read(lambda conn: stored.review(conn, review))
    if found.status != "open":
        raise DecisionError(f"{review} is {found.status}, so nothing of it can be decided.")
    rows = {row.id: row for row in db.read(lambda conn: list(stored.review_rows(conn, review)))}
    identities = parts.settings.review.identities
    by = reviewer(person, key, identities)
    choices = chosen(rows)
    if not choices:
        raise DecisionError("nothing is decided in it: write into its last two columns.")
    asked = [rows[c.row] for c in choices if c.row in rows]
    now = standing(parts, found, asked)
    undone = db.read(lambda conn: free(conn, asked))
    deciding.check(choices, rows, by.names, now.stale, undone)
    at = parts.now()
    tokens = [deciding.sign(review, rows[c.row], c, by, at) for c in choices]
    record = Record(person, parts.now, parts.random)
    known = people.known(parts.settings)
    count = deciding.take(db, record, review, tokens, known, identities)
    checkpoint(db, parts)
    return count
