"""The verdict: its exit codes, and what a hostile bundle cannot make the verifier do."""

import json
import shutil
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from evidence import bag, keys
from evidence.__main__ import main
from evidence.verify import verify_bundle
from evidence.verify_entries import check_checkpoint
from evidence.verify_files import check_files, find_files
from evidence.verify_report import Custody, Exit, Report
from tests.evidence.chamber import Chamber, fill, make_chamber
from tests.evidence.forgery import rebag, restate

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    chamber = make_chamber(tmp_path_factory.mktemp("chamber"))
    fill(chamber)
    bundle = chamber.export()
    chamber.write_trust()
    yield chamber, bundle
    chamber.engine.dispose()


def told(chamber: Chamber, bundle: Path, trust=None) -> tuple[int, str]:
    verdict = verify_bundle(bundle, trust or chamber.trust)
    return verdict.exit_code, "\n".join(f"{p.file}: {p.what}" for p in verdict.problems)


def test_a_good_bundle_without_witness_is_3_and_every_check_held(original):
    verdict = verify_bundle(original[1], original[0].trust)
    assert verdict.exit_code == Exit.UNWITNESSED == 3
    assert verdict.status == "valid but unwitnessed, untimestamped and open-ended"
    assert verdict.problems == ()
    counted = {check.name: check.count for check in verdict.checks if check.ok}
    assert len(counted) == len(verdict.checks)
    assert counted["inclusion proofs"] == counted["leaves and openings"] == 7
    assert counted["manifests"] == counted["artifacts and manifests"] == 3


def test_without_trust_the_rest_is_checked_and_the_exit_is_4(original, copy):
    assert verify_bundle(original[1], None).exit_code == Exit.TRUST_MISSING == 4
    (copy / bag.GUIDE).write_text("trust me")
    verdict = verify_bundle(copy, None)
    assert verdict.exit_code == Exit.INVALID == 1


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "else.example"},
        {"log_vkey": "x"},
        {"log_vkey": 1},
        {"manifest_keys": []},
        {"manifest_keys": 1},
        {"manifest_keys": [{}]},
        {"manifest_keys": [{"kid": "a", "kty": "RSA"}]},
        {"manifest_keys": ["x"]},
    ],
    ids=str,
)
def test_malformed_trust_input_is_4(original, change):
    chamber, bundle = original
    code, said = told(chamber, bundle, chamber.trust | change)
    assert code == 4
    assert "trust" in said
    trust = dict(chamber.trust)
    del trust[next(iter(change))]
    assert told(chamber, bundle, trust)[0] == 4


def test_one_of_several_trusted_manifest_keys_is_enough(original):
    from cryptography.hazmat.primitives.asymmetric import ec

    chamber, bundle = original
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    both = keys.trust(chamber.log.verifier, [other, chamber.signer.key.public_key()])
    assert told(chamber, bundle, both) == (3, "")


