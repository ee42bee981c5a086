"""Opens the incident that carries a campaign's decisions out, as `stanch review apply` does."""

import asyncio
from typing import Any

from playbooks.access_review import access_review
from playbooks.case.enter import Ending
from playbooks.case.incident import Incident
from playbooks.case.play import body_of
from playbooks.case.record import Record
from playbooks.case.store.reviews import Review
from playbooks.respond.opening import opened
from playbooks.review.applying import batch, carried
from tests.playbooks.scene import Scene

BODY = body_of(access_review)


def carry_out(scene: Scene, review: Review) -> Incident:
    """Open the one incident that there is to open; nothing is done yet."""
    made = asyncio.run(batch(scene.parts, scene.store, review.id, "erin"))
    ((opening, rows),) = made.openings
    record = Record("erin", scene.parts.now, scene.parts.random)

    def work(conn: Any) -> Incident:
        incident = opened(record, conn, opening, {}, "by hand")
        carried(conn, record, review.id, incident.id, rows)
        return incident

    return scene.store.commit(work)


def enter(scene: Scene, incident: Incident) -> Ending:
    """Enter the play."""
    return scene.enter(incident, BODY)
