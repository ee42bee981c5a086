"""The signer remembers: no smaller and no other tree is signed, whatever the database says."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from evidence import ledger
from evidence.cosignature import cosigned
from evidence.errors import BehindError, ForkError, KeyMaterialError
from evidence.keys import SECOND
from evidence.note import Checkpoint, open_checkpoint
from evidence.second_key import create_second, load_second
from evidence.signer import MEMORY, RememberingSigner
from tests.evidence.chamber import make_chamber
from tests.evidence.growing_log import LOG, GrowingLog, noise


@pytest.fixture
def signer(tmp_path) -> RememberingSigner:
    (tmp_path / "keys").mkdir(mode=0o700)
    made = RememberingSigner(LOG, tmp_path / "keys" / MEMORY)
    made.begin()
    return made


def sign(signer, log, size=None) -> Checkpoint:
    note = signer.sign(log.head(size), log.prove)
    return open_checkpoint(note, LOG.verifier)


def test_a_log_that_grows_is_signed_and_remembered(signer):
    log = GrowingLog()
    for count in (0, 1, 2, 7, 0, 13):
        log.grow(count)
        assert sign(signer, log) == log.head() == signer.last()
    assert signer.memory.stat().st_mode & 0o777 == 0o600


def test_a_smaller_tree_is_refused_with_the_size_that_was_signed(signer):
    log = GrowingLog().grow(9)
    sign(signer, log)
    for size in range(9):
        with pytest.raises(BehindError, match="old copy") as refused:
            sign(signer, log, size)
        assert refused.value.size == 9
    assert signer.last() == log.head()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.integers(1, 30), st.data())
def test_no_other_history_is_signed(tmp_path_factory, size, data):
    folder = tmp_path_factory.mktemp("keys", numbered=True)
    folder.chmod(0o700)
    signer = RememberingSigner(LOG, folder / MEMORY)
    signer.begin()
    log = GrowingLog().grow(size)
    sign(signer, log)
    at = data.draw(st.integers(0, size - 1))
    fork = log.fork(at, size - at + data.draw(st.integers(0, 5)))
    with pytest.raises(ForkError, match="does not extend"):
        sign(signer, fork)
    # Nor with a proof of the true history.
    with pytest.raises(ForkError, match="does not extend"):
        signer.sign(fork.head(), lambda old, new: log.prove(old, size))
    assert signer.last() == log.head()


def test_no_made_up_proof_is_taken(signer):
    log = GrowingLog().grow(5)
    sign(signer, log)
    log.grow(4)
    for path in ([], [noise(1)], log.prove(5)[:-1], [*log.prove(5), noise(2)]):
        with pytest.raises(ForkError):
            signer.sign(log.head(), lambda old, new, path=path: path)
    assert sign(signer, log).size == 9


def test_without_its_memory_nothing_is_signed(signer):
    log = GrowingLog().grow(3)
    sign(signer, log)
    signer.memory.rename(signer.memory.with_name("moved"))
    with pytest.raises(ForkError, match="does not know what it signed last"):
        sign(signer, log.grow(1))
    signer.memory.with_name("moved").rename(signer.memory)
    assert sign(signer, log).size == 4


@pytest.mark.parametrize("data", ["", "x", "log.example/custody/v1\n3\n"])
def test_a_memory_that_is_none_counts_as_lost(signer, data):
    signer.memory.write_text(data)
    with pytest.raises(ForkError, match="does not know"):
        sign(signer, GrowingLog().grow(1))


def test_a_memory_open_to_others_is_not_believed(signer):
    signer.memory.chmod(0o644)
    with pytest.raises(ForkError, match="open to others"):
        sign(signer, GrowingLog().grow(1))


def test_another_log_s_memory_is_not_taken_for_its_own(signer):
    sign(signer, GrowingLog().grow(1))
    head = signer.memory.read_text()
    signer.memory.write_text(head.replace(LOG.verifier.name, "log.example/else"))
    with pytest.raises(ForkError, match="remembers the log"):
        sign(signer, GrowingLog().grow(2))


def test_a_memory_is_never_begun_again(signer):
    with pytest.raises(KeyMaterialError, match="never forgets"):
        signer.begin()


def test_of_many_at_once_none_lets_the_memory_shrink(signer):
    log = GrowingLog().grow(40)
    start, signed, behind = threading.Barrier(8), [], []

    def run(number: int) -> None:
        start.wait()
        for size in range(number + 1, 41, 5):
            try:
                signed.append(sign(signer, log, size).size)
            except BehindError as error:
                behind.append((error.size, size))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))
    assert signer.last() == log.head(max(signed))
    assert all(known > asked for known, asked in behind)


def test_a_second_key_signs_each_head_too(signer, tmp_path):
    second = create_second(tmp_path / "keys", LOG.verifier.name)
    assert load_second(tmp_path / "keys", LOG.verifier.name).cosigner == second.cosigner
    both = replace(signer, second=second)
    log = GrowingLog().grow(3)
    note = both.sign(log.head(), log.prove)
    assert open_checkpoint(note, LOG.verifier) == log.head()
    assert cosigned(note, [second.cosigner]) == {second.cosigner: 0}
    with pytest.raises(KeyMaterialError, match="never overwritten"):
        create_second(tmp_path / "keys", LOG.verifier.name)
    (tmp_path / "keys" / SECOND).chmod(0o644)
    with pytest.raises(KeyMaterialError, match="open to others"):
        load_second(tmp_path / "keys", LOG.verifier.name)


# Against the ledger's database.


def remembering(chamber) -> RememberingSigner:
    signer = RememberingSigner(chamber.log, chamber.folder / "keys" / MEMORY)
    if not signer.memory.exists():
        signer.begin()
    return signer


def checkpoint(chamber) -> ledger.SignedCheckpoint | None:
    signer = remembering(chamber)
    with chamber.begin() as conn:
        ledger.place(conn, signer.verifier.name, wait=True)
    with chamber.engine.connect() as conn:
        signed = ledger.sign_head(conn, signer)
    if signed is not None:
        with chamber.begin() as conn:
            ledger.keep(conn, signed, now=chamber.tick())
    return signed


@pytest.mark.parametrize("chamber", ["sqlite", "postgresql"], indirect=True)
def test_a_ledger_is_signed_once_what_it_holds_is_committed(chamber):
    assert checkpoint(chamber) is None
    for count in (1, 4, 2):
        for number in range(count):
            chamber.say("change", {"n": number})
        signed = checkpoint(chamber)
        with chamber.begin() as conn:
            assert ledger.latest_checkpoint(conn) == signed
            ledger.replay(conn)
    assert checkpoint(chamber) == signed


@pytest.mark.parametrize("chamber", ["sqlite", "postgresql"], indirect=True)
def test_a_crash_between_placing_signing_and_keeping_is_made_good(chamber):
    signer = remembering(chamber)
    chamber.say("change", {})
    checkpoint(chamber)
    chamber.say("change", {})
    with chamber.begin() as conn:
        ledger.place(conn, signer.verifier.name, wait=True)
        ledger.replay(conn)
    chamber.say("change", {})
    with chamber.begin() as conn:
        ledger.place(conn, signer.verifier.name, wait=True)
    with chamber.engine.connect() as conn:
        assert ledger.sign_head(conn, signer).checkpoint.size == 3
    with chamber.begin() as conn:
        ledger.replay(conn)
    chamber.say("change", {})
    assert checkpoint(chamber).checkpoint.size == 4
    with chamber.begin() as conn:
        ledger.replay(conn)


@pytest.mark.parametrize("more", [0, 1, 3, 9])
def test_an_old_database_put_back_gets_no_signature(tmp_path, more):
    chamber = make_chamber(tmp_path)
    for number in range(3):
        chamber.say("change", {"n": number})
    checkpoint(chamber)
    chamber.engine.dispose()
    shutil.copy(tmp_path / "ledger.db", tmp_path / "backup.db")
    for number in range(4):
        chamber.say("change", {"inconvenient": number})
    checkpoint(chamber)
    chamber.engine.dispose()
    for left in ("ledger.db-wal", "ledger.db-shm"):
        (tmp_path / left).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", tmp_path / "ledger.db")
    for number in range(more):
        chamber.say("change", {"instead": number})
    expected = BehindError if more < 4 else ForkError
    with pytest.raises(expected):
        checkpoint(chamber)
    # The database by itself has nothing against it.
    with chamber.begin() as conn:
        ledger.replay(conn)
        newest = conn.execute(text("SELECT max(size) FROM ledger_checkpoints")).scalar_one()
    assert newest == 3
    chamber.engine.dispose()


def test_an_emptied_database_gets_no_signature(tmp_path):
    chamber = make_chamber(tmp_path)
    chamber.say("change", {})
    checkpoint(chamber)
    with chamber.begin() as conn:
        for name in ("openings", "entries", "checkpoints", "signed", "cases"):
            conn.execute(text(f"DELETE FROM ledger_{name}"))
    with pytest.raises(BehindError, match="0 entries but 1 were signed"):
        checkpoint(chamber)
    chamber.engine.dispose()
