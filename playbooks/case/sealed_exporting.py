"""Exports a case as one file that only its recipients can read."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from evidence import enclosure
from evidence.bundle import Exported
from evidence.errors import BundleError
from evidence.withheld import NOTHING, Withheld
from playbooks.case import exporting
from playbooks.case.stamping import Outcome
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts


def export(
    parts: Parts,
    db: Store,
    case: str,
    out: Path,
    recipients: Sequence[X25519PublicKey],
    withheld: Withheld = NOTHING,
) -> tuple[Exported, list[Outcome]]:
    """Write the sealed bundle of a case into the new file `out`; return as `exporting.export` does.

    The bundle lies in the clear beside `out` meanwhile, in a folder closed to others, and is gone
    afterwards, also where something fails. Raises what `exporting.export` and `enclosure.seal` do.
    """
    refused = BundleError(f"{out} exists; a bundle is never written over. Choose a new path")
    if os.path.lexists(out):
        raise refused
    with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=".export-") as name:
        folder = Path(name)
        done, stamped = exporting.export(parts, db, case, folder / "bundle", withheld)
        sealed = folder / "sealed"
        handle = os.open(sealed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as into:
            enclosure.seal(folder / "bundle", recipients, into, parts.random)
            into.flush()
            os.fsync(into.fileno())
        try:
            # Whole or not at all, and over nothing.
            os.link(sealed, out)
        except FileExistsError:
            raise refused from None
    return replace(done, path=out), stamped
