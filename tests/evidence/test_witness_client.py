"""Asking witnesses: back to the size they name, never around what they refuse, and what is kept."""

import contextlib
import shutil
import socket
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from evidence import ledger
from evidence.cosignature import cosign, cosigned, cosigner_vkey, cosigning_key
from evidence.errors import BehindError, ForkError, WitnessError
from evidence.ledger_schema import checkpoints
from evidence.ledger_witness import add_cosignature, checkpoint_over, cosigned_last, witnessed
from evidence.note import checkpoint_text, sign_note, unverified_checkpoint, vkey
from evidence.policy import parse_policy
from evidence.witness import SIZE
from evidence.witness_client import Answered, Cosignature, ask, poster
from evidence.witness_command import listening
from evidence.witness_folder import Config, create_witness
from tests.evidence.chamber import make_chamber
from tests.evidence.growing_log import LOG, GrowingLog

NAME = "witness.example/one"


@contextlib.contextmanager
def witness(folder, log=LOG):
    """Yield a witness's cosigner, and what posts to it over HTTP."""
    if not folder.exists():
        create_witness(folder, Config(NAME, (vkey(log.verifier),), port=0))
    with listening(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.witness.key.cosigner, poster(server.url, None, 10)
        finally:
            server.shutdown()
            thread.join()


def test_heads_are_cosigned_from_whatever_size_the_witness_is_at(tmp_path):
    log = GrowingLog()
    with witness(tmp_path / "w") as (cosigner, post):
        for count, old in ((3, 0), (4, 3), (5, 0), (6, 99), (7, 1), (0, 5)):
            log.grow(count)
            given = ask(cosigner, post, log.note(), log.prove, old)
            assert given.size == len(log.leaves)
            assert cosigned(log.note() + given.line, [cosigner]) == {cosigner: given.at}


def test_a_smaller_ledger_hears_of_the_larger_one(tmp_path):
    log = GrowingLog().grow(9)
    with witness(tmp_path / "w") as (cosigner, post):
        ask(cosigner, post, log.note(), log.prove, 0)
        for old in (0, 6, 9):
            with pytest.raises(BehindError, match="9 entries, the ledger has 6") as refused:
                ask(cosigner, post, log.note(6), lambda o, n: log.prove(o, n), old)
            assert refused.value.size == 9


@pytest.mark.parametrize("size", [9, 12])
def test_a_fork_is_called_one(tmp_path, size):
    log = GrowingLog().grow(9)
    with witness(tmp_path / "w") as (cosigner, post):
        ask(cosigner, post, log.note(), log.prove, 0)
        fork = log.fork(4, size - 4)
        for old in (0, 9):
            with pytest.raises(ForkError, match=r"another ledger|does not extend"):
                ask(cosigner, post, fork.note(), fork.prove, old)


def test_a_witness_that_is_away_is_said_to_be(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        post = poster(f"http://127.0.0.1:{taken.getsockname()[1]}", None, 1)
        with pytest.raises(WitnessError, match="cannot be asked"):
            post(b"")


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1", "ftp://127.0.0.1", "127.0.0.1", "", "http://127.0.0.1.example"]
)
def test_nothing_is_sent_in_the_clear_beyond_loopback(url):
    with pytest.raises(WitnessError, match="expected https"):
        poster(url, None, 1)


LOGGED = GrowingLog().grow(5)
KEY = cosigning_key(NAME, Ed25519PrivateKey.from_private_bytes(bytes([9] * 32)))
OTHER = cosigning_key(NAME, Ed25519PrivateKey.from_private_bytes(bytes([10] * 32)))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answered(200, "", b""), "another key"),
        (Answered(200, "", b"\xff\n"), "wrong cosignature"),
        (Answered(200, "", b"nonsense\n"), "wrong cosignature"),
        (Answered(409, "text/plain", b"3\n"), "answered 409"),
        (Answered(409, SIZE, b"x\n"), "without a size"),
        (Answered(409, SIZE, b"03\n"), "without a size"),
        (Answered(404, "", b"no such log\n"), "answered 404: 'no such log'"),
        (Answered(302, "", b""), "answered 302"),
    ],
)
def test_an_answer_that_is_none_is_an_error(answer, why):
    with pytest.raises(WitnessError, match=why):
        ask(KEY.cosigner, lambda body: answer, LOGGED.note(), LOGGED.prove, 0)


def test_a_witness_that_names_another_size_each_time_is_not_asked_forever():
    sizes = iter((1, 2, 3, 4, 5, 1))
    with pytest.raises(WitnessError, match="another size each time"):
        ask(
            KEY.cosigner,
            lambda body: Answered(409, SIZE, f"{next(sizes)}\n".encode()),
            LOGGED.note(),
            LOGGED.prove,
            0,
        )
    assert next(sizes) == 4


def keeping(chamber, size, key, at=100):
    """Keep a cosignature of `key` on the chamber's checkpoint of that size."""
    with chamber.begin() as conn:
        head = next(h for h in heads(conn) if h.checkpoint.size == size)
        line = cosign(checkpoint_text(head.checkpoint), key, at)
        add_cosignature(conn, Cosignature(key.cosigner, size, line, at))


