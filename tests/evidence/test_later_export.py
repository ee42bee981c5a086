"""An export is recorded after it was made: a later bundle tells of it, and of no other history."""

import json
import shutil

import pytest

from evidence import bag, bundle
from evidence.__main__ import main
from evidence.ledger import sqlite_engine
from evidence.verify import verify_bundle
from tests.evidence.chamber import CASE, fill, make_chamber
from tests.evidence.forgery import rebag, restate


def exported(chamber, name, case=CASE):
    """Export as `stanch export` does, and record it afterwards."""
    with chamber.begin() as conn:
        made = bundle.export(conn, chamber.locker, case, chamber.signer, chamber.folder / name)
    body = {"tagmanifest_sha256": made.tagmanifest_sha256, "entries": made.entries}
    chamber.say("export", body, case)
    chamber.integrate()
    return made


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    chamber = make_chamber(tmp_path_factory.mktemp("chamber"))
    fill(chamber)
    made = [exported(chamber, name) for name in ("first", "second")]
    exported(chamber, "other", "INC-2")
    yield chamber, *made
    chamber.engine.dispose()


def test_the_later_bundle_tells_which_exports_there_were(twice):
    chamber, first, second = twice
    assert verify_bundle(first.path, chamber.trust).exports == ()
    verdict = verify_bundle(second.path, chamber.trust)
    (one,) = verdict.exports
    assert (one.index, one.entries, one.tagmanifest_sha256) == (9, 7, first.tagmanifest_sha256)
    assert verdict.recorded_at is None


def test_with_the_later_bundle_the_earlier_one_is_known_as_the_one_exported(twice, capsys):
    chamber, first, second = twice
    verdict = verify_bundle(first.path, chamber.trust, second.path)
    assert (verdict.exit_code, verdict.problems, verdict.recorded_at) == (3, (), 9)
    trust = ["--trust", str(chamber.write_trust())]
    assert main(["verify", str(first.path), *trust, "--later", str(second.path)]) == 3
    assert "records this export as ledger entry 9" in capsys.readouterr().out
    assert main(["verify", str(second.path), *trust, "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["exports"][0]["tagmanifest_sha256"] == first.tagmanifest_sha256
    assert main(["verify", str(second.path), *trust]) == 3
    assert f"tag manifest {first.tagmanifest_sha256}" in capsys.readouterr().out


def reissued(twice, tmp_path, change):
    """The first bundle, changed and signed anew by the holder of the manifest key."""
    chamber, first, _ = twice
    copy = shutil.copytree(first.path, tmp_path / "copy")
    change(copy)
    rebag(copy)
    restate(copy, chamber.signer)
    return copy


def test_a_bundle_signed_anew_is_not_the_one_that_was_recorded(twice, tmp_path):
    chamber, _, second = twice
    copy = reissued(
        twice, tmp_path, lambda copy: (copy / bag.GUIDE).write_text("Believe this bundle.")
    )
    assert verify_bundle(copy, chamber.trust).exit_code == 3
    verdict = verify_bundle(copy, chamber.trust, second.path)
    assert verdict.exit_code == 2
    assert verdict.recorded_at is None
    assert [p.what for p in verdict.problems] == [
        "no entry of the later bundle records that this bundle was exported"
    ]


def test_a_history_that_was_rewritten_in_between_is_found(chamber):
    """The insider holds every key, and copied the database before the first export."""
    chamber.say("case.open", {"finding": "other"})
    chamber.integrate()
    chamber.engine.dispose()
    shutil.copy(chamber.folder / "ledger.db", chamber.folder / "copied.db")
    chamber.say("change", {"what": "really happened"})
    chamber.integrate()
    first = exported(chamber, "first")
    before, chamber.engine = chamber.engine, sqlite_engine(chamber.folder / "copied.db")
    before.dispose()
    chamber.say("change", {"what": "never happened"})
    chamber.integrate()
    body = {"tagmanifest_sha256": first.tagmanifest_sha256, "entries": first.entries}
    chamber.say("export", body)
    chamber.integrate()
    rewritten = exported(chamber, "rewritten")
    for made in (first, rewritten):
        assert verify_bundle(made.path, chamber.trust).exit_code == 3
    verdict = verify_bundle(first.path, chamber.trust, rewritten.path)
    assert (verdict.exit_code, verdict.recorded_at) == (1, None)
    assert "one history was rewritten" in verdict.problems[0].what


def test_an_earlier_bundle_is_no_later_one(twice):
    chamber, first, second = twice
    verdict = verify_bundle(second.path, chamber.trust, first.path)
    assert verdict.exit_code == 1
    assert "one history was rewritten" in verdict.problems[0].what


@pytest.mark.parametrize("name", ["another case", "spoiled", "nothing"])
def test_a_later_bundle_that_cannot_tell_is_named(twice, tmp_path, name):
    chamber, first, second = twice
    spoiled = shutil.copytree(second.path, tmp_path / "spoiled")
    (spoiled / bag.TIMELINE).write_text("[]")
    later = {
        "another case": chamber.folder / "other",
        "spoiled": spoiled,
        "nothing": tmp_path / "nothing",
    }[name]
    verdict = verify_bundle(first.path, chamber.trust, later)
    assert verdict.exit_code == 2
    (problem,) = verdict.problems
    assert problem.file == "later bundle"
