"""A time that looks like one and is none is malformed, and breaks no verifier."""

import shutil
from datetime import timedelta

import pytest

from evidence import bag
from evidence.leaf import is_stamp, read_leaf, stamp
from evidence.verify import verify_bundle
from tests.evidence.forgery import edit_entries, rebag
from tests.evidence.stamping import stamping, three_hours

IMPOSSIBLE = [
    "2026-13-01T00:00:00.000000Z",
    "2026-02-30T00:00:00.000000Z",
    "2026-01-01T24:30:00.000000Z",
    "2026-01-01T23:60:00.000000Z",
    "0000-01-01T00:00:00.000000Z",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = stamping(tmp_path_factory.mktemp("site"), timedelta(), timedelta())
    three_hours(made)
    made.bundle = made.export()
    yield made
    made.chamber.engine.dispose()


@pytest.mark.parametrize("member", ["event_time", "record_time"])
@pytest.mark.parametrize("time", IMPOSSIBLE)
def test_the_verifier_names_an_entry_of_an_impossible_time(site, tmp_path, time, member):
    copy = shutil.copytree(site.bundle, tmp_path / "copy")

    def change(entries):
        leaf = read_leaf(entries[1]["leaf"].encode())
        entries[1]["leaf"] = entries[1]["leaf"].replace(
            f'"{member}":"{getattr(leaf, member)}"', f'"{member}":"{time}"'
        )
        return entries

    edit_entries(change)(copy)
    rebag(copy)
    verdict = verify_bundle(copy, site.trust)
    assert verdict.exit_code == 1
    assert any(
        p.file == bag.ENTRIES and f"leaf field {member} is malformed" in p.what
        for p in verdict.problems
    )


def test_times_that_are_written_are_times(site):
    assert is_stamp(stamp(site.chamber.now))
    assert not any(map(is_stamp, [*IMPOSSIBLE, "", None, 1, stamp(site.chamber.now) + "Z"]))
