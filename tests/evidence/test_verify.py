"""The verdict: its exit codes, and what a hostile bundle cannot make the verifier do."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evidence import bag, keys
from evidence.verify import verify_bundle
from evidence.verify_report import MAX_PROBLEMS, Exit
from tests.evidence.chamber import Chamber, fill, make_chamber
from tests.evidence.forgery import read_lines, rebag, restate, write_lines

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    chamber = make_chamber(tmp_path_factory.mktemp("chamber"))
    fill(chamber)
    bundle = chamber.export()
    chamber.write_trust()
    yield chamber, bundle
    chamber.engine.dispose()


@pytest.fixture
def copy(original, tmp_path):
    return Path(shutil.copytree(original[1], tmp_path / "copy"))


def told(chamber: Chamber, bundle: Path, trust=None) -> tuple[int, str]:
    verdict = verify_bundle(bundle, trust or chamber.trust)
    return verdict.exit_code, "\n".join(f"{p.file}: {p.what}" for p in verdict.problems)


def test_a_good_bundle_without_witness_is_3_and_every_check_held(original):
    verdict = verify_bundle(original[1], original[0].trust)
    assert verdict.exit_code == Exit.UNWITNESSED == 3
    assert verdict.status == "valid but unwitnessed and untimestamped"
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


# What a hostile bundle may hold: how it is planted, and what is said of it.


def link(bundle):
    (bundle / bag.INFO).rename(bundle.parent / "info")
    (bundle / bag.INFO).symlink_to(bundle.parent / "info")


def link_folder(bundle):
    shutil.move(bundle / "data/custody", bundle.parent / "custody")
    (bundle / "data/custody").symlink_to(bundle.parent / "custody")


def list_path(path):
    def plant(bundle):
        with (bundle / bag.MANIFEST).open("a") as file:
            file.write(f"{'ab' * 32}  {path}\n")

    return plant


def write(name, data):
    def plant(bundle):
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        (bundle / name).write_bytes(data)

    return plant


def append(name, data):
    def plant(bundle):
        with (bundle / name).open("ab") as file:
            file.write(data)

    return plant


def pipe(bundle):
    (bundle / bag.ENTRIES).unlink()
    os.mkfifo(bundle / bag.ENTRIES)


def deep(bundle):
    (bundle / "/".join(["data", *"abcdefghijkl"])).mkdir(parents=True)
    (bundle / "/".join(["data", *"abcdefghijkl", "x"])).write_text("x")


def sparse(bundle):
    path = next((bundle / bag.ARTIFACTS).iterdir())
    os.truncate(path, 1 << 42)


HOSTILE = {
    "a linked file": (link, r"bag-info.txt: is a symbolic link"),
    "a linked folder": (link_folder, "data/custody: is a symbolic link"),
    "a listed path upward": (list_path("data/../../x"), "names an unsafe path 'data/../../x'"),
    "a listed absolute path": (list_path("/etc/passwd"), "names an unsafe path '/etc/passwd'"),
    "a listed dot path": (list_path("data/./x"), "names an unsafe path"),
    "a listed encoded path": (list_path("data/%2e%2e/x"), "names an unsafe path"),
    "a listed backslash": (list_path("data\\x"), "names an unsafe path"),
    "a listed home path": (list_path("~/x"), "names an unsafe path"),
    "a path listed twice": (list_path(bag.ENTRIES), "names data/custody/entries.jsonl again"),
    "a listed path that is not there": (list_path("data/more"), "data/more: is listed in manifest"),
    "a line that is no listing": (append(bag.MANIFEST, b"x\n"), "is not '<sha256>  <path>'"),
    "a listing that is no text": (append(bag.MANIFEST, b"\xff\n"), "not ASCII"),
    "something to fetch": (write("fetch.txt", b"https://x - data/x\n"), "fetches nothing"),
    "a twin in other case": (write("data/case/TIMELINE.json", b"[]"), "differs from"),
    "an unlisted file": (write("data/more", b"x"), "data/more: is not listed"),
    "an unlisted tag file": (write("more.txt", b"x"), "more.txt: is not listed"),
    "a hidden file": (write(".hidden", b"x"), "has an unsafe name"),
    "a name with a line break": (write("data/a\nb", b"x"), r"data/a\nb: has an unsafe name"),
    "a name that colours": (write("data/\x1b[31m", b"x"), r"data/\x1b[31m: has an unsafe name"),
    "a name that is no text": (write(os.fsdecode(b"data/\xff"), b"x"), r"data/\udcff: has an unsa"),
    "a pipe": (pipe, "entries.jsonl: is no plain file"),
    "nested folders": (deep, "nested too deep"),
    "a sparse file": (sparse, "bag-info.txt: states a payload of"),
    "a huge line": (append(bag.ENTRIES, b'"' + b"a" * (1 << 21) + b'"\n'), "at most 1048576"),
    "a deep line": (append(bag.ENTRIES, b"[" * 100_000 + b"\n"), "line 8: JSON nested deeper"),
    "a line of another shape": (
        append(bag.ENTRIES, b"{}\n"),
        "line 8: has not exactly index, leaf",
    ),
    "a line of another type": (append(bag.ENTRIES, b"[]\n"), "line 8: has not exactly index, leaf"),
    "a negative index": (
        append(bag.ENTRIES, b'{"index":-1,"leaf":"","opening":null}\n'),
        "ledger entry -1: has a malformed index",
    ),
    "a proof of another shape": (append(bag.PROOFS, b'{"index":1}\n'), "line 8: is no proof"),
    "a short proof step": (append(bag.PROOFS, b'{"index":1,"path":["00"]}\n'), "line 8: is no pro"),
    "a proof that is no object": (append(bag.PROOFS, b"[]\n"), "line 8: is no proof"),
    "another bag version": (write(bag.DECLARATION, b"BagIt-Version: 0.9\n"), "does not declare"),
    "a huge declaration": (write(bag.DECLARATION, b"x" * 5000), "is larger than 1024 bytes"),
    "two totals": (append(bag.INFO, b"Payload-Oxum: 1.1\n"), "no Payload-Oxum, or more than one"),
    "a head that is no text": (write(bag.CHECKPOINT, b"\xff"), "checkpoint: is not UTF-8"),
    "an export that is no text": (write(bag.EXPORT, b"\xff"), "export.jws: token is not ASCII"),
    "a huge export": (write(bag.EXPORT, b"a" * (1 << 20)), "export.jws: is larger than"),
}


@pytest.mark.parametrize(("plant", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_bundle_is_refused_with_its_reason_and_in_time(original, copy, plant, said):
    plant(copy)
    start = time.monotonic()
    code, found = told(original[0], copy)
    assert code in (1, 2)
    assert said in found, found
    assert found.isascii()
    assert "\x1b" not in found
    assert time.monotonic() - start < 20


def test_a_hostile_opening_is_refused(original, copy):
    for opening, said in (
        ([], "without exactly actor, body and salt"),
        ({"actor": "a", "body": "{}", "salt": "xy"}, "a salt that is not hex"),
        ({"actor": "a", "body": "{}"}, "without exactly actor, body and salt"),
    ):
        lines = read_lines(original[1], bag.ENTRIES)
        lines[0]["opening"] = opening
        write_lines(copy, bag.ENTRIES, lines)
        code, found = told(original[0], copy)
        assert code == 1
        assert f"ledger entry 0: has an opening {said}" in found or said in found


def test_a_statement_of_another_shape_is_refused(original, copy):
    from evidence import jws
    from evidence.canonical import canonical

    chamber = original[0]
    for stated in ({"schema": bag.EXPORT_SCHEMA}, []):
        text = canonical(stated)
        token = jws.sign(text, chamber.signer.key, chamber.signer.kid, bag.EXPORT_TYP)
        (copy / bag.EXPORT).write_text(token)
        code, found = told(chamber, copy)
        assert code == 1
        assert "export.jws: has not exactly the members" in found


def test_a_report_stays_readable_when_everything_is_wrong(original, copy):
    for number in range(MAX_PROBLEMS + 50):
        (copy / f"more{number}").write_text("x")
    verdict = verify_bundle(copy, original[0].trust)
    assert len(verdict.problems) == MAX_PROBLEMS
    assert verdict.exit_code == 1


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "evidence", "verify", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_the_command_line_tells_and_exits_as_the_verdict(original, copy):
    chamber, bundle = original
    trust = str(chamber.folder / "trust.json")
    good = run(str(bundle), "--trust", trust)
    assert (good.returncode, good.stderr) == (3, "")
    assert good.stdout.endswith("verdict: valid but unwitnessed and untimestamped\n")
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
