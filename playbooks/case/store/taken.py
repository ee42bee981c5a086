"""What was taken from whom lately, over all incidents: what rolling ceilings are counted from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

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
