"""A witness: it cosigns what extends what it saw, answers as C2SP has it, and never forgets."""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.cosignature import cosigned
from evidence.errors import NoteError, WitnessError
from evidence.note import checkpoint_text, sign_note, signer_of, vkey
from evidence.witness import SIZE, Witness, read_request, request_body
from evidence.witness_folder import CONFIG, KEY, STATE, Config, create_witness, open_witness
from tests.evidence.growing_log import LOG, GrowingLog, noise

AT = 1_790_000_000
OTHER = signer_of("log.example/other", Ed25519PrivateKey.from_private_bytes(bytes([4] * 32)))
CONFIGURED = Config("witness.example/one", (vkey(LOG.verifier), vkey(OTHER.verifier)))


@pytest.fixture
def folder(tmp_path):
    create_witness(tmp_path / "witness", CONFIGURED)
    return tmp_path / "witness"


@pytest.fixture
def witness(folder) -> Witness:
    return open_witness(folder, CONFIGURED, lambda: AT)


def ask(witness, log, old, size=None, proof=None, note=None):
    proof = log.prove(old, size) if proof is None else proof
    return witness.add_checkpoint(request_body(old, proof, note or log.note(size)))


def size_seen(witness) -> int:
    with witness.state.turn() as turn:
        return turn.last(LOG.verifier.name).size


def contradictions(witness) -> list[str]:
    with witness.state.turn() as turn:
        return [one.note for one in turn.contradictions()]


def test_each_extension_is_cosigned_and_kept(witness):
    log, old = GrowingLog(), 0
    for count in (1, 2, 5, 8, 1):
        log.grow(count)
        answer = ask(witness, log, old)
        assert answer.status == 200
        known = [witness.key.cosigner]
        assert cosigned(log.note() + answer.body, known) == {witness.key.cosigner: AT}
        old = len(log.leaves)
        assert size_seen(witness) == old


def test_the_same_head_is_cosigned_again(witness):
    log = GrowingLog().grow(4)
    assert ask(witness, log, 0).status == 200
    assert ask(witness, log, 4).status == 200


def test_another_old_size_gets_the_size_that_was_seen(witness):
    log = GrowingLog().grow(9)
    ask(witness, log, 0, 5)
    for old in (0, 1, 4, 6, 9):
        answer = ask(witness, log, old)
        assert (answer.status, answer.body, answer.kind) == (409, "5\n", SIZE)
    assert ask(witness, log, 5).status == 200


def test_a_rollback_is_refused_whatever_old_size_it_claims(witness):
    log = GrowingLog().grow(9)
    ask(witness, log, 0)
    for old in range(7):
        answer = ask(witness, log, old, 6)
        assert (answer.status, answer.body) == (409, "9\n")
    assert size_seen(witness) == 9


def test_a_fork_of_the_same_size_is_refused_and_kept_as_proof(witness):
    log = GrowingLog().grow(9)
    ask(witness, log, 0)
    fork = log.fork(6, 3)
    answer = witness.add_checkpoint(request_body(9, [], fork.note()))
    assert (answer.status, answer.body) == (409, "9\n")
    assert contradictions(witness) == [fork.note()]


@pytest.mark.parametrize("at", range(9))
def test_a_fork_that_grew_on_is_refused_and_kept_as_proof(witness, at):
    log = GrowingLog().grow(9)
    ask(witness, log, 0)
    fork = log.fork(at, 14 - at)
    assert ask(witness, fork, 9).status == 422
    assert ask(witness, fork, 9).status == 422
    assert contradictions(witness) == [fork.note()]
    assert size_seen(witness) == 9


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(0, 40),
    st.integers(0, 6),
    st.sampled_from(["cut", "more", "turned", "other"]),
)
def test_no_wrong_proof_is_taken(tmp_path_factory, old, more, at, how):
    folder = tmp_path_factory.mktemp("w") / "w"
    create_witness(folder, CONFIGURED)
    witness = open_witness(folder, CONFIGURED, lambda: AT)
    log = GrowingLog().grow(old + more)
    assert ask(witness, log, 0, old).status == 200
    proof = log.prove(old)
    wrong = list(proof)
    if how == "cut":
        wrong = wrong[:-1]
    elif how == "more":
        wrong.insert(at, noise(at))
    elif how == "turned":
        wrong = wrong[::-1]
    elif wrong:
        wrong[at % len(wrong)] = noise(at)
    status = ask(witness, log, old, proof=wrong).status
    assert status == (200 if wrong == proof else 422)
    assert size_seen(witness) == (old + more if wrong == proof else old)


def test_a_proof_from_nothing_must_be_empty(witness):
    assert ask(witness, GrowingLog().grow(3), 0, proof=[noise(1)]).status == 422


