"""Turns a campaign's decisions into an incident whose acts carry them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from actions.aws.principal import GLOBAL
from playbooks.case.incident import Incident
from playbooks.case.record import Record
from playbooks.case.severity import Severity
from playbooks.case.store import Store
from playbooks.case.store import reviews as stored
from playbooks.case.store.reviews import Review, ReviewRow
from playbooks.review import acts
from playbooks.review.errors import ReviewError
from playbooks.review.standing import standing
from playbooks.wiring.parts import Parts

PLAY = "access_review"


@dataclass(frozen=True, slots=True)
class Batch:
    """What can be carried out now: the incident to open for it, and why other rows cannot be."""

    opening: Incident | None
    rows: tuple[str, ...]
    left: Mapping[str, str]


async def batch(parts: Parts, db: Store, review: str, person: str) -> Batch:
    """Return what is to be done for all decisions that nothing has been done for yet.

    A principal waits until each of its rows is decided, for a decision is about all that it may
    do, and a change would make the undecided ones stale. Raises ReviewError, or what AWS said.
    """
    found = db.read(lambda conn: stored.review(conn, review))
    if found.status != "open":
        raise ReviewError(f"{review} is {found.status}, so nothing of it is carried out.")
    rows = db.read(lambda conn: list(stored.review_rows(conn, review)))
    wanted = [r for r in rows if r.decided and r.decided.decision != "keep" and not r.incident]
    about = {r.principal for r in wanted}
    undecided = {r.principal for r in rows if r.decided is None}
    left = {r.id: "other rows of it are undecided" for r in wanted if r.principal in undecided}
    ready = [r for r in rows if r.principal in about - undecided]
    now = standing(parts, found, [r for r in ready if not r.incident])
    stale = {r.principal for r in ready if r.id in now.stale}
    left |= {r.id: now.stale.get(r.id, "it was changed") for r in wanted if r.principal in stale}
    ready = [r for r in ready if r.principal not in stale]
    since = parts.now() - timedelta(days=parts.settings.review.unused_days)
    aws = None if "vault" in found.scope else parts.aws(found.scope["account"], GLOBAL)
    plan = await acts.planned(aws, ready, now, since, parts.sleep)
    left |= plan.left
    done = tuple(id for act in plan.acts for id in act.rows)
    opening = _opening(parts, found, plan, wanted, person)
    return Batch(opening if plan.acts else None, done, left)


def _opening(
    parts: Parts,
    review: Review,
    plan: acts.Planned,
    wanted: Sequence[ReviewRow],
    person: str,
) -> Incident:
    who = sorted({r.decided.reviewer for r in wanted if r.decided})
    return Incident(
        id="",
        play=PLAY,
        title=f"{review.id}: carry out {len(plan.acts)} changes that reviewers decided",
        severity=Severity.P3,
        target=_target(review),
        opened=parts.now(),
        requester=person,
        hindrances=(f"decided by {', '.join(who)} in {review.id}; a second person allows it",),
        alert={"review": review.id, "acts": [act.json() for act in plan.acts]},
    )


def _target(review: Review) -> dict[str, str]:
    if vault := review.scope.get("vault"):
        return {"account": vault, "region": "vault", "id": f"vault/{vault}", "kind": "vault"}
    account = review.scope["account"]
    return {"account": account, "region": GLOBAL, "id": f"account/{account}", "kind": "account"}


def carried(conn: Connection, record: Record, review: str, made: Batch, incident: str) -> None:
    """Record on this connection by which incident the rows are carried out."""
    for row in made.rows:
        stored.carry_row(conn, review, row, incident)
    body = {"review": review, "incident": incident, "rows": len(made.rows), "left": len(made.left)}
    record.note(conn, review, "review.applied", body)
