"""A snapshot's blocks as a Merkle tree that can be gone on with where it was left. Pure.

The leaf of a block is RFC 6962's over its index (8 bytes, most significant first) and the SHA-256
of its bytes; leaves stand in the order of their indexes. Blocks that a snapshot does not have were
never written and read as zeros; they are no leaves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from evidence.errors import SourceError
from evidence.merkle import extend, fold, leaf_hash


@dataclass(frozen=True, slots=True)
class Block:
    """One block as it was read: index, SHA-256 and, where the provider told another, that (hex).

    `told` is empty where the provider told none.
    """

    index: int
    sha256: str
    size: int
    told: str

    @property
    def differs(self) -> bool:
        """Whether the provider's checksum is of other bytes."""
        return bool(self.told) and self.told != self.sha256


@dataclass(frozen=True, slots=True)
class Resume:
    """How far a tree was built: the next block's least index, leaves, and compact range in hex."""

    next_index: int = 0
    leaves: int = 0
    peaks: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"next_index": self.next_index, "leaves": self.leaves, "peaks": list(self.peaks)}

    @property
    def root(self) -> str:
        """The root over the leaves so far, in hex."""
        return fold([bytes.fromhex(peak) for peak in self.peaks]).hex()


def resume_of(said: Mapping[str, Any]) -> Resume:
    """Read what `Resume.json` gave, as an outcome holds it.

    Raises:
        SourceError: when it does not fit together.
    """
    try:
        peaks = tuple(str(peak) for peak in said["peaks"])
        found = Resume(int(said["next_index"]), int(said["leaves"]), peaks)
        sound = all(len(bytes.fromhex(peak)) == 32 for peak in peaks)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError("expected next_index, leaves and peaks of an earlier outcome") from error
    # A compact range has one peak for each bit of its size.
    if not sound or found.leaves.bit_count() != len(peaks) or found.leaves > found.next_index:
        raise SourceError(
            f"{found.leaves} leaves do not have {len(peaks)} peaks; give it unaltered"
        )
    return found


def grown(before: Resume, blocks: Iterable[Block]) -> Resume:
    """Return the tree with these blocks added.

    Raises:
        SourceError: when a block does not come after those before it.
    """
    peaks = [bytes.fromhex(peak) for peak in before.peaks]
    at, leaves = before.next_index, before.leaves
    for block in blocks:
        if block.index < at:
            raise SourceError(f"block {block.index} was listed after {at - 1}")
        leaf = leaf_hash(block.index.to_bytes(8, "big") + bytes.fromhex(block.sha256))
        extend(peaks, leaves, leaf)
        at, leaves = block.index + 1, leaves + 1
    return Resume(at, leaves, tuple(peak.hex() for peak in peaks))