def test_only_the_log_s_own_signature_counts(witness):
    log = GrowingLog().grow(3)
    text = checkpoint_text(log.head())
    stranger = signer_of(LOG.verifier.name, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    changed = log.note().replace(LOG.verifier.name + "\n3", LOG.verifier.name + "\n4")
    for note in (sign_note(text, stranger), sign_note(text, OTHER), changed):
        assert witness.add_checkpoint(request_body(0, [], note)).status == 403
    both = log.note() + sign_note(text, stranger).rpartition("\n\n")[2]
    assert witness.add_checkpoint(request_body(0, [], both)).status == 200


def test_an_unknown_log_is_not_found(witness):
    stranger = signer_of("log.example/new", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    assert ask(witness, GrowingLog(signer=stranger).grow(1), 0).status == 404


def test_logs_do_not_mix(witness):
    assert ask(witness, GrowingLog().grow(7), 0).status == 200
    assert ask(witness, GrowingLog(signer=OTHER).grow(2), 0).status == 200
    assert size_seen(witness) == 7


NOTE = GrowingLog().grow(3).note()
HASH = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        b"\xff",
        NOTE.encode(),
        f"old  0\n\n{NOTE}".encode(),
        f"old 00\n\n{NOTE}".encode(),
        f"old -1\n\n{NOTE}".encode(),
        f"old 4\n\n{NOTE}".encode(),
        f"old {10**19}\n\n{NOTE}".encode(),
        f"old\n\n{NOTE}".encode(),
        f"Old 0\n\n{NOTE}".encode(),
        f"old 0\r\n\r\n{NOTE}".encode(),
        f"old 0\n{HASH}=\n\n{NOTE}".encode(),
        f"old 0\n{HASH[:-4]}\n\n{NOTE}".encode(),
        f"old 0\n{HASH} \n\n{NOTE}".encode(),
        f"old 0\n\n\n{NOTE}".encode(),
        f"old 0\n\n{NOTE}x".encode(),
        ("old 0\n" + f"{HASH}\n" * 64 + f"\n{NOTE}").encode(),
    ],
)
def test_a_malformed_request_is_a_bad_one(witness, body):
    assert witness.add_checkpoint(body).status == 400
    assert size_seen(witness) == 0


@given(st.binary() | st.text().map(lambda text: f"old 1\n\n{text}".encode()))
def test_any_bytes_are_a_request_or_an_error(body):
    try:
        read_request(body)
    except NoteError:
        pass


def test_a_request_comes_back(witness):
    log = GrowingLog().grow(37)
    asked = read_request(request_body(11, log.prove(11), log.note()))
    assert (asked.old, list(asked.proof), asked.head) == (11, log.prove(11), log.head())


def test_of_many_at_once_no_one_rolls_another_back(witness):
    log = GrowingLog().grow(24)
    start, told = threading.Barrier(8), []

    def extend(number: int) -> None:
        start.wait()
        for size in range(number + 1, 25, 3):
            old = size_seen(witness)
            if old <= size:
                answer = ask(witness, log, old, size)
                told.append((answer.status, size))
                if answer.status == 200:
                    assert size_seen(witness) >= size

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(extend, range(8)))
    assert {status for status, _ in told} <= {200, 409}
    assert size_seen(witness) == max(size for status, size in told if status == 200)


def test_a_witness_that_lost_its_state_does_not_start(folder, witness):
    ask(witness, GrowingLog().grow(3), 0)
    for path in folder.glob(f"{STATE}*"):
        path.unlink()
    with pytest.raises(WitnessError, match="retire it"):
        open_witness(folder, CONFIGURED, lambda: AT)
    # Nor does one that is at work go on as if new.
    with pytest.raises(WitnessError, match="retire it"):
        ask(witness, GrowingLog().grow(3), 0)
    assert not (folder / STATE).exists()


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\x00", b"x" * 8192])
def test_a_state_that_is_none_does_not_start(folder, data):
    for path in folder.glob(f"{STATE}*"):
        path.unlink()
    (folder / STATE).write_bytes(data)
    with pytest.raises(WitnessError, match="retire it"):
        open_witness(folder, CONFIGURED, lambda: AT)


def test_the_fresh_state_of_another_witness_does_not_stand_in(folder, tmp_path):
    create_witness(tmp_path / "fresh", CONFIGURED)
    (tmp_path / "fresh" / STATE).replace(folder / STATE)
    with pytest.raises(WitnessError, match="another key"):
        open_witness(folder, CONFIGURED, lambda: AT)


@pytest.mark.parametrize("left", [(KEY,), (CONFIG,), (STATE,), (KEY, CONFIG)])
def test_a_witness_is_never_begun_over_another(folder, left):
    for path in list(folder.iterdir()):
        if path.name not in left:
            path.unlink()
    with pytest.raises(WitnessError, match="not empty"):
        create_witness(folder, CONFIGURED)
