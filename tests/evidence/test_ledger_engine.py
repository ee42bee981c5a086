"""Durability: every connection syncs, and nothing is acknowledged before it was synced."""

import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from evidence import ledger
from tests.evidence.chamber import make_chamber

ROOT = Path(__file__).resolve().parents[2]

APPEND_AND_ACK = """
import os, sys
from pathlib import Path
from tests.evidence.chamber import make_chamber
chamber = make_chamber(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    chamber.say("change", {"n": number})
    os.write(1, b"ack %d\\n" % number)
"""


def settings(conn):
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    return [conn.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]


def test_every_connection_of_the_engine_is_set_up(chamber):
    held = [chamber.engine.execution_options(read_only=True).connect() for _ in range(12)]
    try:
        # More than the pool keeps, so that overflow connections are among them.
        assert [settings(conn) for conn in held] == [["wal", 2, 1, 30_000]] * 12
    finally:
        for conn in held:
            conn.close()
    chamber.engine.dispose()
    with chamber.begin() as conn:
        assert settings(conn) == ["wal", 2, 1, 30_000]


def test_nobody_else_may_read_the_files(chamber):
    chamber.say("case.open", {})
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in chamber.folder.glob("ledger.db*")
    }
    assert modes.keys() >= {"ledger.db", "ledger.db-wal"}
    assert set(modes.values()) == {0o600}


def test_a_writer_waits_for_the_writer_before_it_and_a_reader_does_not(chamber):
    began, done = threading.Event(), threading.Event()

    def second():
        began.set()
        chamber.say("second", {})
        done.set()

    other = threading.Thread(target=second)
    with chamber.begin() as conn:
        other.start()
        assert began.wait(10)
        reader = chamber.engine.execution_options(read_only=True)
        with reader.begin() as reading:
            assert list(ledger.entries(reading, "INC-1")) == []
        entry = ledger.Entry("first", "INC-1", {}, "a", chamber.now)
        ledger.append(conn, entry, record_time=chamber.now, salt=bytes(32))
        assert not done.is_set()
    other.join(30)
    with chamber.begin() as conn:
        assert [e.leaf.kind for e in ledger.entries(conn, "INC-1")] == ["first", "second"]


def test_writers_in_parallel_make_one_chain(chamber):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: chamber.say("change", {"n": n}), range(80)))
    chamber.integrate()
    with chamber.begin() as conn:
        found = list(ledger.entries(conn, "INC-1"))
        ledger.replay(conn)
    assert [e.leaf.case_seq for e in found] == list(range(80))
    assert {e.body["n"] for e in found} == set(range(80))


def test_each_ack_comes_after_a_sync_of_the_log(tmp_path):
    if not shutil.which("strace"):
        pytest.skip("no strace; apt install strace to see each fsync")
    trace = tmp_path / "trace"
    calls = "trace=openat,close,fsync,fdatasync,write,pwrite64"
    watched = ["strace", "-f", "-y", "-e", calls, "-o", str(trace), sys.executable]
    done = subprocess.run(
        [*watched, "-c", APPEND_AND_ACK, str(tmp_path), "5"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in done.stderr and done.returncode:
        pytest.skip(f"strace may not trace here: {done.stderr.strip()[:200]}")
    assert done.returncode == 0, done.stderr
    told = []
    for line in trace.read_text(errors="replace").splitlines():
        if re.search(r"(fsync|fdatasync)\(\d+<[^>]*ledger\.db-wal>\) += 0", line):
            told.append("sync")
        elif re.search(r"pwrite64\(\d+<[^>]*ledger\.db-wal>", line):
            told.append("log")
        elif ack := re.search(r'write\(1<[^>]*>, "(ack \d+)', line):
            told.append(ack[1])
    # Looking back from each ack: a sync, and no write to the log after that sync.
    for number in range(5):
        at = told.index(f"ack {number}")
        since = told[:at] if number == 0 else told[told.index(f"ack {number - 1}") + 1 : at]
        assert since[-1] == "sync", (number, since)
        assert "log" in since, (number, since)


def test_what_was_acked_outlives_a_kill(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", APPEND_AND_ACK, str(tmp_path), "100000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    acked = [child.stdout.readline() for _ in range(25)]
    child.kill()
    acked += child.stdout.read().splitlines(keepends=True)
    child.stdout.close()
    assert child.wait() == -9
    whole = [line for line in acked if line.endswith(b"\n")]
    shutil.rmtree(tmp_path / "keys")
    chamber = make_chamber(tmp_path)
    with chamber.begin() as conn:
        found = list(ledger.entries(conn, "INC-1"))
    assert len(found) >= len(whole)
    assert [e.body["n"] for e in found] == list(range(len(found)))
    chamber.integrate()
    with chamber.begin() as conn:
        ledger.replay(conn)
    chamber.engine.dispose()


def test_the_file_is_made_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        ledger.sqlite_engine(tmp_path / "x.db").dispose()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.db").stat().st_mode) == 0o600
