"""Each entry's proof in a file of its own: it holds alone, and no byte of it may change."""

import base64
import hashlib
import json
import random
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from evidence import bag
from evidence.errors import EvidenceError, NoteError, ProofError
from evidence.merkle import inclusion_proof, leaf_hash, root_of
from evidence.note import (
    Checkpoint,
    checkpoint_text,
    open_checkpoint,
    parse_checkpoint,
    sign_note,
    signer_of,
)
from evidence.tlog_proof import LogProof, check_proof, read_proof, write_proof
from evidence.verify import verify_bundle
from tests.evidence.chamber import ORIGIN
from tests.evidence.forgery import read_lines, rebag, restate

LOG = signer_of(ORIGIN, Ed25519PrivateKey.generate())
hashes = st.binary(min_size=32, max_size=32)


def note_over(leaves):
    return sign_note(checkpoint_text(Checkpoint(ORIGIN, len(leaves), root_of(leaves))), LOG)


@given(st.lists(hashes, min_size=1, max_size=40), st.data())
def test_a_proof_holds_for_its_own_leaf_and_for_no_other(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))

    def node(level, at):
        return root_of(leaves[at << level : (at + 1) << level])

    path = inclusion_proof(index, len(leaves), node)
    written = write_proof(index, path, note_over(leaves))
    proof = read_proof(written)
    assert proof == LogProof(index, tuple(path), note_over(leaves))
    assert write_proof(proof.index, proof.path, proof.note) == written
    check_proof(proof, leaves[index])
    with pytest.raises(ProofError):
        check_proof(proof, hashlib.sha256(leaves[index]).digest())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"c2sp.org/tlog-proof@v1",
        b"c2sp.org/tlog-proof@v1\nindex 0\n",
        b"c2sp.org/tlog-proof@v2\nindex 0\n\nx",
        b"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 0\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 00\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex -1\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 0\n!\n\nx",
        b"c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\nx",
        b"c2sp.org/tlog-proof@v1\nindex 0\n\n\xff",
        b"c2sp.org/tlog-proof@v1\nindex 0\n" + b"A" * 43 + b"=\n" * 1 + b"A" * (1 << 18),
        b"c2sp.org/tlog-proof@v1\nindex 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\nx",
    ],
    ids=range(14),
)
def test_what_is_no_proof_is_refused(data):
    with pytest.raises((ProofError, NoteError)):
        read_proof(data)


def test_the_proofs_of_a_bundle_hold_by_what_the_specification_says_alone(original):
    chamber, bundle = original
    entries = {line["index"]: line["leaf"].encode() for line in read_lines(bundle, bag.ENTRIES)}
    files = sorted((bundle / bag.PROOF_FILES).iterdir())
    assert sorted(int(path.name.removesuffix(".tlog-proof")) for path in files) == sorted(entries)
    for path in files:
        text = path.read_text()
        head, note = text.split("\n\n", 1)
        first, second, *steps = head.split("\n")
        assert first == "c2sp.org/tlog-proof@v1"
        index = int(second.removeprefix("index "))
        assert path.name == f"{index}.tlog-proof"
        assert note == (bundle / bag.CHECKPOINT).read_text()
        checkpoint = open_checkpoint(note, chamber.log.verifier)
        # From the leaf up, over a tree that is split at powers of two: RFC 6962 section 2.1.1.
        assert climb(leaf_hash(entries[index]), index, checkpoint.size, steps) == checkpoint.root


def climb(found, index, size, steps):
    if size == 1:
        assert steps == []
        return found
    half = 1 << ((size - 1).bit_length() - 1)
    step = base64.b64decode(steps[-1])
    if index < half:
        left, right = climb(found, index, half, steps[:-1]), step
    else:
        left, right = step, climb(found, index - half, size - half, steps[:-1])
    return hashlib.sha256(b"\x01" + left + right).digest()


def test_every_byte_of_a_proof_matters_even_to_the_holder_of_the_manifest_key(original, copy):
    chamber, _ = original
    path = copy / bag.PROOF_FILES / "4.tlog-proof"
    good = path.read_bytes()
    chance = random.Random(4)
    for at in {0, 22, 29, 30, len(good) - 1, *(chance.randrange(len(good)) for _ in range(40))}:
        path.write_bytes(
            good[:at] + bytes([good[at] ^ (1 << chance.randrange(8))]) + good[at + 1 :]
        )
        rebag(copy)
        restate(copy, chamber.signer)
        verdict = verify_bundle(copy, chamber.trust)
        assert verdict.exit_code == 1, at
        assert {problem.file for problem in verdict.problems} == {f"{bag.PROOF_FILES}4.tlog-proof"}


def exchange(proofs):
    one, two = proofs / "2.tlog-proof", proofs / "3.tlog-proof"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def put_checkpoint(change):
    def forge(proofs):
        path = proofs / "3.tlog-proof"
        head, note = path.read_text().split("\n\n", 1)
        path.write_text(f"{head}\n\n{change(note)}")

    return forge


def signed_by_another(note):
    return sign_note(note.rpartition("\n\n")[0] + "\n", LOG)


def another_tree(note):
    head = parse_checkpoint(note.rpartition("\n\n")[0] + "\n")
    return note.replace(f"\n{head.size}\n", f"\n{head.size + 1}\n")


FORGERIES = {
    "exchanged": (exchange, 1, "is the proof of entry 3"),
    "dropped": (lambda proofs: (proofs / "3.tlog-proof").unlink(), 2, "is missing"),
    "of no entry": (
        lambda proofs: shutil.copy(proofs / "3.tlog-proof", proofs / "1.tlog-proof"),
        1,
        "is the proof of no entry in the bundle",
    ),
    "no proof": (lambda proofs: (proofs / "x.html").write_text(""), 1, "is none of the files"),
    "of another tree": (put_checkpoint(another_tree), 1, "holds another checkpoint"),
    "of another log": (put_checkpoint(signed_by_another), 1, "holds a signature of 'log.example"),
}


@pytest.mark.parametrize(("forge", "code", "said"), FORGERIES.values(), ids=FORGERIES)
def test_the_holder_of_the_manifest_key_cannot_change_proofs(original, copy, forge, code, said):
    forge(copy / bag.PROOF_FILES)
    rebag(copy)
    restate(copy, original[0].signer)
    verdict = verify_bundle(copy, original[0].trust)
    assert verdict.exit_code == code
    assert all(problem.file.startswith(bag.PROOF_FILES) for problem in verdict.problems)
    assert said in verdict.problems[0].what


def test_a_proof_fails_without_its_leaf(original):
    line = json.loads((original[1] / bag.ENTRIES).read_bytes().split(b"\n")[0])
    proof = read_proof((original[1] / bag.PROOF_FILES / "0.tlog-proof").read_bytes())
    check_proof(proof, leaf_hash(line["leaf"].encode()))
    with pytest.raises(EvidenceError, match="leads to root"):
        check_proof(proof, leaf_hash(line["leaf"].encode() + b" "))
