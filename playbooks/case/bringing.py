"""Takes a file that a person brings into custody: who brought it, and on what authority, signed.

The artifact is stored first; it is evidence of the case once its entry is committed, and nothing
shows it before. What a crash leaves in the locker is named by nothing. Each time is a new
acquisition, kept beside the earlier ones: a live disk is never the same twice.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from evidence import ledger
from evidence.custody.record import record_all
from evidence.custody.signing import sign, state
from evidence.custody.state import LOCKER
from evidence.custody.statement import BROUGHT
from evidence.deposit import KIND, Acquisition, deposit
from evidence.errors import CustodyError
from evidence.jws_token import PublicKey
from evidence.signatures import MAX_TEXT
from evidence.sources.brought import BroughtFile
from playbooks.case import locking, store
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts

# What of an artifact is signed for.
KEPT = ("artifact_id", "stored_sha256", "manifest_sha256", "size")


@dataclass(frozen=True, slots=True)
class Bringing:
    """Who brings a file, what it is called, where it comes from, and on what authority."""

    incident: str
    person: str
    name: str
    origin: str
    authority: str
    sensitive: bool
    key: Any = field(repr=False, compare=False)


def bring(
    parts: Parts, db: Store, file: BroughtFile, about: Bringing, people: dict[str, PublicKey]
) -> dict[str, Any]:
    """Store the file, then record it with the person's statement; return what was recorded of it.

    Raises:
        LockerError: when it cannot be stored.
        CustodyError, LedgerError: when it cannot be recorded.
    """
    if not all(0 < len(text) <= MAX_TEXT for text in (about.origin, about.authority)):
        # Before it is read: that may take hours.
        raise CustodyError(f"where it comes from, and on what authority, in 1 to {MAX_TEXT} signs")
    custody = locking.custody(parts, db, about.incident)
    pseudonym = db.read(lambda conn: ledger.pseudonym(conn, about.incident))
    start = parts.now()
    taken = Acquisition(file.name, about.origin, pseudonym, start, start, now=parts.now)
    body = deposit(custody, file.item(about.name, about.sensitive), taken)
    body |= {
        "authority": about.authority,
        "compared": file.compared(),
        "notes": file.notes,
        "stable": file.stable(),
        "gaps": str(len(file.all_gaps())),
    }
    now = parts.now()
    said = state(
        BROUGHT,
        pseudonym,
        now,
        about.authority,
        origin=about.origin,
        kept=[{name: body[name] for name in KEPT}],
    )
    signed = {"statement": dict(said), "signatures": [sign(said, about.person, about.key)]}
    # Who brought it stands in the statement alone, where it can be withheld.
    salted = [
        (ledger.Entry(kind, about.incident, told, actor, now), parts.random(32))
        for kind, told, actor in ((KIND, body, LOCKER), (BROUGHT, signed, about.person))
    ]

    def work(conn: Connection) -> None:
        record_all(conn, about.incident, salted, people, record_time=now)
        step = f"keep/{file.name}/{body['artifact_id']}"
        store.keep(conn, about.incident, step, {"artifacts": [body], "missed": []})

    db.commit(work)
    locking.late(parts, db, about.incident, custody)
    return body | {"brought_by": about.person}
