"""Takes what proves a sending into the evidence locker, sealed: it may name those concerned."""

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evidence import ledger
from evidence.deposit import KIND, Acquisition, deposit
from evidence.sources.item import Item
from playbooks.case import locking
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.notification.errors import ProofError
from playbooks.wiring.parts import Parts

SOURCE: Final = "notification"
MOST: Final = 32 * 1024 * 1024
_SUFFIX: Final = re.compile(r"\.[a-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Proof:
    """A kept proof: the SHA-256 of the file as it was given, in hex, and the artifact's id."""

    digest: str
    artifact: str


def keep(parts: Parts, db: Store, incident: str, duty: str, path: Path, person: str) -> Proof:
    """Keep the file, and record it in the incident's part of the ledger.

    Raises ProofError for one that is empty or too large, OSError for one that cannot be read.
    """
    begun = parts.now()
    with path.open("rb") as file:
        data = file.read(MOST + 1)
    if not data or len(data) > MOST:
        raise ProofError(f"{path}: a file of 1 byte to {MOST >> 20} MiB was expected as the proof")
    digest = hashlib.sha256(data).hexdigest()
    # Of the file's own name only the ending is kept: the rest may name a person.
    suffix = path.suffix.lower() if _SUFFIX.fullmatch(path.suffix.lower()) else ""
    kind = mimetypes.types_map.get(suffix, "application/octet-stream")
    name = f"{duty.replace('/', '-')}-{digest[:12]}{suffix}"
    item = Item(name, kind, data, True, "stanch.duties.sent")
    custody = locking.custody(parts, db, incident)
    case = db.read(lambda conn: ledger.pseudonym(conn, incident))
    body = deposit(custody, item, Acquisition(SOURCE, duty, case, begun, parts.now()))
    record = Record(person, parts.now, parts.random)
    db.commit(lambda conn: record.note(conn, incident, KIND, body))
    return Proof(digest, body["artifact_id"])
