"""What a spool acknowledged is read back, whatever happens to the file or to its writers."""

import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.case import spool
from playbooks.case.spool import HEADER, Spool, parse
from playbooks.errors import SpoolError

SMALL = 4096
# What the writer asks of the system, in the order in which a crash may cut it short.
CALLS = ("open", "pread", "pwrite", "fdatasync", "fsync", "close", "rename", "posix_fallocate")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)


def made(folder: Path, size: int = SMALL) -> Spool:
    path = folder / "spool" / "spool"
    spool.make(path, size, os.urandom)
    return Spool(path)


def filled(folder: Path, count: int = 4) -> tuple[Spool, list[dict[str, Any]]]:
    held = made(folder)
    bodies = [{"n": n, "text": "x" * n} for n in range(count)]
    for body in bodies:
        held.append(body)
    return held, bodies


def bodies(held: Spool) -> list[Any]:
    return [dict(record.body) for record in held.read().records]


def test_it_is_its_owners_alone_and_takes_its_whole_size_at_once(tmp_path: Path) -> None:
    held = made(tmp_path, 1 << 20)
    about = held.path.stat()
    assert stat.S_IMODE(about.st_mode) == 0o600
    assert stat.S_IMODE(held.path.parent.stat().st_mode) == 0o700
    assert about.st_size == 1 << 20
    assert about.st_blocks * 512 >= 1 << 20
    assert held.empty()
    with pytest.raises(SpoolError, match="already"):
        spool.make(held.path, SMALL, os.urandom)


@given(st.lists(st.dictionaries(st.text(max_size=4), JSON, max_size=3), max_size=6))
@settings(max_examples=30, deadline=None)
def test_what_is_appended_is_read_back_in_order_by_any_writer(
    tmp_path_factory: pytest.TempPathFactory, told: list[dict[str, Any]]
) -> None:
    one = made(tmp_path_factory.mktemp("spool"), 1 << 16)
    other = Spool(one.path)
    for number, body in enumerate(told):
        assert (one, other)[number % 2].append(body).number == number
    assert bodies(one) == told
    assert one.empty() == (not told)
    assert one.path.stat().st_size == 1 << 16


def test_when_full_it_says_so_and_keeps_what_it_has(tmp_path: Path) -> None:
    held = made(tmp_path)
    ending = held.path.stat().st_size - 1000 - 200
    count = 0
    while held.read().end < ending:
        held.append({"n": count}, spare=1000)
        count += 1
    with pytest.raises(SpoolError, match="full"):
        held.append({"text": "x" * 300}, spare=1000)
    assert bodies(held) == [{"n": n} for n in range(count)]
    # What was spared is there for what matters more.
    held.append({"text": "x" * 800})
    with pytest.raises(SpoolError, match="full"):
        held.append({"text": "x" * 800})
    assert len(bodies(held)) == count + 1


def test_cut_anywhere_it_gives_all_that_is_whole(tmp_path: Path) -> None:
    held, told = filled(tmp_path)
    data = held.path.read_bytes()
    ends = [HEADER]
    while len(ends) <= len(told):
        whole = parse(data[: ends[-1]] + bytes(SMALL)).end
        step = next(n for n in range(1, SMALL) if parse(data[: whole + n]).end > whole)
        ends.append(whole + step)
    for cut in range(HEADER, len(data)):
        found = parse(data[:cut])
        whole = sum(end <= cut for end in ends[1:])
        assert [dict(r.body) for r in found.records] == told[:whole]
        assert found.damage == ()
        assert (found.torn > 0) == (ends[whole] < cut and whole < len(told))


@pytest.mark.parametrize("bit", [0, 3, 7])
def test_one_flipped_bit_loses_one_record_at_most_and_is_told(tmp_path: Path, bit: int) -> None:
    held, told = filled(tmp_path)
    data = held.path.read_bytes()
    end = held.read().end
    for at in range(end):
        changed = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        found = parse(changed)
        kept = [dict(r.body) for r in found.records]
        lost = [body for body in told if body not in kept]
        assert len(lost) <= 1, at
        assert kept == [body for body in told if body not in lost], at
        assert found.damage or found.torn, at
        # A flip in the last record cannot be told from a write that a crash cut short.
        assert bool(found.damage) == (lost != [told[-1]]), at


@given(st.binary(max_size=600), st.integers(0, 600))
@settings(max_examples=200, deadline=None)
def test_whatever_the_bytes_are_they_are_read(noise: bytes, at: int) -> None:
    found = parse(noise)
    assert found.records == ()
    assert found.end == HEADER
    assert parse(noise[:at] + spool._RECORD + noise[at:]).records == ()


def test_behind_damage_it_goes_on(tmp_path: Path) -> None:
    """Neither a broken record nor a broken header keeps containment from being recorded."""
    for at in (5, HEADER + 20, HEADER + 70):
        held, told = filled(tmp_path / str(at))
        data = bytearray(held.path.read_bytes())
        data[at] ^= 0xFF
        held.path.write_bytes(data)
        again = Spool(held.path)
        for more in ({"more": 1}, {"more": 2}):
            again.append(more)
        kept = told if at == 5 else told[1:]
        assert bodies(again) == [*kept, {"more": 1}, {"more": 2}]
        assert len(again.read().damage) == 1
        assert not again.empty()


