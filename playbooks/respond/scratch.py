"""A database that is thrown away, for what is only rehearsed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from evidence import ledger
from playbooks.case import schema
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts


@contextmanager
def scratch(parts: Parts) -> Iterator[tuple[Parts, Store]]:
    """Yield the parts and a store over an empty database that is thrown away: for dry runs."""
    with TemporaryDirectory(prefix="stanch-dry-") as folder:
        engine = ledger.sqlite_engine(Path(folder) / "stanch.db")
        with engine.begin() as conn:
            ledger.create_schema(conn)
            schema.metadata.create_all(conn)
        try:
            yield replace(parts, engine=engine), Store(engine)
        finally:
            engine.dispose()
