"""Journalled steps: what was found, what was meant, how far it has come."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from actions.journal import Intent, Plan
from playbooks.case import schema
from playbooks.case.store.rows import change


def add_step(
    conn: Connection, incident: str, intent: Intent, at: datetime, approval: str | None = None
) -> None:
    """Record a step that is about to touch the world."""
    conn.execute(
        insert(schema.steps).values(
            incident=incident,
            step=intent.step,
            action=intent.action,
            fields=dict(intent.fields),
            plan=plan_json(intent.plan),
            phase=intent.phase,
            mark=intent.mark,
            approval=approval,
            error="",
            intended=at.isoformat(),
        )
    )


def change_step(conn: Connection, incident: str, step: str, **values: Any) -> None:
    """Record what became of a step."""
    table = schema.steps
    change(conn, table, (table.c.incident == incident) & (table.c.step == step), **values)


def steps(conn: Connection, incident: str) -> list[tuple[Intent, Mapping[str, Any]]]:
    """Return the incident's steps in order, each with its times and last error."""
    table = schema.steps
    query = select(table).where(table.c.incident == incident).order_by(table.c.number)
    return [(_intent(row), _story(row)) for row in conn.execute(query)]


def step(conn: Connection, incident: str, name: str) -> Intent | None:
    """Return one step, or None when it was never intended."""
    table = schema.steps
    where = (table.c.incident == incident) & (table.c.step == name)
    row = conn.execute(select(table).where(where)).one_or_none()
    return None if row is None else _intent(row)


def approval_of(conn: Connection, incident: str, step: str) -> str | None:
    """Return the question by which a step was allowed, or None."""
    table = schema.steps
    where = (table.c.incident == incident) & (table.c.step == step)
    return conn.scalar(select(table.c.approval).where(where))


def steps_allowed_by(conn: Connection, question: str) -> list[Intent]:
    """Return the steps that used this question's approval."""
    table = schema.steps
    query = select(table).where(table.c.approval == question).order_by(table.c.number)
    return [_intent(row) for row in conn.execute(query)]


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON; the order of its keys is kept, for they are written in that order."""
    return {
        "before": list(plan.before.items()),
        "wanted": list(plan.wanted.items()),
        "unseen": dict(plan.unseen),
        "blast": list(plan.blast),
        "lost": list(plan.lost),
    }


def _intent(row: Row[Any]) -> Intent:
    plan = row.plan
    return Intent(
        step=row.step,
        action=row.action,
        fields=row.fields,
        plan=Plan(
            before=dict(plan["before"]),
            wanted=dict(plan["wanted"]),
            unseen=plan["unseen"],
            blast=tuple(plan["blast"]),
            lost=tuple(plan["lost"]),
        ),
        phase=row.phase,
        mark=row.mark,
        result=row.result,
        verdict=row.verdict,
    )


def _story(row: Row[Any]) -> Mapping[str, Any]:
    return {"intended": row.intended, "finished": row.finished, "error": row.error}
