"""Witnesses: reachable, and of one mind with the ledger; and the signer's memory of it."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection

from evidence import ledger
from evidence.cosignature import parse_cosigner
from evidence.errors import BehindError, LedgerError
from evidence.ledger_witness import cosigned_last
from playbooks.case.witnessing import asked
from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place, lasted
from playbooks.wiring import keyring
from playbooks.wiring.trusting import policy_of


def signer(place: Place) -> Iterator[Finding]:
    """Say whether the ledger still holds what the signer signed last."""
    known = place.settings
    log = keyring.load(known.home / "keys", known.origin, signer=known.signer).log
    last = log.last()
    db = place.store()

    def holds(conn: Connection) -> bool:
        return ledger.head_at(conn, log.verifier.name, last.size) == last

    try:
        same = db.read(holds)
    except (BehindError, LedgerError):
        same = False
    if same:
        yield ok("signer", f"the ledger holds the {last.size} entries that were signed")
    else:
        yield bad(
            "signer",
            f"{last.size} entries were signed, and the ledger does not hold them as they were",
            "It was truncated, altered, or an old copy was restored: nothing is signed any more. "
            "Keep it as it is and see docs/operations/witness.md.",
        )


def policy(place: Place) -> Iterator[Finding]:
    """Say who must have cosigned for a bundle to be plainly valid."""
    settings = place.settings
    if not settings.witnesses:
        yield warn(
            "witnesses",
            "nobody outside cosigns the ledger's heads, so no bundle is plainly valid",
            "Have somebody run one (docs/operations/witness.md), and add it to [witnesses].",
        )
        return
    ring = keyring.load(settings.home / "keys", settings.origin, signer=settings.signer)
    policy_of(settings, ring)
    terms = settings.witness_policy
    needed = str(terms.file) if terms.file else f"{terms.needed} of {len(settings.witnesses)}"
    yield ok("witnesses", f"{needed} needed")


def witness(place: Place, name: str) -> Iterator[Finding]:
    """Ask a witness for the newest head, as a seal does, and say what it answers."""
    terms, check, db = place.settings.witnesses[name], f"witness {name}", place.store()
    last = db.read(lambda conn: cosigned_last(conn, parse_cosigner(terms.vkey)))
    kept = "never cosigned"
    if last:
        since = place.now() - datetime.fromtimestamp(last[1], UTC)
        kept = f"cosigned {last[0]} entries {lasted(since)} ago"
    try:
        newest = db.read(ledger.latest_checkpoint)
    except LedgerError:
        yield ok(check, "nothing to cosign yet")
        return
    found = asked(db, name, terms, newest, [])
    if found.refused:
        yield bad(check, found.why, "See docs/operations/witness.md; sign nothing until then.")
    elif found.why:
        yield warn(check, f"{found.why}; {kept}", "Bundles are unwitnessed until it answers.")
    else:
        yield ok(check, f"answers; {kept}")
