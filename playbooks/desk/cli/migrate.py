"""`stanch migrate`: bring the database of an earlier Stanch up to this one."""

from playbooks.case import migrating
from playbooks.desk.cli.surroundings import out
from playbooks.wiring.database import open_engine
from playbooks.wiring.settings import load


def migrate() -> None:
    """Bring an older database up to this Stanch. Stop every Stanch on it and back it up first."""
    engine = open_engine(load())
    found = migrating.migrate(engine)
    engine.dispose()
    if found == migrating.HEAD:
        out().print(f"The database has schema {found} already; nothing was changed.")
    else:
        out().print(f"The database was brought from schema {found} to {migrating.HEAD}.")
