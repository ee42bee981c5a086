"""Values that must be the same on re-entry, and why a step was left."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from playbooks.case import schema
from playbooks.case.store.steps import steps


def keep(conn: Connection, incident: str, step: str, value: Any) -> None:
    """Record a value that must be the same on re-entry."""
    conn.execute(insert(schema.kept).values(incident=incident, step=step, value=value))


def kept(conn: Connection, incident: str, step: str) -> Any:
    """Return the value recorded under this step, or None."""
    table = schema.kept
    where = (table.c.incident == incident) & (table.c.step == step)
    return conn.scalar(select(table.c.value).where(where))


def keep_newest(conn: Connection, incident: str, step: str, value: Any) -> None:
    """Record a value in place of an earlier one under this step."""
    table = schema.kept
    conn.execute(delete(table).where(table.c.incident == incident, table.c.step == step))
    keep(conn, incident, step, value)


def leave(conn: Connection, incident: str, step: str, why: Mapping[str, str]) -> None:
    """Record why a step was never intended, in place of an earlier reason."""
    keep_newest(conn, incident, f"left/{step}", dict(why))


def left(conn: Connection, incident: str) -> dict[str, Mapping[str, str]]:
    """Return step -> kind (needless, unfit or failed) and error, of steps never intended."""
    known = {intent.step for intent, _ in steps(conn, incident)}
    found = {
        key.removeprefix("left/"): value
        for key, value in all_kept(conn, incident)
        if key.startswith("left/")
    }
    return {step: why for step, why in found.items() if step not in known}


def all_kept(conn: Connection, incident: str) -> list[tuple[str, Any]]:
    """Return all recorded values of the incident, in order, each with its step."""
    table = schema.kept
    query = select(table.c.step, table.c.value).where(table.c.incident == incident)
    return [(row.step, row.value) for row in conn.execute(query.order_by(table.c.number))]
