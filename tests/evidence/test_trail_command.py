"""An auditor checks a trail's digests from the bundle alone, and log files once they are opened."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from evidence.__main__ import main
from evidence.canonical import canonical
from evidence.sources.item import Item
from evidence.sources.trail_files import TrailFiles
from evidence.zipapp_build import build
from tests.evidence.chamber import Chamber
from tests.evidence.cloud import ACCOUNT, REGION, client, moto_server
from tests.evidence.trail_bucket import HOUR, START, TRAIL, Trail, new_key, service


@pytest.fixture(scope="module")
def trail():
    with moto_server() as endpoint:
        s3 = client("s3", endpoint)
        where = {"LocationConstraint": REGION}
        s3.create_bucket(Bucket="trail", CreateBucketConfiguration=where)
        made = Trail(s3, "trail", new_key())
        for number in range(3):
            made.hour(number)
        yield made


def bundled(trail: Trail, chamber: Chamber, folder: Path) -> dict[str, bytes]:
    """Write what the command reads of a bundle; return the log files by their names."""
    answers = {
        "GetTrail": {"Trail": trail.described()},
        "GetTrailStatus": {"IsLogging": True},
        "ListPublicKeys": {"PublicKeyList": [trail.public()]},
    }
    (folder / "data/artifacts").mkdir(parents=True)
    (folder / "data/custody").mkdir()
    chamber.say("case.open", {})
    lines, logs = [], {}
    source = TrailFiles(TRAIL, START, START + 3 * HOUR, ACCOUNT, REGION)
    with service(answers) as url:
        clients = SimpleNamespace(cloudtrail=client("cloudtrail", url), s3=trail.s3)
        for one in source.collect(clients):
            assert isinstance(one, Item)
            data = b"".join(iter(one.stream.read, b"")) if one.stream else one.data
            body = chamber.keep(Item(one.name, one.media_type, data, one.sensitive, one.call))
            body |= {"source": "trail_files", "target": f"{ACCOUNT}/{REGION}"}
            if one.sensitive:
                logs[one.name] = data
            stored = body["stored_sha256"]
            with chamber.locker.open(stored) as kept:
                (folder / "data/artifacts" / stored).write_bytes(kept.read())
            opening = {"actor": "stanch", "body": canonical(body).decode(), "salt": "00"}
            lines.append(json.dumps({"index": len(lines), "leaf": "", "opening": opening}))
    (folder / "data/custody/entries.jsonl").write_text("\n".join(lines) + "\n")
    return logs


def test_digests_hold_sealed_logs_are_not_compared_and_opened_ones_are(
    trail: Trail, chamber: Chamber, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = bundled(trail, chamber, tmp_path / "bundle")
    assert main(["trail", str(tmp_path / "bundle")]) == 0
    assert f"{len(logs)} log files, 0 of them opened" in capsys.readouterr().out
    (tmp_path / "logs").mkdir()
    for name, data in logs.items():
        (tmp_path / "logs" / name).write_bytes(data)
    asked = ["trail", str(tmp_path / "bundle"), "--logs", str(tmp_path / "logs")]
    assert main(asked) == 0
    assert f"{len(logs)} of them opened and compared" in capsys.readouterr().out
    name = sorted(logs)[0]
    altered = gzip.compress(gzip.decompress(logs[name]) + b" ")
    (tmp_path / "logs" / name).write_bytes(altered)
    assert main(asked) == 1
    assert "FAIL  log_altered" in capsys.readouterr().out


def test_a_digest_that_was_put_in_place_of_another_is_found(
    trail: Trail, chamber: Chamber, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundled(trail, chamber, tmp_path)
    entries = tmp_path / "data/custody/entries.jsonl"
    rows = [json.loads(line) for line in entries.read_text().splitlines()]
    bodies = [json.loads(row["opening"]["body"]) for row in rows]
    first, second = [i for i, b in enumerate(bodies) if ".digest." in b["name"]][:2]
    bodies[first]["stored_sha256"] = bodies[second]["stored_sha256"]
    for row, body in zip(rows, bodies, strict=True):
        row["opening"]["body"] = canonical(body).decode()
    entries.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert main(["trail", str(tmp_path)]) == 1
    assert "FAIL  digest_misplaced" in capsys.readouterr().out


def test_an_altered_artifact_and_a_bundle_without_a_trail_are_said(
    trail: Trail, chamber: Chamber, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundled(trail, chamber, tmp_path)
    for path in (tmp_path / "data/artifacts").iterdir():
        path.write_bytes(path.read_bytes() + b"\n")
    assert main(["trail", str(tmp_path)]) == 1
    assert "is not what its name says" in capsys.readouterr().err
    (tmp_path / "data/custody/entries.jsonl").write_text("")
    assert main(["trail", str(tmp_path)]) == 2


def test_the_one_file_that_auditors_get_has_the_command_and_needs_only_cryptography(
    tmp_path: Path,
) -> None:
    build(tmp_path / "verify.pyz")
    empty = tmp_path / "bundle/data/custody"
    empty.mkdir(parents=True)
    (empty / "entries.jsonl").write_text("")
    # -I: nothing of this folder, or of the environment.
    asked = [sys.executable, "-I", str(tmp_path / "verify.pyz"), "trail", str(tmp_path / "bundle")]
    ran = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (ran.returncode, "holds no files of a trail" in ran.stderr) == (2, True), ran.stderr
