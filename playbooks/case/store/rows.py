"""What the modules of this store share: changing one row that must be there."""

from typing import Any

from sqlalchemy import Connection, Table, update

from playbooks.errors import UnknownIncidentError


def change(conn: Connection, table: Table, where: Any, **values: Any) -> None:
    """Change exactly one row, or raise UnknownIncidentError."""
    changed = conn.execute(update(table).where(where).values(**values))
    if changed.rowcount != 1:
        raise UnknownIncidentError(f"nothing in {table.name} to record {sorted(values)} on.")
