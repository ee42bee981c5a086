"""Which forensic container a file is, by its first bytes, and what that says of itself. Pure."""

from evidence.sources.aff4_claims import aff4_claims
from evidence.sources.container import ReadAt, Said
from evidence.sources.ewf_claims import E01, EWF2, L01, ewf_claims
from evidence.sources.zip_member import MAGIC


def container_claims(read: ReadAt, size: int) -> Said | None:
    """Return what a container of `size` bytes says of itself; None for what is not known as one.

    Never raises for what it reads: what is malformed, or cannot be read, is a note.
    """
    try:
        first = read(0, 8)
        if first in (E01, L01):
            return ewf_claims(read, size)
        if first in EWF2:
            return Said("EWF2", notes=["what it says of itself is not read: its form is EWF2"])
        if first.startswith(MAGIC):
            return aff4_claims(read, size)
    except OSError as error:
        return Said("unread", notes=[f"what it says of itself cannot be read: {error.strerror}"])
    return None
