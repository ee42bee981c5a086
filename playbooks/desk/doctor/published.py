"""Where the ledger is published: reachable, and of one mind with it."""

from collections.abc import Iterator

from sqlalchemy import Connection

from evidence import ledger
from evidence.errors import LedgerError, NoteError
from evidence.note import Checkpoint, unverified_checkpoint
from evidence.tiles import CHECKPOINT
from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place
from playbooks.wiring.publishes import open_place


def published(place: Place) -> Iterator[Finding]:
    """Say whether what is published is the beginning of the ledger; nothing where nothing is."""
    settings = place.settings
    at = open_place(settings, place.sessions()) if settings.publishing else None
    if settings.publishing is None or at is None:
        return
    # What cannot be read raises, says what to do, and is told.
    note, uri = at.read(CHECKPOINT), settings.publishing.uri
    if note is None:
        yield warn(
            "published",
            f"nothing is published at {uri} yet",
            "`stanch serve` publishes each head; `stanch publish` does so once.",
        )
        return
    if (size := place.store().read(lambda conn: _same(conn, note, settings.origin))) is None:
        yield bad(
            "published",
            f"what is published at {uri} is not the beginning of this ledger",
            "An old copy of the database was restored, or somebody else published there. Nothing "
            "is published any more. Compare backups, and see docs/operations/ledger.md.",
        )
        return
    yield ok("published", f"{size} entries at {uri}, as the ledger holds them")


def _same(conn: Connection, note: bytes, origin: str) -> int | None:
    """Return the size that is published, None where the ledger has another tree there."""
    try:
        head = unverified_checkpoint(note.decode())
        here: Checkpoint = ledger.head_at(conn, origin, head.size)
    except (UnicodeDecodeError, NoteError, LedgerError):
        return None
    return head.size if head == here else None
