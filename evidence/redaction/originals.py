"""Tells which artifacts of a case have a redacted copy that can be given in their place."""

from collections.abc import Iterable

from evidence.custody.statement import REDACTION
from evidence.ledger import Recorded


def redacted_originals(recorded: Iterable[Recorded]) -> tuple[str, ...]:
    """Return the stored SHA-256 of every original that the entries name, sorted."""
    found = set()
    for entry in recorded:
        if entry.leaf.kind == REDACTION and entry.opening is not None:
            said = entry.body["statement"]
            original, copy = (said[role]["stored_sha256"] for role in ("original", "copy"))
            # A copy that lacks nothing is not to be left out with its original.
            found |= {original} - {copy}
    return tuple(sorted(found))
