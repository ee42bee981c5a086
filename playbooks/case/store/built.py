"""Statements that every alert waits for: built once for a database, and run by its driver."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ClauseElement, Compiled, Connection

from evidence.ledger_engine import run


class Built:
    """A statement whose values are text, whole numbers and truth values, each bound by name."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._for: dict[str, Compiled] = {}

    def run(self, conn: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """Run it in the caller's transaction; return all rows. Raises DBAPIError."""
        name = conn.dialect.name
        built = self._for.get(name)
        if built is None:
            built = self._for[name] = self._statement.compile(dialect=conn.dialect)
        given = {**built.params, **values}
        # Drivers that know no names take the values in the order of their places.
        order: Sequence[str] | None = getattr(built, "positiontup", None)
        return run(conn, str(built), given if order is None else [given[one] for one in order])
