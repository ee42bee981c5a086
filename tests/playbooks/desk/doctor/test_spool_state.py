"""The spool: what waits in it, and what would keep it from taking more."""

import os
from pathlib import Path
from typing import Any

import pytest

from playbooks.case.spool import HEADER, Spool, make
from playbooks.desk.doctor.place import Place
from playbooks.desk.doctor.running import run
from playbooks.desk.doctor.spool_state import spool
from playbooks.wiring.parts import now
from playbooks.wiring.settings import Settings, SpoolFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "spool" / "spool"
    make(made, 1 << 20, os.urandom)
    return made


def told(path: Path) -> list[tuple[str, str]]:
    (path.parent.parent / "home").mkdir(exist_ok=True)
    settings = Settings(home=path.parent.parent / "home", spool=SpoolFile(path=path))
    place = Place(settings, now)
    return [(f.level, f.what) for f in run({"spool": lambda: spool(place)})]


def test_an_empty_one_is_well_though_both_disks_are_one(path: Path) -> None:
    (ok, beside) = told(path)
    assert (ok, beside[0]) == (("ok", "empty, 1 MiB"), "warn")


def test_what_waits_is_told_with_its_age(path: Path) -> None:
    first: dict[str, Any] = {"at": now().isoformat(), "what": "x"}
    for body in (first, {"what": "y"}):
        Spool(path).append(body)
    level, what = told(path)[0]
    assert level == "warn"
    assert "2 records" in what
    assert "the oldest 0 s old" in what


def test_one_that_is_not_there_or_open_to_others(path: Path) -> None:
    path.chmod(0o644)
    assert told(path)[0][0] == "bad"
    path.unlink()
    ((level, what),) = told(path)
    assert (level, "only proposed" in what) == ("warn", True)


@pytest.mark.parametrize("at", [HEADER + 3, 5])
def test_damage_is_told(path: Path, at: int) -> None:
    for number in range(2):
        Spool(path).append({"number": number})
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    assert "bad" in {level for level, _ in told(path)}


def test_a_folder_in_its_place_is_told_and_not_raised(path: Path) -> None:
    path.unlink()
    path.mkdir()
    assert [level for level, _ in told(path)] == ["warn"]
