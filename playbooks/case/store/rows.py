"""What the modules of this store share: changing one row that must be there, and numbering."""

from typing import Any

from sqlalchemy import Column, Connection, Table, func, select, update

from playbooks.case.store.commit import lock
from playbooks.errors import UnknownIncidentError


def change(conn: Connection, table: Table, where: Any, **values: Any) -> None:
    """Change exactly one row, or raise UnknownIncidentError."""
    changed = conn.execute(update(table).where(where).values(**values))
    if changed.rowcount != 1:
        raise UnknownIncidentError(f"nothing in {table.name} to record {sorted(values)} on.")


def next_number(conn: Connection, column: Column[int]) -> int:
    """Return the number of a table's next row, from 1, without a gap: who audits would ask.

    One at a time takes a number, until its transaction ends.
    """
    lock(conn, f"number/{column.table.name}")
    return (conn.scalar(select(func.max(column))) or 0) + 1
