"""What a forensic container says of itself: its form, its own hashes, its acquisition. Pure.

Nothing of it is believed: what is read here becomes claims of a manifest, and what cannot be read
becomes a note. Every read is bounded, for a container is as hostile as what it was taken from.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from evidence.manifest_values import Claim

# Reads at most so many bytes at an offset; fewer at the end. May raise OSError.
ReadAt = Callable[[int, int], bytes]

MOST_CLAIMS = 64
_FARTHEST = 1 << 62
MOST_TEXT = 200


class MalformedError(Exception):
    """A container is not as its form wants it; never leaves this package."""


@dataclass(slots=True)
class Said:
    """What a container of some form says (`claims`), and what of it could not be read (`notes`)."""

    form: str
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, value: str) -> None:
        """Take a claim down, on one line and no longer than `MOST_TEXT`; the same only once."""
        shown = "".join(c if c.isprintable() else "?" for c in value)[:MOST_TEXT]
        claim = Claim(self.form, name, shown)
        if not shown or claim in self.claims:
            return
        if len(self.claims) >= MOST_CLAIMS:
            self.note(f"it says more than {MOST_CLAIMS} things; the rest is left out")
            return
        self.claims.append(claim)

    def note(self, why: str) -> None:
        """Note, once, what could not be read."""
        if why not in self.notes:
            self.notes.append(why)


def exactly(read: ReadAt, at: int, size: int) -> bytes:
    """Return so many bytes at an offset.

    Raises:
        MalformedError: when the container ends before.
    """
    data = read(at, size) if at < _FARTHEST else b""
    if len(data) != size:
        raise MalformedError(f"it ends within {size} bytes at {at}")
    return data