def test_a_path_that_holds_no_bundle_is_2(original, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for name in ("empty", "file", "nothing"):
        assert told(original[0], tmp_path / name)[0] == Exit.INCOMPLETE == 2


def test_a_missing_artifact_is_2_and_an_altered_one_1(original, copy):
    artifact = next((copy / bag.ARTIFACTS).iterdir())
    data = artifact.read_bytes()
    artifact.unlink()
    assert told(original[0], copy)[0] == 1  # its size is missing from the signed total
    artifact.write_bytes(b"x" + data[1:])
    assert told(original[0], copy)[0] == 1


def reseal(chamber, bundle):
    rebag(bundle)
    restate(bundle, chamber.signer)


def test_a_bundle_signed_without_an_artifact_is_2_and_names_it(original, copy):
    artifact = next((copy / bag.ARTIFACTS).iterdir())
    artifact.unlink()
    reseal(original[0], copy)
    code, said = told(original[0], copy)
    assert code == 2
    assert f"{bag.ARTIFACTS}{artifact.name}: is named by" in said


def test_an_erased_opening_leaves_a_valid_bundle_unless_it_named_an_artifact(chamber):
    fill(chamber)
    with chamber.begin() as conn:
        conn.exec_driver_sql("DELETE FROM ledger_openings WHERE entry_id = 4")
    assert told(chamber, chamber.export("erased")) == (3, "")
    with chamber.begin() as conn:
        conn.exec_driver_sql("DELETE FROM ledger_openings WHERE entry_id = 3")
    code, said = told(chamber, chamber.export("more"))
    assert code == 2
    assert "ledger entry 2: its body is not open" in said


def test_files_that_cannot_be_read_are_named(original, copy):
    report = Report()
    files = find_files(copy, report)
    shutil.rmtree(copy)
    listed = check_files(files, report)
    check_checkpoint(files, None, report)
    assert listed == {}
    assert {p.file for p in report.problems} >= {bag.MANIFEST, bag.INFO, bag.CHECKPOINT}
    assert all(
        "cannot be read: No such file" in p.what or "listed" in p.what for p in report.problems
    )


def test_a_file_that_vanishes_while_hashing_is_named(original, copy):
    report = Report()
    files = find_files(copy, report)
    (copy / bag.TIMELINE).unlink()
    check_files(files, report)
    assert [(p.file, p.what) for p in report.problems] == [
        (bag.TIMELINE, "cannot be read: No such file or directory")
    ]


def test_main_returns_the_exit_code(original, copy, capsys):
    chamber, bundle = original
    trust = ["--trust", str(chamber.folder / "trust.json")]
    assert main(["verify", str(bundle), *trust]) == 3
    assert "ok    sequence without gaps (7)" in capsys.readouterr().out
    assert main(["verify", str(bundle), *trust, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["problems"] == []
    assert main(["verify", str(bundle)]) == 4
    (copy / bag.TIMELINE).write_text("[]")
    assert main(["verify", str(copy), *trust]) == 1
    assert "FAIL  timeline (7)" in capsys.readouterr().out
    (copy / "trust.json").write_text("[]")
    assert main(["verify", str(bundle), "--trust", str(copy / "trust.json")]) == 4
    assert "is no JSON object" in capsys.readouterr().err


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "evidence", "verify", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_command_line_tells_and_exits_as_the_verdict(original, copy):
    chamber, bundle = original
    trust = str(chamber.folder / "trust.json")
    good = run(str(bundle), "--trust", trust)
    assert (good.returncode, good.stderr) == (3, "")
    assert good.stdout.endswith("verdict: valid but unwitnessed, untimestamped and open-ended\n")
    assert run(str(bundle)).returncode == 4
    (copy / bag.TIMELINE).write_text("[]")
    bad = run(str(copy), "--trust", trust, "--json")
    assert bad.returncode == 1
    verdict = json.loads(bad.stdout)
    assert verdict["exit_code"] == 1
    assert verdict["status"] == "invalid"
    assert bag.TIMELINE in {problem["file"] for problem in verdict["problems"]}
    assert {"name": "timeline", "ok": False, "count": 7} in verdict["checks"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a":1,"a":2}', "x" * (1 << 21)])
def test_unreadable_trust_input_exits_4(original, tmp_path, text):
    (tmp_path / "trust.json").write_text(text)
    done = run(str(original[1]), "--trust", str(tmp_path / "trust.json"))
    assert done.returncode == 4
    assert "trust input" in done.stderr
    assert run(str(original[1]), "--trust", str(tmp_path / "none")).returncode == 4


def test_only_what_is_witnessed_timestamped_complete_and_pinned_is_plainly_valid():
    words = ("unwitnessed", "untimestamped", "open-ended", "unpinned")
    for held in product((False, True), repeat=4):
        custody = Custody(1, ("alice",), () if held[3] else ("alice",))
        report = Report(witnessed=held[0], timestamped=held[1], complete=held[2], custody=custody)
        verdict = report.verdict()
        assert verdict.exit_code == (0 if all(held) else 3)
        assert [word in verdict.status for word in words] == [not one for one in held]
        assert len(verdict.lacking) == held.count(False)


def test_no_outside_proof_outweighs_a_problem():
    report = Report(witnessed=True, timestamped=True)
    report.invalid("data/custody/checkpoint", "was altered")
    assert report.verdict().exit_code == Exit.INVALID
