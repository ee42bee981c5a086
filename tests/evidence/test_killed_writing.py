"""Ingest and ledger die, or find the disk full, at each of their writes.

The kernel does it: a limit on the size of files (setrlimit(2), RLIMIT_FSIZE) cuts the write that
passes it after its last allowed byte, and then kills the process (SIGXFSZ) or says that there is no
more room. What writes nothing (naming, syncing, removing) is counted, and the process is killed
before or after one of them.
"""

import os
import random
import resource
import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from evidence import keys, ledger
from evidence.custody.opening import content
from evidence.custody.state import Artifact
from evidence.deposit import KIND
from evidence.errors import EvidenceError
from evidence.ingest import opened
from evidence.locker import Locker
from evidence.sources.item import Item
from evidence.verify import verify_bundle
from tests.evidence.chamber import CASE, ORIGIN, Chamber, describe, make_chamber
from tests.sample import FULL, of_the_day

SIZE = 150_000
ROUNDS = 3
UNLIMITED = resource.RLIM_INFINITY
NAMELESS = ("fsync", "link", "mkdir", "unlink", "replace")


@dataclass(frozen=True)
class Died:
    """What a child left: its folder, how many entries it was acked, and how it ended."""

    folder: Path
    acked: int
    status: int


def large(folder: Path, number: int) -> Item:
    """Return a sensitive item that is read as a stream, and is larger than a write."""
    path = folder / f"source-{number}"
    path.write_bytes(random.Random(number).randbytes(SIZE))
    source = opened(os.open(path, os.O_RDONLY))
    kind = "application/octet-stream"
    return Item(f"dump_{number}", kind, b"", True, "person.hand_over", source)


def work(chamber: Chamber, items: Sequence[Item], ack: Callable[[], object]) -> None:
    """Keep one item after another; what fails is left, and the next one is tried."""
    steps = [lambda: chamber.say("case.open", {"finding": "x"})]
    for number in range(ROUNDS):
        steps += [
            lambda n=number: chamber.keep(describe(n)),
            lambda n=number: chamber.keep(items[n]),
            lambda n=number: chamber.say("change", {"n": n, "what": "x" * 3000}),
        ]
    for step in steps:
        try:
            step()
        except (EvidenceError, SQLAlchemyError, OSError):
            continue
        ack()
        chamber.integrate()


def child(folder: Path, prepare: Callable[[], None]) -> Died:
    """Fork, do the work under what `prepare` sets, and tell what came of it."""
    folder.mkdir()
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 70
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            chamber = make_chamber(folder)
            items = [large(folder, number) for number in range(ROUNDS)]
            prepare()
            work(chamber, items, lambda: os.write(writes, b"."))
            status = 0
        except (EvidenceError, SQLAlchemyError, OSError):
            status = 3
        finally:
            os._exit(status)
    os.close(writes)
    with os.fdopen(reads, "rb") as told:
        acked = len(told.read())
    return Died(folder, acked, os.waitpid(pid, 0)[1])


def limited(size: int, deadly: bool) -> Callable[[], None]:
    def prepare() -> None:
        # Python itself ignores the signal, and so sees the error.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if deadly else signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, UNLIMITED))

    return prepare


