"""Sources are collected as RFC 3227 section 2.1 has it, and none is forgotten."""

import importlib
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import evidence.sources
from evidence.sources.volatility import LASTS, Lasts, in_order, lasts


@dataclass(frozen=True)
class Named:
    name: str
    number: int


def every_source() -> dict[str, type]:
    folder = Path(evidence.sources.__path__[0])
    modules = [importlib.import_module(f"evidence.sources.{p.stem}") for p in folder.glob("*.py")]
    found = [v for m in modules for v in vars(m).values() if isinstance(v, type)]
    return {v.name: v for v in found if hasattr(v, "collect") and isinstance(v.name, str)}


def test_every_source_has_its_place_and_nothing_else_has() -> None:
    assert every_source().keys() == LASTS.keys()


def test_memory_before_disks_before_logs_before_configuration_before_archives() -> None:
    names = ["snapshot_blocks", "principal_facts", "trail_files", "s3_versions", "instance_facts"]
    given = [Named(name, 0) for name in names]
    assert [one.name for one in in_order(given)] == names[::-1]
    assert [each.name for each in sorted(Lasts)] == [
        "STATE",
        "TEMPORARY",
        "DISK",
        "REMOTE_LOG",
        "CONFIGURATION",
        "ARCHIVE",
    ]


@given(st.lists(st.builds(Named, st.sampled_from([*LASTS, "unknown"]), st.integers(0, 9))))
def test_the_order_keeps_all_is_stable_and_puts_what_is_not_known_first(found: list[Named]) -> None:
    ordered = in_order(found)
    assert sorted(map(repr, ordered)) == sorted(map(repr, found))
    assert [lasts(one) for one in ordered] == sorted(lasts(one) for one in found)
    for rank in Lasts:
        assert [n for n in ordered if lasts(n) == rank] == [n for n in found if lasts(n) == rank]
    assert lasts(Named("unknown", 0)) is Lasts.STATE
