"""Journalled steps: what was found, what was meant, how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from actions.journal import Intent, Plan
from playbooks.case import schema
from playbooks.case.store.rows import change

# Phases in which a step has, or may have, something in the world.
LIVE = ("intended", "done", "undoing")


@dataclass(frozen=True, slots=True)
class Hold:
    """A live step on a target. `number` orders all steps of all incidents by when they came.

    `busy` says that somebody works on its incident at this moment; `fence` tells that one from
    whoever does later.
    """

    incident: str
    number: int
    intent: Intent
    busy: bool
    fence: int


def add_step(
    conn: Connection,
    incident: str,
    intent: Intent,
    at: datetime,
    approval: str | None = None,
    places: Mapping[str, Any] | None = None,
) -> None:
    """Record a step that is about to touch the world; `places` is what ceilings count over."""
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
            places=dict(places or {}),
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


def holds(conn: Connection, target: str, now: datetime, *, ended: bool = False) -> list[Hold]:
    """Return the live steps of every incident on a target account/region/id, the oldest first.

    With `ended`, those too that are undone and hold nothing any more.
    """
    table, others = schema.steps, schema.incidents
    query = (
        select(table, others.c.holder, others.c.until, others.c.fence)
        .join(others, others.c.id == table.c.incident)
        .where(table.c.step.contains(f"/{target}", autoescape=True))
        .order_by(table.c.number)
    )
    if not ended:
        query = query.where(table.c.phase.in_(LIVE))
    return [
        Hold(row.incident, row.number, _intent(row), _busy(row.holder, row.until, now), row.fence)
        for row in conn.execute(query)
        if row.step.partition("/")[2].partition("#")[0] == target
    ]


def _busy(holder: str, until: str, now: datetime) -> bool:
    return bool(holder) and bool(until) and now < datetime.fromisoformat(until)


def change_plan(conn: Connection, hold: Hold, plan: Plan) -> None:
    """Record other values to give back, or that keys are held by others and not to be written."""
    change(conn, schema.steps, schema.steps.c.number == hold.number, plan=plan_json(plan))


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
        "passing": {key: list(values) for key, values in plan.passing.items()},
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
            passing={key: tuple(v) for key, v in plan.get("passing", {}).items()},
        ),
        phase=row.phase,
        mark=row.mark,
        result=row.result,
        verdict=row.verdict,
    )


def _story(row: Row[Any]) -> Mapping[str, Any]:
    return {"intended": row.intended, "finished": row.finished, "error": row.error}
