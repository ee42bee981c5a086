"""What a source gives: an item it could read, or the note that it could not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from evidence.manifest_values import Claim, Derived, Gap


class Stream(Protocol):
    """Content that is read while it is stored, in blocks; `evidence.ingest.Source` is one."""

    def read(self) -> bytes:
        """Return the next block, of about 1 MiB; empty at the end, and for ever after."""
        ...

    def stable(self) -> bool:
        """Return whether the content stayed the same while it was read."""
        ...

    def all_gaps(self) -> tuple[Gap, ...]:
        """Return what was not given; where the end is missing, the gap lies behind the content."""
        ...


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of evidence: a name unique within the source, its bytes, and the call it is from.

    `sensitive` items are stored encrypted. `call` is `service.operation`, as boto3 names it. What
    may be large has a `stream` instead of `data`: it is read once, before the source goes on.
    `claims` is asked after that for what others state of the content.
    """

    name: str
    media_type: str
    data: bytes
    sensitive: bool
    call: str
    stream: Stream | None = None
    claims: Callable[[], tuple[Claim, ...]] = tuple
    derived: Derived | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """One piece that could not be read, and the provider's error code."""

    name: str
    call: str
    error_code: str