def dying(die_at: int, points: Path) -> Callable[[], None]:
    """Die before (even) or after (odd) a call that writes no bytes; note in a file where it is."""

    def prepare() -> None:
        at = 0
        note = os.open(points, os.O_WRONLY | os.O_CREAT)

        def wrap(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
            def wrapped(*args: Any, **more: Any) -> Any:
                nonlocal at
                for moment in ("before", "after"):
                    if at == die_at:
                        os.kill(os.getpid(), signal.SIGKILL)
                    at += 1
                    os.pwrite(note, b"%d" % at, 0)
                    if moment == "before":
                        found = call(*args, **more)
                return found

            return wrapped

        for name in NAMELESS:
            setattr(os, name, wrap(name, getattr(os, name)))

    return prepare


def reopened(folder: Path) -> Chamber:
    files = {name: (folder / "keys" / name).as_uri() for name in ("log.pem", "manifest.pem")}
    chance = random.Random(8)
    return Chamber(
        folder,
        ledger.sqlite_engine(folder / "ledger.db"),
        Locker(folder / "locker", chance.randbytes),
        keys.load_log(files["log.pem"], ORIGIN),
        keys.load_manifest(files["manifest.pem"]),
        keys.load_wrap((folder / "keys" / "wrap.key").as_uri()),
        chance,
    )


def check(died: Died) -> int:
    """Check the laws on what is left, go on from there, and return how many entries there were."""
    chamber = reopened(died.folder)
    try:
        with chamber.begin() as conn:
            found = list(ledger.entries(conn, CASE))
            ledger.replay(conn)
        # One that died between commit and ack leaves an entry more than it was acked.
        assert died.acked <= len(found) <= died.acked + 1
        for entry in found:
            if entry.leaf.kind == KIND:
                whole(chamber, entry.body)
        incoming = list((died.folder / "locker").glob("incoming/*"))
        for left in incoming:
            os.utime(left, (0, 0))
        chamber.say("case.open", {"again": True})
        chamber.keep(describe(99))
        assert not [left for left in incoming if left.exists()]
        chamber.keep(large(died.folder, 0))
        chamber.integrate()
        bundle = chamber.export()
        assert verify_bundle(bundle, chamber.trust).exit_code == 3
        held = {path.name for path in (bundle / "data" / "artifacts").iterdir()}
        named = {e.body["stored_sha256"] for e in found if e.leaf.kind == KIND}
        assert named <= held
        assert len(held) <= len(named) + 2
    finally:
        chamber.engine.dispose()
    return len(found)


def whole(chamber: Chamber, body: Any) -> None:
    """Check that what the ledger shows as sealed is there, signed and readable to its end."""
    members = ("artifact_id", "name", "size", "sensitive", "stored_sha256", "manifest_sha256")
    artifact = Artifact(**{name: body[name] for name in members}, stored_at="", last_intact="")
    data = b"".join(content(chamber.locker, artifact, chamber.wrap))
    assert len(data) == int(body["size"])


# Of a run's files the largest is the database's write-ahead log.
SIZES = [0, 16, 33, 200, 700, 1000, 2000, *range(4000, 600_000, 4001)]
# A day's sample lies all over the run.
SPREAD = [size for first in range(13) for size in SIZES[first::13]]


@pytest.mark.parametrize("deadly", [True, False], ids=["killed", "no more room"])
def test_at_each_write_nothing_acked_is_lost_and_nothing_unsealed_is_shown(tmp_path, deadly):
    ends, left = set(), set()
    for size in of_the_day(SPREAD, nth=7, many=12):
        died = child(tmp_path / f"{size}", limited(size, deadly))
        assert not os.WIFSIGNALED(died.status) or deadly
        ends.add(os.WIFSIGNALED(died.status))
        left.add(check(died))
        if not deadly:
            assert not list((died.folder / "locker").glob("incoming/*"))
        shutil.rmtree(died.folder)
    assert len(left) > 1, left
    assert ends == {deadly} or FULL


def test_killed_at_each_naming_syncing_and_removing_nothing_acked_is_lost(tmp_path):
    points = tmp_path / "points"
    whole_run = child(tmp_path / "whole", dying(-1, points))
    assert whole_run.status == 0
    assert check(whole_run) == 1 + 3 * ROUNDS
    many = int(points.read_text())
    left = set()
    for at in of_the_day(
        [n for first in range(13) for n in range(first, many, 13)], nth=3, many=12
    ):
        died = child(tmp_path / f"{at}", dying(at, tmp_path / "ignored"))
        assert os.WIFSIGNALED(died.status)
        left.add(check(died))
        shutil.rmtree(died.folder)
    assert many > 50
    assert left <= set(range(2 + 3 * ROUNDS))
