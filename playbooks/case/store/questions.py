"""Questions to people, and what they answered."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from playbooks.case import schema
from playbooks.case.incident import Question
from playbooks.case.store.rows import change, next_number


def add_question(conn: Connection, question: Question) -> Question:
    """Record a question and return it with its id."""
    table = schema.questions
    number = next_number(conn, table.c.number)
    named = replace(question, id=f"Q-{number:04d}")
    conn.execute(
        insert(table).values(
            number=number,
            id=named.id,
            incident=named.incident,
            step=named.step,
            scopes=[dict(s) for s in named.scopes],
            about=dict(named.about),
            requester=named.requester,
            asked=named.asked.isoformat(),
            expires=named.expires.isoformat(),
            state=named.state,
        )
    )
    return named


def change_question(conn: Connection, id: str, **values: Any) -> None:
    """Record an answer to a question, or that it was used."""
    change(conn, schema.questions, schema.questions.c.id == id, **values)


def questions(conn: Connection, incident: str | None = None) -> list[Question]:
    """Return the questions of one incident, or all, in the order they were asked."""
    table = schema.questions
    query = select(table).order_by(table.c.number)
    if incident is not None:
        query = query.where(table.c.incident == incident)
    return [_question(row) for row in conn.execute(query)]


def _question(row: Row[Any]) -> Question:
    return Question(
        id=row.id,
        incident=row.incident,
        step=row.step,
        scopes=tuple(row.scopes),
        about=row.about,
        requester=row.requester,
        asked=datetime.fromisoformat(row.asked),
        expires=datetime.fromisoformat(row.expires).astimezone(UTC),
        state=row.state,
        approver=row.approver,
        reason=row.reason,
        proof=row.proof,
    )
