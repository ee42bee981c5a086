"""What was taken from whom lately, over all incidents: what rolling ceilings are counted from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from playbooks.case import schema


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that took something from its target account/region/id; `places` says where."""

    target: str
    places: Mapping[str, Any]
    live: bool


def taken(conn: Connection, since: datetime) -> list[Taken]:
    """Return the steps intended since then that take something, the oldest first."""
    table = schema.steps
    query = select(table.c.step, table.c.phase, table.c.places)
    rows = conn.execute(query.where(table.c.intended >= since.isoformat()).order_by(table.c.number))
    return [
        Taken(row.step.partition("/")[2].partition("#")[0], row.places, row.phase != "undone")
        for row in rows
        if row.places.get("takes", "nothing") != "nothing"
    ]


def carry_over(here: Connection, there: Connection, since: datetime) -> None:
    """Tell another database what the guard must know of this one: freezes, and what was taken."""
    steps = schema.steps
    for table, query in (
        (schema.freezes, select(schema.freezes)),
        (steps, select(steps).where(steps.c.intended >= since.isoformat())),
    ):
        for row in here.execute(query):
            there.execute(insert(table).values(**row._mapping))
