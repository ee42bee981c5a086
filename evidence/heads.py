"""How many entries each case of a ledger had at one moment, as one hash that shows no case.

A head is a case's last entry: `case` (pseudonym), `case_seq`, `leaf` (its leaf hash). The heads of
all cases, sorted by pseudonym, are the leaves of a Merkle tree (RFC 6962 section 2.1), each as
canonical JSON. A ledger entry of kind `heads` states the tree: `entries`, the size of the ledger
whose cases are counted, `cases` and `root`. So it follows from the first `entries` of the ledger
alone, and one head can be shown without the others. Standard library only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evidence.errors import BundleError
from evidence.merkle import inclusion_proof, leaf_hash, node_hash, root_of, verify_inclusion
from evidence.strict_json import canonical_form

KIND = "heads"


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a case: pseudonym, its place in the case (from 0), 32-byte leaf hash."""

    case: str
    case_seq: int
    leaf: bytes

    def members(self) -> dict[str, Any]:
        """Return the head as it stands in bundles and, as canonical JSON, in the tree."""
        return {"case": self.case, "case_seq": self.case_seq, "leaf": self.leaf.hex()}

    @property
    def hash(self) -> bytes:
        """The hash of its leaf in the tree of heads."""
        return leaf_hash(canonical_form(self.members()))


@dataclass(frozen=True, slots=True)
class Count:
    """What an entry of kind `heads` states of the ledger's first `entries`: cases, and the root."""

    entries: int
    cases: int
    root: bytes

    def body(self) -> dict[str, Any]:
        """Return the entry's body."""
        return {"entries": self.entries, "cases": self.cases, "root": self.root.hex()}


def count_of(heads: Sequence[Head], entries: int) -> Count:
    """Return what is stated of a ledger of so many entries; `heads` are sorted by case."""
    return Count(entries, len(heads), root_of(head.hash for head in heads))


def path_to(heads: Sequence[Head], place: int) -> list[bytes]:
    """Return the inclusion path of the head at `place`; `heads` are sorted by case."""
    levels = [[head.hash for head in heads]]
    while len(below := levels[-1]) > 1:
        levels.append([node_hash(*two) for two in zip(below[::2], below[1::2], strict=False)])
    return inclusion_proof(place, len(heads), lambda level, index: levels[level][index])


def check_head(head: Head, place: int, path: Sequence[bytes], count: Count) -> None:
    """Check that a head is in the tree that an entry states.

    Raises:
        ProofError: when it is not.
    """
    verify_inclusion(head.hash, place, count.cases, path, count.root)


def read_count(body: Mapping[str, Any]) -> Count:
    """Read the body of an entry of kind `heads`.

    Raises:
        BundleError: when it is malformed.
    """
    if body.keys() != {"entries", "cases", "root"}:
        raise BundleError("states not exactly entries, cases and root")
    entries, cases = body["entries"], body["cases"]
    if type(entries) is not int or type(cases) is not int or not 0 < cases <= entries:
        raise BundleError("states a number of cases or entries that cannot be")
    return Count(entries, cases, read_hash(body["root"]))


def read_head(members: object) -> Head:
    """Read a head as `Head.members` has it.

    Raises:
        BundleError: when it is malformed.
    """
    if not isinstance(members, dict) or members.keys() != {"case", "case_seq", "leaf"}:
        raise BundleError("has a head without exactly case, case_seq and leaf")
    case, number = members["case"], members["case_seq"]
    if not isinstance(case, str) or type(number) is not int or number < 0:
        raise BundleError("has a head with a malformed case or case_seq")
    return Head(case, number, read_hash(members["leaf"]))


def read_hash(text: object) -> bytes:
    """Return the 32 bytes that stand as 64 lower-case hex digits.

    Raises:
        BundleError: when they do not.
    """
    try:
        data = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        data = b""
    if len(data) != 32 or data.hex() != text:
        raise BundleError("has a hash that is not 64 hex digits")
    return data
