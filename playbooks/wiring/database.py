"""Opens the deployment's database: PostgreSQL where the settings name one, else a file at home."""

from pathlib import Path

from sqlalchemy import Engine

from evidence import ledger
from evidence.errors import LedgerError
from playbooks.errors import SettingsError
from playbooks.wiring.settings import Settings, resolve

FILE = "stanch.db"


def open_engine(settings: Settings, *, new: bool = False) -> Engine:
    """Return an engine on the database; raise SettingsError where there is none.

    With `new`, SQLite's file is made. A PostgreSQL server is asked by the first transaction.
    """
    path = file(settings)
    if path is not None and not new and not path.is_file():
        raise SettingsError(
            f"there is no Stanch in {settings.home}. If it is elsewhere, go to the folder "
            "of its stanch.toml or set STANCH_CONFIG; else run `stanch init` first."
        )
    if path is not None:
        return ledger.sqlite_engine(path)
    try:
        return ledger.postgres_engine(resolve(settings.database or "", "database"))
    except LedgerError as error:
        raise SettingsError(f"`database` in stanch.toml refers to a wrong URL: {error}.") from None


def file(settings: Settings) -> Path | None:
    """Return SQLite's file, or None where the database is a PostgreSQL server's."""
    return settings.home / FILE if settings.database is None else None
