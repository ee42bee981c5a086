"""A signer in a process of its own holds the same laws, whoever asks and whenever it is killed."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence import signer_server, signer_wire
from evidence.errors import BehindError, ForkError, KeyMaterialError, KeyServiceError, WireError
from evidence.merkle import EMPTY_ROOT
from evidence.note import Checkpoint, checkpoint_text, signer_of
from evidence.signer import MEMORY
from evidence.signer_client import AskedSigner, socket_of
from evidence.signer_server import Door, bind
from tests.evidence.growing_log import LOG, GrowingLog
from tests.evidence.signer_site import Site

ORIGIN = LOG.verifier.name


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(tmp_path).serving() as made:
        yield made


def test_what_extends_the_log_is_signed_and_remembered_there(site):
    log = GrowingLog()
    assert site.client.last() == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    for count in (1, 2, 0, 7, 300):
        log.grow(count)
        assert site.sign(log) == log.head() == site.client.last() == site.signer.last()
    assert site.path.stat().st_mode & 0o777 == 0o600
    assert site.said == []


def test_a_restored_old_ledger_is_refused_and_it_is_said_what_that_means(site):
    log = GrowingLog().grow(9)
    site.sign(log)
    with pytest.raises(BehindError, match="9 were signed: it was truncated or an old copy") as why:
        site.sign(log, 4)
    assert why.value.size == 9
    with pytest.raises(ForkError, match="does not extend the 9 signed before"):
        site.sign(log.fork(4, 20))
    assert site.signer.last() == log.head()
    assert len(site.said) == 2


def test_no_proof_but_the_right_one_is_taken(site):
    log = GrowingLog().grow(5)
    site.sign(log)
    log.grow(4)
    good = log.prove(5, 9)
    for since, path in ((5, good[:-1]), (5, [*good, bytes(32)]), (5, []), (5, [bytes(32)] * 128)):
        answer = json.loads(site.sends(signer_wire.ask_sign(log.head(), since, path)))
        assert answer["refused"] == "fork"
    # From elsewhere it does not look at it, but says from where.
    assert json.loads(site.sends(signer_wire.ask_sign(log.head(), 3, []))) == {"from": 5}
    assert site.signer.last().size == 5
    assert site.sign(log).size == 9


def test_two_that_sign_at_once_get_one_history(site):
    log = GrowingLog().grow(40)
    found: list[int] = []

    def work(sizes: list[int]) -> None:
        for size in sizes:
            with suppress(BehindError):
                found.append(site.sign(log, size).size)

    threads = [threading.Thread(target=work, args=(list(range(n, 41, 2)),)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.signer.last() == log.head()
    assert max(found) == 40


HEAD = checkpoint_text(GrowingLog().grow(3).head())
SIGN = {"ask": "sign", "from": 0, "head": HEAD, "path": []}
MALFORMED = {
    "nothing": b"\n",
    "no JSON": b"x\n",
    "an array": b"[]\n",
    "not canonical": b'{"ask": "last"}\n',
    "unknown": signer_wire.line({"ask": "key"}),
    "more": signer_wire.line(SIGN | {"more": 1}),
    "no head": signer_wire.line(SIGN | {"head": None}),
    "extension": signer_wire.line(SIGN | {"head": HEAD + "and this\n"}),
    "no number": signer_wire.line(SIGN | {"from": "0"}),
    "negative": signer_wire.line(SIGN | {"from": -1}),
    "no path": signer_wire.line(SIGN | {"path": "x"}),
    "no hex": signer_wire.line(SIGN | {"path": ["x"]}),
    "short step": signer_wire.line(SIGN | {"path": ["00"]}),
    "long path": signer_wire.line(SIGN | {"path": ["00" * 32] * 129}),
    "two lines": signer_wire.ask_last() + signer_wire.ask_last(),
    "too long": b"x" * (1 << 17),
    "deep": b"[" * 60000 + b"\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_refused_and_signs_nothing(site, name):
    answer = site.sends(MALFORMED[name])
    assert not answer or json.loads(answer)["refused"] == "malformed"
    assert site.signer.last().size == 0
    assert site.sign(GrowingLog().grow(1)).size == 1


def test_another_log_is_refused(site):
    other = Checkpoint("other.example", 3, bytes(32))
    with pytest.raises(ForkError, match="for the signer of"):
        site.client.sign(other, lambda old, new: [])


def test_who_is_not_allowed_gets_no_answer(tmp_path):
    site = Site(tmp_path)
    site.users = frozenset({os.geteuid() + 1})
    with site.serving():
        with pytest.raises(KeyServiceError, match="--allow"):
            site.client.last()
    assert site.said == [f"user {os.geteuid()} may not ask"]


def test_many_that_send_nothing_or_byte_by_byte_keep_nobody_out(site):
    held, ending = [], threading.Event()
    for _ in range(2 * signer_server.MOST):
        held.append(socket.socket(socket.AF_UNIX))
        held[-1].settimeout(20)
        held[-1].connect(str(site.path))

    def drip() -> None:
        while not ending.wait(0.05):
            for connection in held:
                with suppress(OSError):
                    connection.send(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        assert site.sign(GrowingLog().grow(2)).size == 2
    finally:
        ending.set()
        thread.join()
        for connection in held:
            connection.close()
    assert site.signer.last().size == 2


def test_a_signer_that_is_away_is_named_and_one_that_died_is_followed(tmp_path):
    site = Site(tmp_path)
    with pytest.raises(KeyServiceError, match="Nothing is lost"):
        site.client.last()
    # It left its socket behind.
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(site.path))
    with site.serving():
        assert site.sign(GrowingLog().grow(1)).size == 1
        with pytest.raises(WireError, match=r"answers at .* already"):
            bind(Door(site.path, site.users))
    site.path.unlink()
    site.path.write_text("mine")
    with pytest.raises(WireError, match="in the way and no socket"):
        bind(Door(site.path, site.users))
    assert site.path.read_text() == "mine"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"x\n",
        b"{}\n",
        signer_wire.line({"last": "x", "note": "x"}),
        signer_wire.line({"from": -1, "last": HEAD}),
        signer_wire.line(
            {"last": HEAD, "note": signer_of(ORIGIN, Ed25519PrivateKey.generate()).verifier.name}
        ),
        signer_wire.line({"refused": "unable", "size": 0, "why": "no"}),
        b"x" * (1 << 17),
    ],
)
def test_of_what_another_answers_nothing_is_taken_for_a_signature(tmp_path, answer):
    path = tmp_path / "s"
    listening = bind(Door(path, frozenset()))
    ending = threading.Event()

    def serve() -> None:
        while not ending.is_set():
            with suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(1 << 16)
                    connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        log, client = GrowingLog().grow(5), AskedSigner(path, LOG.verifier, patience=5)
        with pytest.raises(KeyServiceError):
            client.sign(log.head(), log.prove)
    finally:
        ending.set()
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def test_a_memory_that_was_lost_is_refused(site):
    site.sign(GrowingLog().grow(1))
    (site.memory / MEMORY).unlink()
    with pytest.raises(ForkError, match="does not know what it signed last"):
        site.sign(GrowingLog().grow(2))


def test_the_key_is_not_here():
    client = AskedSigner(Path("/nowhere"), LOG.verifier)
    for use in (lambda: client.signer, lambda: client.memory, client.begin):
        with pytest.raises(KeyMaterialError, match="with the signer at /nowhere"):
            use()
    assert socket_of("unix:///run/a%20b") == Path("/run/a b")
    for uri in ("unix://host/x", "unix:x", "file:///x", ""):
        with pytest.raises(KeyMaterialError, match="unix:///PATH"):
            socket_of(uri)
