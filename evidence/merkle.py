"""A Merkle tree whose head commits to every entry and their order (RFC 6962 section 2.1).

Pure: hashes are 32-byte SHA-256 digests, and stored nodes are reached through a function
`node(level, index)` that returns the hash of the complete subtree over the leaves
`[index << level, (index + 1) << level)`. Level 0 are the leaf hashes.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from evidence.errors import ProofError

EMPTY_ROOT = hashlib.sha256(b"").digest()

Node = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one entry's bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an interior node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def extend(peaks: list[bytes], size: int, leaf: bytes) -> list[bytes]:
    """Add a leaf hash to the compact range `peaks` of a tree of `size` leaves, in place.

    `peaks` holds the roots of the complete subtrees, largest first. Returns the hashes of the
    nodes completed by this leaf, level 1 upward; the one at level k has index `size >> k`.
    """
    done: list[bytes] = []
    while size & 1:
        leaf = node_hash(peaks.pop(), leaf)
        done.append(leaf)
        size >>= 1
    peaks.append(leaf)
    return done


def fold(peaks: Sequence[bytes]) -> bytes:
    """Return the root of a tree given as its compact range."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    peaks: list[bytes] = []
    for size, leaf in enumerate(leaves):
        extend(peaks, size, leaf)
    return fold(peaks)


def peaks_of(size: int, node: Node) -> list[bytes]:
    """Return the compact range of the first `size` leaves, read from stored nodes."""
    levels = [level for level in range(size.bit_length()) if size >> level & 1]
    return [node(level, (size >> level) - 1) for level in reversed(levels)]


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Return the audit path of leaf `index` in the tree of `size` leaves (RFC 6962 2.1.1).

    Raises:
        ProofError: when the tree of that size has no such leaf.
    """
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}; expected 0 <= index < size")
    low, high, path = 0, size, []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_subtree(middle, high, node))
            high = middle
        else:
            path.append(_subtree(low, middle, node))
            low = middle
    return path[::-1]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """Return the proof that the tree of `new` leaves extends that of `old` (RFC 6962 2.1.2).

    From an empty tree the proof is empty (C2SP tlog-witness).

    Raises:
        ProofError: when `old` is larger than `new` or negative.
    """
    if not 0 <= old <= new:
        raise ProofError(f"no proof from size {old} to {new}; expected 0 <= old <= new")
    if old in (0, new):
        return []
    low, high, path, whole = 0, new, [], True
    while old < high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_subtree(middle, high, node))
            high = middle
        else:
            path.append(_subtree(low, middle, node))
            low, whole = middle, False
    if not whole:
        path.append(_subtree(low, high, node))
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that the leaf hash `leaf` is entry `index` of the tree (RFC 9162 section 2.1.3.2).

    Raises:
        ProofError: when the path has another length or leads to another root.
    """
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}; expected 0 <= index < size")
    place, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise ProofError(f"inclusion proof of leaf {index} is longer than the tree is high")
        if place & 1 or place == last:
            found = node_hash(step, found)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofError(f"inclusion proof of leaf {index} is shorter than the tree is high")
    if found != root:
        raise ProofError(
            f"inclusion proof of leaf {index} leads to root {found.hex()}, expected {root.hex()}"
        )


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Check that the tree (`new`, `new_root`) extends (`old`, `old_root`) (RFC 9162 2.1.4.2).

    Raises:
        ProofError: when it is smaller, forked, or the proof does not fit.
    """
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} leaves cannot extend one of {old}")
    if old in (0, new):
        known = EMPTY_ROOT if old == 0 else new_root
        if path or old_root != known:
            raise ProofError(f"trees of {old} and {new} leaves do not agree on the root at {old}")
        return
    # An old tree that is one complete subtree is itself the first node of the path.
    steps = [old_root, *path] if old & (old - 1) == 0 else list(path)
    if not steps:
        raise ProofError(f"consistency proof from {old} to {new} is empty")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    was = now = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofError(f"consistency proof from {old} to {new} is too long")
        if place & 1 or place == last:
            was, now = node_hash(step, was), node_hash(step, now)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            now = node_hash(now, step)
        place, last = place >> 1, last >> 1
    if last or was != old_root or now != new_root:
        raise ProofError(
            f"the tree of {new} leaves does not extend the one of {old}: "
            f"proof gives {was.hex()} and {now.hex()}, "
            f"expected {old_root.hex()} and {new_root.hex()}"
        )


def _split(width: int) -> int:
    """Return the largest power of two smaller than `width` (RFC 6962 section 2.1)."""
    return 1 << ((width - 1).bit_length() - 1)


def _subtree(low: int, high: int, node: Node) -> bytes:
    width = high - low
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return node(level, low >> level)
    middle = low + _split(width)
    return node_hash(_subtree(low, middle, node), _subtree(middle, high, node))