def test_a_torn_record_is_written_over(tmp_path: Path) -> None:
    held, told = filled(tmp_path)
    before = held.read()
    held.append({"text": "y" * 300})
    data = held.path.read_bytes()
    held.path.write_bytes(data[: before.end + 200] + bytes(SMALL - before.end - 200))
    assert 0 < held.read().torn <= 200
    again = Spool(held.path)
    again.append({"z": 1})
    assert bodies(again) == [*told, {"z": 1}]
    assert again.read().torn == 0
    assert again.read().damage == ()


def test_a_reset_happens_only_when_nothing_came_since(tmp_path: Path) -> None:
    held, told = filled(tmp_path)
    seen = held.read()
    Spool(held.path).append({"late": 1})
    assert not held.reset(seen, os.urandom)
    assert bodies(held) == [*told, {"late": 1}]
    first = held.read()
    assert held.reset(first, os.urandom)
    assert held.empty()
    held.append(dict(told[0]))
    after = held.read()
    assert bodies(held) == told[:1]
    # The same words in another generation are another record: it is not taken for imported.
    assert after.records[0].digest != first.records[0].digest
    assert after.generation != first.generation


def test_two_processes_write_side_by_side(tmp_path: Path) -> None:
    held = made(tmp_path, 1 << 16)
    children = [_child(lambda who=who: _writes(held.path, who)) for who in "ab"]
    assert [_ended(child) for child in children] == [0, 0]
    found = held.read()
    assert sorted((r.body["who"], r.body["n"]) for r in found.records) == [
        (who, n) for who in "ab" for n in range(40)
    ]
    assert [r.number for r in found.records] == list(range(80))
    assert found.damage == ()
    assert found.torn == 0


def _writes(path: Path, who: str) -> None:
    held = Spool(path)
    for n in range(40):
        held.append({"who": who, "n": n})


@pytest.mark.parametrize("torn", [False, True], ids=["between calls", "in the middle of a write"])
def test_a_writer_may_die_at_any_call(tmp_path: Path, torn: bool) -> None:
    """What it acknowledged is there; what it did not is there whole, or not at all."""
    told = [{"n": n, "text": "x" * 40} for n in range(3)]

    def life(path: Path, reached: int) -> None:
        held = Spool(path)
        for body in told:
            held.append(body)
            os.write(reached, b"+")
        held.reset(held.read(), os.urandom)
        os.write(reached, b"-")
        held.append({"after": 1})
        os.write(reached, b"+")

    for nth in range(1, 200):
        held = made(tmp_path / str(nth))
        reading, writing = os.pipe()
        child = _child(partial(_dying, nth, torn, life, held.path, writing))
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        finished = _ended(child) == 0
        before, _, after = said.partition(b"-")
        found, again = bodies(held), Spool(held.path)
        assert held.read().damage == (), nth
        if b"-" in said:
            assert found[: len(after)] == [{"after": 1}][: len(after)], nth
            assert found in ([], [{"after": 1}]), nth
        elif len(before) == len(told) and not found:
            assert found == [], nth
        else:
            assert found in (told[: len(before)], told[: len(before) + 1]), nth
        again.append({"next": 1})
        assert bodies(again) == [*found, {"next": 1}], nth
        assert again.read().torn == 0, nth
        if finished:
            break
    else:
        pytest.fail("the writer never came to its end")
    assert nth > 10


def _dying(
    nth: int, torn: bool, life: Callable[[Path, int], None], path: Path, reached: int
) -> None:
    """Run the life; at the nth call of the writer to the system, half do it and die."""
    left = [nth]

    def wrapped(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                if torn and name == "pwrite":
                    fd, data, at = args
                    # A disk writes a sector whole, and the header lies within one.
                    real(fd, bytes(data)[: len(data) // 2 if at else len(data)], at)
                os._exit(9)
            return real(*args, **more)

        return call

    for name in CALLS:
        setattr(os, name, wrapped(name))
    life(path, reached)


def _child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return child


def _ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_what_cannot_be_written_is_said_and_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, _ = filled(tmp_path)

    def broken(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        with pytest.raises(SpoolError, match="Input/output"):
            held.append({"lost": 1})
        with pytest.raises(SpoolError, match="Input/output"):
            held.reset(held.read(), os.urandom)
    held.append({"next": 1})
    assert bodies(held)[-1] == {"next": 1}
    held.path.unlink()
    for use in (held.read, held.empty, lambda: held.append({})):
        with pytest.raises(SpoolError, match="stanch init"):
            use()
    with pytest.raises(SpoolError, match="cannot be made"):
        spool.make(Path("/proc/nowhere/spool"), SMALL, os.urandom)