def heads(conn):
    notes = conn.execute(select(checkpoints.c.note)).scalars()
    return [ledger.SignedCheckpoint(unverified_checkpoint(note), note) for note in notes]


@pytest.mark.parametrize("chamber", ["sqlite", "postgresql"], indirect=True)
def test_the_newest_head_with_a_quorum_is_found(chamber):
    two = cosigning_key("w2", Ed25519PrivateKey.from_private_bytes(bytes([11] * 32)))
    names = [cosigner_vkey(KEY.cosigner), cosigner_vkey(two.cosigner)]
    policy = parse_policy(
        f"witness a {names[0]}\nwitness b {names[1]}\ngroup both all a b\nquorum both\n"
    )
    for number in range(4):
        chamber.say("change", {"n": number})
        chamber.integrate()
    keeping(chamber, 2, KEY)
    keeping(chamber, 2, two)
    keeping(chamber, 2, two)
    keeping(chamber, 3, KEY)
    keeping(chamber, 3, OTHER)
    keeping(chamber, 4, OTHER)
    with chamber.begin() as conn:
        found = checkpoint_over(conn, 1, policy)
        assert found.signed.checkpoint.size == 2
        known = [KEY.cosigner, two.cosigner]
        assert cosigned(found.signed.note, known).keys() == set(known)
        assert checkpoint_over(conn, 3, policy) is None
        assert not witnessed(conn, ledger.latest_checkpoint(conn), policy).quorum
        assert cosigned_last(conn, KEY.cosigner) == (3, 100)
        assert cosigned_last(conn, cosigning_key("w9", Ed25519PrivateKey.generate()).cosigner) is (
            None
        )


def test_an_insider_with_database_and_log_key_rebuilds_history_and_no_witness_cosigns(tmp_path):
    chamber = make_chamber(tmp_path)
    with witness(tmp_path / "w", chamber.log) as (cosigner, post):

        def submit(chamber, old=0):
            with chamber.begin() as conn:
                head = ledger.latest_checkpoint(conn)
                return ask(
                    cosigner, post, head.note, lambda o, n: ledger.consistency(conn, o, n), old
                )

        for number in range(5):
            chamber.say("change", {"n": number})
        chamber.integrate()
        assert submit(chamber).size == 5
        # The whole log again, without what incriminates, signed with the real key.
        for entries in (3, 5, 8):
            rebuilt = make_chamber(tmp_path / f"rebuilt-{entries}")
            rebuilt.log = chamber.log
            for number in range(entries):
                rebuilt.say("change", {"n": number if number != 2 else "nothing happened"})
            rebuilt.integrate()
            with pytest.raises(BehindError if entries < 5 else ForkError):
                submit(rebuilt)
            rebuilt.engine.dispose()
        # What was true goes on.
        chamber.say("change", {"n": 5})
        chamber.integrate()
        assert submit(chamber, 5).size == 6
    chamber.engine.dispose()


def test_an_old_database_put_back_is_refused_by_the_witness_even_if_it_grows_again(tmp_path):
    chamber = make_chamber(tmp_path)
    with witness(tmp_path / "w", chamber.log) as (cosigner, post):

        def submit():
            with chamber.begin() as conn:
                head = ledger.latest_checkpoint(conn)
                return ask(
                    cosigner, post, head.note, lambda o, n: ledger.consistency(conn, o, n), 0
                )

        chamber.say("change", {"n": 0})
        chamber.integrate()
        chamber.engine.dispose()
        shutil.copy(tmp_path / "ledger.db", tmp_path / "backup.db")
        for number in range(3):
            chamber.say("change", {"inconvenient": number})
        chamber.integrate()
        submit()
        chamber.engine.dispose()
        for left in ("ledger.db-wal", "ledger.db-shm"):
            (tmp_path / left).unlink(missing_ok=True)
        shutil.copy(tmp_path / "backup.db", tmp_path / "ledger.db")
        for count, error in ((0, BehindError), (1, BehindError), (2, ForkError), (5, ForkError)):
            for number in range(count):
                chamber.say("change", {"instead": number})
            chamber.integrate()
            with pytest.raises(error):
                submit()
    chamber.engine.dispose()


def test_a_witness_restarted_goes_on_where_it_was(tmp_path):
    log = GrowingLog().grow(6)
    with witness(tmp_path / "w") as (cosigner, post):
        ask(cosigner, post, log.note(), log.prove, 0)
    with witness(tmp_path / "w") as (again, post):
        assert again == cosigner
        fork = log.fork(5, 3)
        with pytest.raises(ForkError):
            ask(cosigner, post, fork.note(), fork.prove, 6)
        assert ask(cosigner, post, log.grow(2).note(), log.prove, 6).size == 8


def test_a_head_of_an_unknown_signer_is_not_cosigned(tmp_path):
    log = GrowingLog().grow(2)
    stranger = cosigning_key("x", Ed25519PrivateKey.generate())
    note = sign_note(checkpoint_text(log.head()), LOG).replace("\N{EM DASH} log", "\N{EM DASH} lag")
    with witness(tmp_path / "w") as (cosigner, post):
        with pytest.raises(WitnessError, match="answered 403"):
            ask(cosigner, post, note, log.prove, 0)
        with pytest.raises(WitnessError, match="another key"):
            ask(stranger.cosigner, post, log.note(), log.prove, 0)
