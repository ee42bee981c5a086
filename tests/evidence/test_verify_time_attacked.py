"""Who turns clocks, lies about the time, or writes what they like, is found and moves nothing."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import bag
from evidence.verify import verify_bundle
from tests.evidence.chamber import CASE
from tests.evidence.forgery import read_lines, rebag, restate, write_lines
from tests.evidence.stamping import Stamping, stamper, stamping, three_hours
from tests.evidence.test_verify_time import DAY, HOUR, NONE, files, forged, told


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = stamping(tmp_path_factory.mktemp("site"), NONE, NONE)
    three_hours(made)
    made.export()
    yield made
    made.chamber.engine.dispose()


@pytest.fixture(scope="module")
def whole(site: Stamping, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copied = tmp_path_factory.mktemp("whole") / "bundle"
    return Path(shutil.copytree(site.chamber.folder / "bundle", copied))


@pytest.mark.parametrize(
    ("lie", "because"),
    [(-2 * DAY, "but a timestamp proves that it was after"),
     (2 * DAY, "but a timestamp proves that it was by")],
)  # fmt: skip
def test_clock_manipulator_who_turns_the_host_s_clock_is_named(tmp_path, lie, because):
    truth = {"lie": NONE}
    made = stamping(tmp_path)
    for letter in "ab":
        clock = lambda: made.chamber.now - truth["lie"]  # noqa: E731
        begin = datetime(2026, 11, 1, tzinfo=UTC)
        made.stampers.append(stamper(tmp_path / letter, f"tsa-{letter}", clock, begin=begin))
    made.chamber.say("change", {"n": 1})
    made.stamp()
    truth["lie"] = lie
    made.chamber.now += lie + HOUR
    made.chamber.say("change", {"false": True})
    made.stamp()
    verdict = verify_bundle(made.export(), made.trust)
    assert verdict.exit_code == 1
    entries = read_lines(tmp_path / "bundle", bag.ENTRIES)
    said = f"ledger entry {entries[1]['index']}: says it was recorded at 2026-11-2"
    assert said in told(verdict)
    assert because in told(verdict)
    assert f"ledger entry {entries[0]['index']}" not in told(verdict)
    made.chamber.engine.dispose()


@pytest.mark.parametrize("lie", [-2 * DAY, 2 * DAY])
def test_rogue_tsa_that_lies_about_the_time_is_named_and_moves_no_bound(tmp_path, lie):
    made = stamping(tmp_path, NONE, NONE, lie)
    three_hours(made)
    bundle = made.export()
    verdict = verify_bundle(bundle, made.trust)
    assert verdict.exit_code == 1
    assert "one of their clocks was false" in told(verdict)
    assert "tsa-c stamped" in told(verdict)
    honest = made.trust["timestamp_authorities"][:2]
    without = verify_bundle(bundle, made.trust | {"timestamp_authorities": honest})
    assert (without.exit_code, without.timestamped, told(without)) == (3, True, "")
    for told_with, true in zip(verdict.times, without.times, strict=True):
        assert told_with.not_after is not None
        late = datetime.fromisoformat(told_with.not_after) - datetime.fromisoformat(true.not_after)
        assert abs(late) < timedelta(minutes=1)
        assert bool(told_with.not_before) == bool(true.not_before)
    made.chamber.engine.dispose()


def test_insider_with_the_log_s_key_cannot_keep_old_tokens_on_a_new_history(site, tmp_path):
    """A rebuilt log, of the same name and key, under the stamped checkpoints of the true one."""
    twin = stamping(tmp_path, NONE, NONE)
    twin.stampers = site.stampers
    twin.chamber.log, twin.chamber.signer = site.chamber.log, site.chamber.signer
    twin.chamber.say("change", {"history": "new"})
    for _ in range(30):
        twin.chamber.say("change", {"more": True}, CASE)
    twin.chamber.integrate()
    bundle = twin.export()
    shutil.copytree(site.chamber.folder / "bundle/data/time", bundle / "data/time")
    verdict = forged(twin, bundle, lambda _: None)
    assert verdict.exit_code == 1
    assert not verdict.timestamped
    assert "txt: " in told(verdict)
    twin.chamber.engine.dispose()


PARTS = [bag.TIME_PROOFS, bag.TIME_NOTED, ".txt", "-tsa-a.tsq", "-tsa-a.tsr", ".pem"]


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(PARTS), st.data())
def test_whatever_stands_among_the_timestamps_only_makes_a_finding(site, whole, part, data):
    """`whole` is a copy that each example puts back as it was."""
    path = whole / part if "/" in part else files(whole, part)[0]
    good = path.read_bytes()
    at = data.draw(st.integers(0, len(good)))
    bad = good[:at] + data.draw(st.binary(max_size=40)) + good[at + data.draw(st.integers(0, 40)) :]
    path.write_bytes(bad)
    try:
        rebag(whole)
        restate(whole, site.chamber.signer)
        verdict = verify_bundle(whole, site.trust)
    finally:
        path.write_bytes(good)
    assert (verdict.exit_code == 3) is (bad == good), (bad, told(verdict))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 1 << 52) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["size", "path", "entry", "index", "leaf"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([bag.TIME_PROOFS, bag.TIME_NOTED]), st.lists(JSON, min_size=1, max_size=3))
def test_lines_of_any_shape_only_make_a_finding(site, whole, name, lines):
    good = (whole / name).read_bytes()
    write_lines(whole, name, lines)
    try:
        rebag(whole)
        restate(whole, site.chamber.signer)
        assert verify_bundle(whole, site.trust).exit_code == 1
    finally:
        (whole / name).write_bytes(good)
