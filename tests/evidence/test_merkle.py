import hashlib
import random
from itertools import pairwise

import pytest

from evidence.errors import ProofError
from evidence.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    extend,
    fold,
    inclusion_proof,
    leaf_hash,
    node_hash,
    peaks_of,
    root_of,
    verify_consistency,
    verify_inclusion,
)

MANY = [leaf_hash(b"leaf %d" % n) for n in range(1000)]
LEAVES = [leaf_hash(b"entry %d" % n) for n in range(70)]
SIZES = range(len(LEAVES) + 1)


def by_the_book(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(by_the_book(leaves[:k]), by_the_book(leaves[k:]))


ROOTS = [by_the_book(LEAVES[:size]) for size in SIZES]


def node(level: int, index: int) -> bytes:
    return by_the_book(LEAVES[index << level : (index + 1) << level])


def test_the_root_is_the_one_of_the_book_at_every_size():
    assert [root_of(LEAVES[:size]) for size in SIZES] == ROOTS
    assert ROOTS[0] == EMPTY_ROOT == fold([])


def test_each_leaf_completes_the_nodes_that_end_with_it():
    peaks: list[bytes] = []
    for size, leaf in enumerate(LEAVES):
        for level, digest in enumerate(extend(peaks, size, leaf), 1):
            assert digest == node(level, size >> level)
        assert peaks == peaks_of(size + 1, node)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 31, 64, 70])
def test_every_leaf_is_proven_and_no_other_place_leaf_path_or_root_is(size):
    for index in range(size):
        path = inclusion_proof(index, size, node)
        verify_inclusion(LEAVES[index], index, size, path, ROOTS[size])
        wrong = [
            (LEAVES[index - 1] if size > 1 else b"?" * 32, index, size, path, ROOTS[size]),
            (LEAVES[index], index, size, path, ROOTS[size - 1]),
            (LEAVES[index], index, size, [*path, LEAVES[0]], ROOTS[size]),
            (LEAVES[index], index, size, [LEAVES[69], *path[1:], LEAVES[69]], ROOTS[size]),
            (LEAVES[index], size, size, path, ROOTS[size]),
            (LEAVES[index], -1, size, path, ROOTS[size]),
        ]
        if path:
            wrong.append((LEAVES[index], index, size, path[:-1], ROOTS[size]))
            wrong.append((LEAVES[index], index ^ 1, size, path, ROOTS[size]))
        for leaf, at, of, steps, root in wrong:
            with pytest.raises(ProofError):
                verify_inclusion(leaf, at, of, steps, root)


def test_every_tree_extends_every_smaller_one_and_no_other():
    for new in SIZES:
        for old in range(new + 1):
            path = consistency_proof(old, new, node)
            verify_consistency(old, new, ROOTS[old], ROOTS[new], path)
            forged = [
                (ROOTS[old][::-1], ROOTS[new], path),
                (ROOTS[old], ROOTS[new], [*path, LEAVES[0]]),
            ]
            if old:
                forged.append((ROOTS[old], ROOTS[new][::-1], path))
            if path:
                forged.append((ROOTS[old], ROOTS[new], path[:-1]))
                forged.append((ROOTS[old], ROOTS[new], [*path[:-1], LEAVES[0][::-1]]))
            for old_root, new_root, steps in forged:
                with pytest.raises(ProofError):
                    verify_consistency(old, new, old_root, new_root, steps)


def test_an_empty_proof_proves_no_extension():
    with pytest.raises(ProofError, match="is empty"):
        verify_consistency(3, 7, ROOTS[3], ROOTS[7], [])


def test_a_tree_never_extends_a_larger_one():
    for old, new in pairwise(reversed(SIZES)):
        with pytest.raises(ProofError):
            consistency_proof(old, new, node)
        with pytest.raises(ProofError):
            verify_consistency(old, new, ROOTS[old], ROOTS[new], [])


def test_leaves_and_nodes_never_hash_alike():
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_no_proof_of_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ProofError):
        inclusion_proof(index, size, node)


def nodes_of(leaves: list[bytes]) -> dict[tuple[int, int], bytes]:
    """Return every whole node above these leaves, by level and index."""
    found = {(0, index): leaf for index, leaf in enumerate(leaves)}
    level, count = 0, len(leaves)
    while count > 1:
        count //= 2
        for index in range(count):
            left, right = found[level, 2 * index], found[level, 2 * index + 1]
            found[level + 1, index] = node_hash(left, right)
        level += 1
    return found


def test_at_every_size_to_a_thousand_what_is_proven_holds_and_nothing_else():
    """Both ends and others of each day; every index over so many sizes many times."""
    whole = nodes_of(MANY)

    def at(level: int, index: int) -> bytes:
        return whole[level, index]

    roots = [root_of(MANY[:size]) for size in range(len(MANY) + 1)]
    chance = random.Random(len(MANY))
    for size in range(1, len(MANY) + 1):
        for index in {0, size - 1, *(chance.randrange(size) for _ in range(3))}:
            path = inclusion_proof(index, size, at)
            verify_inclusion(MANY[index], index, size, path, roots[size])
            with pytest.raises(ProofError):
                verify_inclusion(MANY[index], index, size, path, roots[size - 1])
            if path:
                path[chance.randrange(len(path))] = leaf_hash(b"another")
                with pytest.raises(ProofError):
                    verify_inclusion(MANY[index], index, size, path, roots[size])
        for old in {1, size, chance.randrange(1, size + 1), (1 << size.bit_length()) >> 1}:
            proof = consistency_proof(old, size, at)
            verify_consistency(old, size, roots[old], roots[size], proof)
            if old < size:
                with pytest.raises(ProofError):
                    verify_consistency(old, size, roots[old - 1], roots[size], proof)
                proof[chance.randrange(len(proof))] = leaf_hash(b"another")
                with pytest.raises(ProofError):
                    verify_consistency(old, size, roots[old], roots[size], proof)
