"""`stanch publish`: put the ledger's newest head, and its tiles, where others read them."""

from playbooks.case import publishing
from playbooks.case.sealing import checkpoint
from playbooks.desk.cli.surroundings import here, out, printable
from playbooks.errors import SettingsError


def publish() -> None:
    """Publish the ledger once, as `stanch serve` does after each checkpoint. No body is in it."""
    settings, parts, db = here()
    place = parts.publishes()
    if place is None or settings.publishing is None:
        raise SettingsError(
            "nothing says where the ledger is published. Add [publishing] with a uri, file:///... "
            "or s3://..., to stanch.toml"
        )
    checkpoint(db, parts)
    signed = publishing.newest(db, parts)
    if signed is None:
        raise SettingsError("the ledger has no entry yet, so there is nothing to publish.")
    new = publishing.put(db, signed, place)
    what = "published" if new else "unchanged"
    out().print(f"{what} {printable(settings.publishing.uri)}: {signed.checkpoint.size} entries")
