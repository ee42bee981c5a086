"""What a source gives: an item it could read, or the note that it could not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of evidence: a name unique within the source, its bytes, and the call it is from.

    `sensitive` items are stored encrypted. `call` is `service.operation`, as boto3 names it.
    """

    name: str
    media_type: str
    data: bytes
    sensitive: bool
    call: str


@dataclass(frozen=True, slots=True)
class Missed:
    """One piece that could not be read, and the provider's error code."""

    name: str
    call: str
    error_code: str
