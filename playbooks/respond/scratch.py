"""A database that is thrown away, for what is only rehearsed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence import ledger
from evidence.note import signer_of
from evidence.signer import MEMORY, RememberingSigner
from playbooks.case import schema
from playbooks.case.store import Store
from playbooks.case.store.taken import carry_over
from playbooks.wiring.keyring import Keyring
from playbooks.wiring.parts import Parts


@contextmanager
def scratch(parts: Parts) -> Iterator[tuple[Parts, Store]]:
    """Yield the parts and a store over a database that is thrown away: for dry runs.

    It has no incidents; the guard knows of the same freezes and ceilings as in the real one.
    """
    since = parts.now() - timedelta(minutes=parts.settings.guard.window_minutes)
    with TemporaryDirectory(prefix="stanch-dry-") as folder:
        engine = ledger.sqlite_engine(Path(folder) / "stanch.db")
        with engine.begin() as conn:
            ledger.create_schema(conn)
            schema.metadata.create_all(conn)
            Store(parts.engine).read(lambda here: carry_over(here, conn, since))
        try:
            yield (
                replace(parts, engine=engine, keys=_thrown_away(parts, Path(folder))),
                Store(engine),
            )
        finally:
            engine.dispose()


def _thrown_away(parts: Parts, folder: Path) -> Keyring:
    """Return keys of which the log's is another one: the real one signs no rehearsal."""
    signer = signer_of(parts.keys.log.verifier.name, Ed25519PrivateKey.generate())
    log = RememberingSigner(signer, folder / MEMORY)
    log.begin()
    return replace(parts.keys, log=log)
