"""`stanch migrate`: bring the database of an earlier Stanch up to this one."""

from sqlalchemy import Engine

from evidence import ledger
from playbooks.case import migrating
from playbooks.desk.cli.surroundings import out
from playbooks.wiring import keyring
from playbooks.wiring.database import open_engine
from playbooks.wiring.settings import Settings, load

# Since this version the signer remembers, outside the database, what it signed last.
REMEMBERS = "0005"


def migrate() -> None:
    """Bring an older database up to this Stanch. Stop every Stanch on it and back it up first."""
    settings = load()
    engine = open_engine(settings)
    try:
        _begin(settings, engine)
        found = migrating.migrate(engine)
    finally:
        engine.dispose()
    if found == migrating.HEAD:
        out().print(f"The database has schema {found} already; nothing was changed.")
    else:
        out().print(f"The database was brought from schema {found} to {migrating.HEAD}.")


def _begin(settings: Settings, engine: Engine) -> None:
    """Let the signer remember what was signed before it had a memory: at this step, never again.

    Before the step, so that one that breaks off can be taken again.
    """
    with engine.execution_options(read_only=True).connect() as conn:
        found = migrating.version(conn)
        head = ledger.signed_last(conn, settings.origin) if "" < found < REMEMBERS else None
    if head is not None and settings.signer is None:
        log = keyring.load(settings.home / "keys", settings.origin).log
        if not log.memory.exists():
            log.begin(head)
