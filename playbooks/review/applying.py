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
from playbooks.review.outcome import free
from playbooks.review.standing import standing
from playbooks.rotation.order import Credential, leaked_with
from playbooks.wiring.parts import Parts

PLAY = "access_review"
ROTATES = "rotate_credentials"


@dataclass(frozen=True, slots=True)
class Batch:
    """What can be carried out now: incidents to open, each for rows, and why others cannot be."""

    openings: tuple[tuple[Incident, tuple[str, ...]], ...]
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
    undone = db.read(lambda conn: free(conn, rows))
    # What was undone is decided on anew, if at all; nothing repeats itself.
    left = {r.id: "it was undone; decide on it again" for r in rows if r.id in undone}
    rows = [r for r in rows if not r.incident]
    wanted = [r for r in rows if r.decided and r.decided.decision != "keep"]
    about = {r.principal for r in wanted}
    undecided = {r.principal for r in rows if r.decided is None}
    left |= {r.id: "other rows of it are undecided" for r in wanted if r.principal in undecided}
    ready = [r for r in rows if r.principal in about - undecided]
    now = standing(parts, found, ready)
    stale = {r.principal for r in ready if r.id in now.stale}
    left |= {r.id: now.stale.get(r.id, "it was changed") for r in wanted if r.principal in stale}
    ready = [r for r in ready if r.principal not in stale]
    since = parts.now() - timedelta(days=parts.settings.review.unused_days)
    aws = None if "vault" in found.scope else parts.aws(found.scope["account"], GLOBAL)
    plan = await acts.planned(aws, ready, now, since, parts.sleep)
    left |= plan.left
    openings = _changes(parts, found, plan, wanted, person)
    for row in ready:
        if row.decided and row.decided.decision == "rotate":
            if declared(parts, row.principal):
                openings.append((_rotation(parts, found, row, person), (row.id,)))
            else:
                left[row.id] = (
                    f"no [rotation.credentials] in stanch.toml is declared for {row.principal}, so "
                    "where a new one is to go is not known"
                )
    return Batch(tuple(openings), left)


def declared(parts: Parts, target: str) -> bool:
    """Return whether the settings say how the credentials of this target are rotated."""
    known = {
        name: Credential(name, **one.model_dump(exclude={"login"}))
        for name, one in parts.settings.rotation.credentials.items()
    }
    return bool(leaked_with(target, known))


def _changes(
    parts: Parts, review: Review, plan: acts.Planned, wanted: Sequence[ReviewRow], person: str
) -> list[tuple[Incident, tuple[str, ...]]]:
    if not plan.acts:
        return []
    who = sorted({r.decided.reviewer for r in wanted if r.decided})
    opening = Incident(
        id="",
        play=PLAY,
        title=f"{review.id}: carry out {len(plan.acts)} changes that reviewers decided",
        severity=Severity.P3,
        target=_target(review),
        opened=parts.now(),
        requester=_asks(who, person),
        hindrances=(_allowed_by(who, review.id),),
        alert={"review": review.id, "acts": [act.json() for act in plan.acts]},
    )
    return [(opening, tuple(id for act in plan.acts for id in act.rows))]


def _rotation(parts: Parts, review: Review, row: ReviewRow, person: str) -> Incident:
    account, region, name = row.principal.split("/", 2)
    who = [row.decided.reviewer] if row.decided else []
    return Incident(
        id="",
        play=ROTATES,
        title=f"{review.id}: rotate what {name} holds, as a reviewer decided",
        severity=Severity.P3,
        target={"account": account, "region": region, "id": name, "kind": name.partition("/")[0]},
        opened=parts.now(),
        requester=_asks(who, person),
        hindrances=(_allowed_by(who, review.id),),
        alert={"review": review.id, "rotates": [row.id]},
    )


def _asks(reviewers: Sequence[str], person: str) -> str:
    """Return who is taken to ask for it, and so may not allow it: who alone decided on it."""
    return reviewers[0] if len(reviewers) == 1 else person


def _allowed_by(reviewers: Sequence[str], review: str) -> str:
    return f"decided by {', '.join(reviewers)} in {review}; a second person allows it"


def _target(review: Review) -> dict[str, str]:
    if vault := review.scope.get("vault"):
        return {"account": vault, "region": "vault", "id": f"vault/{vault}", "kind": "vault"}
    account = review.scope["account"]
    return {"account": account, "region": GLOBAL, "id": f"account/{account}", "kind": "account"}


def carried(
    conn: Connection, record: Record, review: str, incident: str, rows: Sequence[str]
) -> None:
    """Record on this connection by which incident the rows are carried out."""
    for row in rows:
        stored.carry_row(conn, review, row, incident)
    body = {"review": review, "incident": incident, "rows": len(rows)}
    record.note(conn, review, "review.applied", body)
