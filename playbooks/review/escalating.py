"""Asks again after what nobody decided: first the campaign's owner, then the stakeholders."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import Connection

from playbooks.case import store
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.case.store import reviews as stored
from playbooks.case.store.reviews import Review
from playbooks.wiring.parts import Parts

log = logging.getLogger("stanch.review")


def escalate(parts: Parts, db: Store) -> list[str]:
    """Escalate each campaign that is due and has undecided rows; return their ids.

    Undecided rows stay undecided: nothing is kept, or taken away, because nobody answered.
    """
    record = Record("stanch", parts.now, parts.random)

    def due(conn: Connection) -> list[str]:
        now = store.clock(conn, parts.now)
        return [r.id for r in stored.reviews(conn) if r.status == "open" and r.due <= now]

    def work(conn: Connection) -> list[str]:
        # Two processes may look at once; the second finds a later due time.
        store.lock(conn, "reviews")
        now = store.clock(conn, parts.now)
        return [
            review.id
            for review in stored.reviews(conn)
            if review.status == "open"
            and review.due <= now
            and _escalated(conn, parts, record, review, now)
        ]

    return db.commit(work) if db.read(due) else []


def _escalated(
    conn: Connection, parts: Parts, record: Record, review: Review, now: datetime
) -> bool:
    left = stored.tally(conn, review.id).get("", 0)
    level = review.level + bool(left)
    # By the database's clock from now on, so that what stood still is not told many times at once.
    due = now + timedelta(days=parts.settings.review.escalate_days)
    stored.change_review(conn, review.id, level=level, due=due)
    if not left:
        return False
    whom = [review.owner] if level == 1 else [review.owner, *parts.settings.stakeholders]
    log.warning("%s: %d rows are undecided; told %s", review.id, left, ", ".join(whom))
    body = {"review": review.id, "level": level, "undecided": left, "told": whom}
    record.note(conn, review.id, "review.escalated", body | {"next": due.isoformat()})
    return True
