"""Which version a database's schema has, and how an older one is brought up to this one.

Nothing but `stanch init` and `stanch migrate` ever changes a schema.
"""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from evidence import ledger
from playbooks.case import schema
from playbooks.case.store import lock
from playbooks.errors import DatabaseError

# The newest step in migrations/versions, and all that can be brought up to it.
HEAD = "0007"
OLDER = ("0001", "0002", "0003", "0004", "0005", "0006")
# Databases made before versions were recorded have this one.
UNRECORDED = "0001"

# Alembic's own table ("Environment configuration", version_table).
_version = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def create(engine: Engine) -> None:
    """Make the schema of this version. Raise DatabaseError where there is a Stanch already."""
    with engine.begin() as conn:
        lock(conn, "schema")
        _refuse_used(conn)
        ledger.create_schema(conn)
        schema.metadata.create_all(conn)
        _version.create(conn)
        conn.execute(sa.insert(_version).values(version_num=HEAD))


def refuse_used(engine: Engine) -> None:
    """Raise DatabaseError where there is a Stanch already."""
    with engine.execution_options(read_only=True).connect() as conn:
        _refuse_used(conn)


def check(engine: Engine) -> None:
    """Raise DatabaseError, which says what to do, unless the schema is of this version."""
    with engine.execution_options(read_only=True).connect() as conn:
        _refuse_unfit(version(conn))


def migrate(engine: Engine) -> str:
    """Bring the schema up to this version in one transaction; return the version that it had.

    Raises DatabaseError, and changes nothing, where there is no Stanch or a newer one.
    """
    # Takes a while to import, and no other command needs it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as conn:
        lock(conn, "schema")
        found = version(conn)
        if found in OLDER:
            if conn.dialect.name == "postgresql":
                conn.exec_driver_sql("SET LOCAL statement_timeout = 0")
            config.attributes["connection"] = conn
            command.stamp(config, found)
            command.upgrade(config, HEAD)
        else:
            _refuse_unfit(found)
    return found


def version(conn: Connection) -> str:
    """Return the version of the schema; nothing where there is none."""
    there = sa.inspect(conn)
    if there.has_table(_version.name):
        return conn.scalar(sa.select(_version.c.version_num)) or ""
    return UNRECORDED if there.has_table(schema.incidents.name) else ""


def _refuse_used(conn: Connection) -> None:
    if found := version(conn):
        raise DatabaseError(
            f"the database holds a Stanch already (schema {found}); nothing was changed. "
            "Name an empty one, or bring its keys and stanch.toml here to work on it."
        )


def _refuse_unfit(found: str) -> None:
    if found == HEAD:
        return
    if not found:
        raise DatabaseError(
            "the database is empty: there is no Stanch in it. Put a backup back, or make a new "
            "one with `stanch init`; `stanch doctor` looks at the rest."
        )
    if found in OLDER:
        raise DatabaseError(
            f"the database has schema {found}, this Stanch needs {HEAD}; nothing was changed. "
            "Stop every Stanch on it, back it up, and run `stanch migrate`."
        )
    raise DatabaseError(
        f"the database has schema {found}, made by a newer Stanch than this one ({HEAD}); "
        "nothing was changed. Run that one, or restore a backup from before."
    )
