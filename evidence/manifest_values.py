"""What a manifest says besides plain texts: how it was sealed, what is missing, what was claimed.

Each value has one form as JSON; reading raises ValueError, TypeError or KeyError for any other.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evidence.leaf import is_stamp

ENCRYPTION = "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM"
KEY_WRAP = "A256KW"
# Wrapped twice: by a key of the artifact's own, which can be erased, then by the wrapping key.
ERASABLE_WRAP = "A256KW+A256KW"
# The same, with a wrapping key in a service: in its own form of ciphertext.
SERVICE_WRAPS = ("A256KW+vault-transit", "A256KW+awskms")

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a sensitive artifact was sealed: key reference, the wrapped data key in hex, and how.

    `wrap` is `ERASABLE_WRAP` or one of `SERVICE_WRAPS`, or `KEY_WRAP` in manifests from before
    there were erasable keys.
    """

    key: str
    wrapped_key: str
    wrap: str = KEY_WRAP

    @property
    def erasable(self) -> bool:
        """Whether a key of the artifact's own lies between."""
        return self.wrap != KEY_WRAP

    def members(self) -> dict[str, str]:
        """Return it as JSON."""
        wrapped = {"wrap": self.wrap, "wrapped_key": self.wrapped_key}
        return {"alg": ENCRYPTION, "key": self.key} | wrapped


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes that the source did not give, and that are kept as zeros: where, how many, and why."""

    start: int
    size: int
    why: str

    def members(self) -> dict[str, str]:
        """Return it as JSON."""
        return {"start": str(self.start), "size": str(self.size), "why": self.why}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a multipart upload: its bytes, and their SHA-256 in hex.

    The store's own checksum of such an object is over these digests, not over the object's bytes
    (Amazon S3 User Guide, "Checking object integrity"), so it never equals the artifact's.
    """

    size: int
    sha256: str

    def members(self) -> dict[str, str]:
        """Return it as JSON."""
        return {"size": str(self.size), "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody else states of the content, and Stanch only records: who, what, and the value.

    For one the hashes inside a disk image, or the digest that a host computed before it sent.
    """

    by: str
    name: str
    value: str

    def members(self) -> dict[str, str]:
        """Return it as JSON."""
        return {"by": self.by, "name": self.name, "value": self.value}


@dataclass(frozen=True, slots=True)
class Origin:
    """An artifact that another one was made from: its id, and its manifest's SHA-256 in hex."""

    artifact_id: str
    manifest_sha256: str

    def members(self) -> dict[str, str]:
        """Return it as JSON."""
        return {"artifact_id": self.artifact_id, "manifest_sha256": self.manifest_sha256}


@dataclass(frozen=True, slots=True)
class Derived:
    """How an artifact was made from others: from which, by what, and after which map.

    `map_sha256` is the stored SHA-256 of the artifact that says what was changed, None without.
    """

    origins: tuple[Origin, ...]
    tool: str
    tool_version: str
    map_sha256: str | None = None

    def members(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "from": [origin.members() for origin in self.origins],
            "tool": {"name": self.tool, "version": self.tool_version},
            "map_sha256": self.map_sha256,
        }


def read_encryption(members: Mapping[str, Any] | None) -> Encryption | None:
    """Return how an artifact was sealed, None where it was not."""
    if members is None:
        return None
    if members["wrap"] not in (KEY_WRAP, ERASABLE_WRAP, *SERVICE_WRAPS):
        raise ValueError("not a way of wrapping keys that is known")
    return Encryption(text(members["key"]), hexed(members["wrapped_key"]), text(members["wrap"]))


def read_gaps(values: Sequence[Mapping[str, Any]]) -> tuple[Gap, ...]:
    """Return the gaps of an artifact."""
    return tuple(Gap(size(v["start"]), size(v["size"]), text(v["why"])) for v in values)


def read_parts(values: Sequence[Mapping[str, Any]]) -> tuple[Part, ...]:
    """Return the parts of an upload."""
    return tuple(Part(size(v["size"]), sha256(v["sha256"])) for v in values)


def read_claims(values: Sequence[Mapping[str, Any]]) -> tuple[Claim, ...]:
    """Return what others claim."""
    return tuple(Claim(text(v["by"]), text(v["name"]), text(v["value"])) for v in values)


def read_derived(members: Mapping[str, Any] | None) -> Derived | None:
    """Return what an artifact was made from, None where it was collected."""
    if members is None:
        return None
    origins = tuple(
        Origin(_artifact_id(v["artifact_id"]), sha256(v["manifest_sha256"]))
        for v in members["from"]
    )
    if not origins or len(set(origins)) < len(origins):
        raise ValueError("derived from nothing, or twice from one")
    tool, described = members["tool"], members["map_sha256"]
    made = None if described is None else sha256(described)
    return Derived(origins, text(tool["name"]), text(tool["version"]), made)


def text(value: object) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise TypeError("not text")
    return value


def optional(value: object) -> str | None:
    """Return a text that says something, or None."""
    if value == "":
        raise ValueError("an empty text; expected null")
    return None if value is None else text(value)


def time(value: object) -> str:
    """Return a time in RFC 3339, UTC, microseconds."""
    if not is_stamp(value):
        raise ValueError("not a time in RFC 3339, UTC, microseconds")
    return text(value)


def flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise TypeError("not true or false")
    return value


def hexed(value: object) -> str:
    """Return bytes in hex, one at least."""
    if not re.fullmatch("([0-9a-f]{2})+", text(value)):
        raise ValueError("not bytes in hex")
    return text(value)


def sha256(value: object) -> str:
    """Return a SHA-256 in hex."""
    if not _SHA256.fullmatch(text(value)):
        raise ValueError("not a SHA-256 in hex")
    return text(value)


def size(value: object) -> int:
    """Return a size that stands in decimal."""
    if not _SIZE.fullmatch(text(value)):
        raise ValueError("not a size in decimal")
    return int(text(value))


def _artifact_id(value: object) -> str:
    if not _ID.fullmatch(text(value)):
        raise ValueError("not an artifact's id")
    return text(value)
