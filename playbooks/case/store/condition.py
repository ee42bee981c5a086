"""What a database is, and whether it is whole, as far as it can say so itself in a moment."""

from dataclasses import dataclass

from sqlalchemy import Connection

from playbooks.case.migrating import version

# Beyond this, SQLite's own check takes longer than anybody waits; it reads the whole file.
QUICK_CHECK = 256 << 20


@dataclass(frozen=True, slots=True)
class Condition:
    """Kind and version of the database, version of the schema, bytes, and what is wrong with it."""

    kind: str
    schema: str
    size: int
    wrong: tuple[str, ...]
    checked: bool


def condition(conn: Connection) -> Condition:
    """Return the database's condition."""
    return _sqlite(conn) if conn.dialect.name == "sqlite" else _postgresql(conn)


def _sqlite(conn: Connection) -> Condition:
    def ask(pragma: str) -> str:
        return str(conn.exec_driver_sql(f"PRAGMA {pragma}").scalar())

    size = int(ask("page_count")) * int(ask("page_size"))
    wrong = []
    if ask("journal_mode") != "wal":
        wrong.append("its journal is no write-ahead log")
    if ask("synchronous") != "2":
        wrong.append("it does not sync each commit")
    checked = size <= QUICK_CHECK
    if checked and (said := ask("quick_check(1)")) != "ok":
        wrong.append(said.partition("\n")[0])
    kind = "SQLite " + str(conn.exec_driver_sql("SELECT sqlite_version()").scalar())
    return Condition(kind, version(conn), size, tuple(wrong), checked)


def _postgresql(conn: Connection) -> Condition:
    def ask(query: str) -> str:
        return str(conn.exec_driver_sql(query).scalar())

    wrong = []
    # PostgreSQL 17 documentation, "Write Ahead Log": off may lose what was acknowledged.
    if ask("SHOW synchronous_commit") == "off":
        wrong.append("synchronous_commit is off: a crash loses what was acknowledged")
    if ask("SHOW fsync") != "on":
        wrong.append("fsync is off: a power cut may lose everything")
    if ask("SELECT pg_is_in_recovery()") == "True":
        wrong.append("it is a standby and takes no writes")
    size = int(ask("SELECT pg_database_size(current_database())"))
    kind = "PostgreSQL " + ask("SHOW server_version")
    return Condition(kind, version(conn), size, tuple(wrong), False)
