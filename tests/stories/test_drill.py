"""A drill's every claim holds, and no secret lies where it should not.

One scenario, its commands forked; `make drill` plays all of them as a user does.
"""

import base64
import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evidence import jws_token, ledger
from evidence.locker import Locker
from evidence.manifest_values import Encryption
from playbooks.drills.range.estate import build_estate
from playbooks.drills.range.world import World
from playbooks.wiring import keyring

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Drilled:
    status: int
    out: str
    folder: Path
    kept: Path

    @property
    def score(self) -> Any:
        return json.loads((self.folder / "scorecard.json").read_text())


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Drilled:
    folder = tmp_path_factory.mktemp("drill")
    kept = folder / "kept"
    kept.mkdir()
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.stories.forking_drill",
            "--scenario",
            "compromised-instance",
            "--out",
            str(folder),
            "--keep",
        ],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(kept), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Drilled(ran.returncode, ran.stdout + ran.stderr, folder, kept)


def test_every_claim_of_the_drill_holds(drilled: Drilled) -> None:
    wrong = [c for c in drilled.score["claims"] if not c["ok"]]
    assert wrong == []
    assert drilled.status == 0, drilled.out
    assert len(drilled.score["claims"]) >= 50


def test_both_ways_in_are_timed_from_the_alert(drilled: Drilled) -> None:
    figures = drilled.score["figures"]
    for way in ("queue", "signed request"):
        # What bounds it is in bench/; here the order is: nothing is taken before it is asked for.
        assert 0 < figures[f"{way} to first denial"] < figures[f"{way} to contained"]


def test_the_drill_leaves_bundle_trust_and_scorecard(drilled: Drilled) -> None:
    assert {"bundle", "trust.json", "scorecard.json"} <= {p.name for p in drilled.folder.iterdir()}


def test_the_screen_names_what_a_lead_must_know(drilled: Drilled) -> None:
    for words in (
        "isolate_instance",
        "sha256",
        "tracked flows",
        "exactly as it was",
        "sibling",
        "released",
        "sessions from before",
    ):
        assert words in drilled.out


def secrets() -> dict[str, str]:
    """Return what must not leak, by what it is; the range is the same for the same seed."""
    world = World()
    estate = build_estate(world)
    stolen = world.instance_credentials(estate.target)
    return {
        "user data": estate.canary,
        "finding": "canary-in-finding",
        "external id": estate.external_id,
        "responder key": estate.responder.secret_key,
        "the host's key": stolen.secret_key,
        "the host's token": stolen.token,
        # Of an address to upload to, whatever its signature is.
        "an address that opens the bucket": "X-Amz-Signature=",
    }


def forms(secret: str) -> set[bytes]:
    """Return the secret as itself and as it looks inside base64, at each of its three places."""
    plain = secret.encode()
    shifted = {base64.b64encode(b"x" * n + plain)[2 * n :] for n in range(3)}
    # The ends depend on the neighbours.
    return {plain, plain.hex().encode()} | {text[2:-4] for text in shifted}


def lies_in(secret: str, data: bytes) -> bool:
    return any(form in data for form in forms(secret))


@pytest.mark.parametrize("before", range(4))
def test_a_secret_is_found_within_base64_too(before: int) -> None:
    for secret in secrets().values():
        held = base64.b64encode(b"#" * before + secret.encode() + b" and more")
        assert lies_in(secret, held)
        assert not lies_in(secret, base64.b64encode(secret[::-1].encode()))


def test_the_secrets_were_there_to_leak(drilled: Drilled) -> None:
    """Else nobody would find them anywhere: handed in, in use, and collected as evidence."""
    home = next(drilled.kept.rglob("stanch.db")).parent
    finding = next(drilled.kept.rglob("finding.json")).read_text()
    assert "canary-in-finding" in finding
    assert build_estate(World()).target in finding
    wrap = keyring.load(home / "keys", "drill.stanch.local/ledger").wrap
    opened = b""
    for path in (drilled.folder / "bundle" / "data" / "custody" / "manifests").iterdir():
        told = json.loads(jws_token.unbase64url(path.read_text().strip().split(".")[1]))
        if sealed := told.get("encryption"):
            how = Encryption(sealed["key"], sealed["wrapped_key"], sealed["wrap"])
            opened += Locker(home / "evidence").open_sensitive(told["stored"]["sha256"], how, wrap)
    assert lies_in(secrets()["user data"], opened)


def test_no_canary_is_found_anywhere(drilled: Drilled) -> None:
    """Finding, environment, role credentials, user data: not in logs, ledger, database, Prefect."""
    files = [p for p in (*drilled.kept.rglob("*"), *drilled.folder.rglob("*")) if p.is_file()]
    # What handed the secret in may hold it: the finding's own file.
    files = [p for p in files if p.name != "finding.json"]
    assert any(p.name == "prefect.db" for p in files)
    assert any(p.name == "stanch.db" for p in files)
    for name, secret in secrets().items():
        assert not lies_in(secret, drilled.out.encode()), f"{name} was printed"
        found = [str(p) for p in files if lies_in(secret, p.read_bytes())]
        assert found == [], f"{name} lies in {found}"


def test_prefect_holds_no_access_key(drilled: Drilled) -> None:
    """Of the session that Stanch assumed, nobody outside knows the secret, but its id shows."""
    database = next(drilled.kept.rglob("prefect.db")).read_bytes()
    assert b"ASIA" not in database
    assert b"AKIA" not in database


def unshown(kept: Path) -> set[str]:
    """Return the incidents of which an entry is recorded as not shown."""
    engine = ledger.sqlite_engine(next(kept.rglob("stanch.db")))
    with engine.connect().execution_options(read_only=True) as conn:
        found = {
            case
            for case in ("INC-0001", "INC-0002")
            if any(one.leaf.kind == "play.unshown" for one in ledger.entries(conn, case))
        }
    engine.dispose()
    return found


def test_prefect_shows_the_play_and_stores_nothing_but_the_incident(drilled: Drilled) -> None:
    database = sqlite3.connect(next(drilled.kept.rglob("prefect.db")))
    try:
        runs = database.execute("select name, state_name, parameters from flow_run").fetchall()
        tasks = {row[0] for row in database.execute("select name from task_run")}
        versions = database.execute("select task_inputs from task_run").fetchall()
        artifacts = database.execute("select count(*) from artifact where data is not null")
        assert artifacts.fetchone() == (0,)
    finally:
        database.close()
    shown = {name.rpartition("-")[0] for name, state, _ in runs if state == "Waiting"}
    # A machine with other work may keep Prefect from taking a run in time: then it is recorded.
    assert {"INC-0001", "INC-0002"} <= shown | unshown(drilled.kept)
    for name, _, parameters in runs:
        assert json.loads(parameters) == {"incident_id": name.rpartition("-")[0]}
    assert all(json.loads(inputs) == {} for (inputs,) in versions)
    if not shown:
        pytest.skip("Prefect took no run within 2 s here; run it again on a quiet machine")
    verbs = {name.partition("/")[0] for name in tasks}
    assert {"keep", "tell", "seal", "ask", "isolate_instance", "snapshot_volumes"} <= verbs
