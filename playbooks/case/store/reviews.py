"""Access reviews as rows: campaigns, what was found, and what people decided of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from playbooks.case import schema
from playbooks.case.store.rows import change, next_number
from playbooks.errors import UnknownIncidentError

# So many rows are written by one statement, and read at a time.
BATCH = 500


@dataclass(frozen=True, slots=True)
class Review:
    """One campaign. `scope` has account, and why it is (periodic or an incident and a principal).

    `status` is gathering, open or closed. `facts` says what its rows were made from. Undecided
    rows are asked after at `due`, which moves on with each `level`.
    """

    id: str
    scope: Mapping[str, Any]
    owner: str
    opened: datetime
    due: datetime
    status: str = "gathering"
    facts: Mapping[str, Any] = field(default_factory=dict)
    level: int = 0
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person decided of a row: `decision` and why, and `proof`, their signature (a JWS)."""

    decision: str
    reason: str
    reviewer: str
    at: datetime
    proof: str


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """One row of a campaign; `incident` carries its decision out, once there is one."""

    id: str
    principal: str
    privilege: str
    owner: str
    used: datetime | None
    flags: tuple[str, ...]
    digest: str
    about: Mapping[str, Any] = field(default_factory=dict)
    decided: Decided | None = None
    incident: str = ""


def add_review(conn: Connection, review: Review) -> Review:
    """Record a new campaign and return it with its id."""
    number = next_number(conn, schema.reviews.c.number)
    named = replace(review, id=f"REV-{number:04d}")
    conn.execute(
        insert(schema.reviews).values(
            number=number,
            id=named.id,
            status=named.status,
            scope=dict(named.scope),
            facts=dict(named.facts),
            owner=named.owner,
            opened=_text(named.opened),
            due=_text(named.due),
            level=named.level,
            proof=named.proof,
        )
    )
    return named


def change_review(conn: Connection, id: str, **values: Any) -> None:
    """Record how far a campaign has come."""
    if "due" in values:
        values["due"] = _text(values["due"])
    change(conn, schema.reviews, schema.reviews.c.id == id, **values)


def review(conn: Connection, id: str) -> Review:
    """Return the campaign, or raise UnknownIncidentError."""
    row = conn.execute(select(schema.reviews).where(schema.reviews.c.id == id)).one_or_none()
    if row is None:
        raise UnknownIncidentError(f"there is no access review {id!r}. See `stanch review list`.")
    return _review(row)


def reviews(conn: Connection) -> list[Review]:
    """Return all campaigns, oldest first."""
    query = select(schema.reviews).order_by(schema.reviews.c.number)
    return [_review(row) for row in conn.execute(query)]


def add_rows(conn: Connection, review: str, rows: Sequence[ReviewRow]) -> None:
    """Record rows of a campaign, undecided."""
    blank = {"decision": "", "reason": "", "reviewer": "", "decided": "", "proof": ""}
    values = [
        {
            "review": review,
            "id": row.id,
            "principal": row.principal,
            "privilege": row.privilege,
            "owner": row.owner,
            "used": _text(row.used),
            "flags": list(row.flags),
            "digest": row.digest,
            "about": dict(row.about),
            "incident": "",
            **blank,
        }
        for row in rows
    ]
    for start in range(0, len(values), BATCH):
        conn.execute(insert(schema.review_rows), values[start : start + BATCH])


def drop_rows(conn: Connection, review: str) -> None:
    """Forget the rows of a campaign whose gathering broke off: nobody has seen them."""
    conn.execute(delete(schema.review_rows).where(schema.review_rows.c.review == review))


def review_rows(conn: Connection, review: str) -> Iterator[ReviewRow]:
    """Yield a campaign's rows in the order they were found."""
    table = schema.review_rows
    query = select(table).where(table.c.review == review).order_by(table.c.number)
    for row in conn.execute(query, execution_options={"yield_per": BATCH}):
        yield _row(row)


def decide_rows(conn: Connection, review: str, made: Mapping[str, Decided]) -> None:
    """Record decisions by row, each in place of an earlier one and of what was done about that."""
    table = schema.review_rows
    where = (table.c.review == review) & (table.c.id == bindparam("row"))
    columns = ("decision", "reason", "reviewer", "decided", "proof")
    change_all = (
        update(table)
        .where(where)
        .values({c: bindparam(f"the_{c}") for c in columns} | {"incident": ""})
    )
    conn.execute(
        change_all,
        [
            {
                "row": row,
                "the_decision": one.decision,
                "the_reason": one.reason,
                "the_reviewer": one.reviewer,
                "the_decided": _text(one.at),
                "the_proof": one.proof,
            }
            for row, one in made.items()
        ],
    )


def carry_row(conn: Connection, review: str, id: str, incident: str) -> None:
    """Record by which incident a decision is carried out."""
    table = schema.review_rows
    change(conn, table, (table.c.review == review) & (table.c.id == id), incident=incident)


def tally(conn: Connection, review: str) -> dict[str, int]:
    """Return how many rows have each decision; under "" those that are undecided."""
    table = schema.review_rows
    query = select(table.c.decision, func.count()).where(table.c.review == review)
    return {row[0]: row[1] for row in conn.execute(query.group_by(table.c.decision))}


def _review(row: Row[Any]) -> Review:
    return Review(
        id=row.id,
        scope=row.scope,
        owner=row.owner,
        opened=_time(row.opened),
        due=_time(row.due),
        status=row.status,
        facts=row.facts,
        level=row.level,
        proof=row.proof,
    )


def _row(row: Row[Any]) -> ReviewRow:
    decided = (
        Decided(row.decision, row.reason, row.reviewer, _time(row.decided), row.proof)
        if (row.decision)
        else None
    )
    return ReviewRow(
        id=row.id,
        principal=row.principal,
        privilege=row.privilege,
        owner=row.owner,
        used=_time(row.used) if row.used else None,
        flags=tuple(row.flags),
        digest=row.digest,
        about=row.about,
        decided=decided,
        incident=row.incident,
    )


def _text(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
