"""A finding from the command line: respond, show, export, undo, with least privilege over HTTP."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from evidence.enclosure import unseal
from evidence.verify import verify_bundle
from playbooks.case import store
from playbooks.case.store import Store
from playbooks.wiring.parts import assemble
from playbooks.wiring.settings import load
from tests.playbooks.desk.console import desk, stanch
from tests.playbooks.scene import Scene, apart

ROOT = Path(__file__).resolve().parents[3]


def respond(made: Any, *more: str) -> Any:
    return stanch("respond", made.finding, "--without-prefect", *more)


@apart
def test_a_finding_is_answered_shown_exported_and_undone(scene: Scene) -> None:
    with desk(scene) as made:
        planned = respond(made, "--dry-run")
        assert planned.status == 0, planned.err
        assert "isolate_instance" in planned.out
        acts = respond(made, "--dry-run", "--json").json["acts"]
        assert all(a["may"] == "yes" for a in acts[:-1])
        assert len({a["step"] for a in acts}) == len(acts)
        assert scene.changed() == []
        assert stanch("show", "--json").json == []

        first = respond(made, "--json")
        assert (first.status, first.json["ended"]) == (0, "Waiting"), first.err
        assert first.json["status"].startswith("contained")
        did = scene.changed()
        again = respond(made, "--json").json
        assert again["id"] == first.json["id"]
        assert scene.changed() == did

        shown = stanch("show", "INC-0001")
        assert shown.status == 0
        for word in ("isolate_instance", "tracked flows", "Q-0001"):
            assert word in shown.out
        told = stanch("show", "INC-0001", "--json").json
        assert [s["number"] for s in told["steps"]] == list(range(1, len(told["steps"]) + 1))
        assert "INC-0001" in stanch("show").out
        assert scene.estate.canary not in shown.out + json.dumps(told)
        assert scene.estate.external_id not in shown.out + json.dumps(told)

        bundle = scene.folder / "bundle[red]"
        exported = stanch("export", "INC-0001", "-o", bundle)
        assert exported.status == 0, exported.err
        assert str(bundle) in exported.out
        assert (bundle / "bagit.txt").is_file()

        asked = stanch("rollback", "INC-0001", "--key", made.alice)
        assert "stanch approve Q-0002" in asked.out
        assert "snapshot_volumes" in asked.out
        own = stanch("approve", "Q-0002", "--key", made.alice)
        assert (own.status, "somebody else must answer" in own.err) == (1, True)
        yes = stanch("approve", "Q-0002", "--key", made.bob, "--reason", "false alarm")
        assert yes.status == 0, yes.err
        assert "rollback INC-0001" in yes.out
        undone = stanch("rollback", "INC-0001", "--key", made.alice)
        assert undone.status == 0, undone.out + undone.err
        assert stanch("show", "INC-0001", "--json").json["status"] == "rolled-back"
        assert stanch("rollback", "INC-0001", "--key", made.bob).status == 0
        asked_again = stanch("show", "INC-0001", "--json").json["questions"]
        assert [q["id"] for q in asked_again] == ["Q-0001", "Q-0002"]
        scene.world.calls.clear()
        assert stanch("resume", "INC-0001", "--without-prefect").status == 0
        assert scene.changed() == []

        later = scene.folder / "later"
        assert stanch("export", "INC-0001", "-o", later).status == 0
        trust = json.loads((made.folder / "home" / "keys" / "trust.json").read_text())
        verdict = verify_bundle(bundle, trust, later)
        assert verdict.problems == ()
        assert verdict.recorded_at is not None
        check_sealed(scene, trust)


def check_sealed(scene: Scene, trust: Any) -> None:
    """One file that its recipient opens; nothing lies beside it in the clear."""
    key = X25519PrivateKey.generate()
    public = scene.folder / "auditor.pem"
    public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    sealed, before = scene.folder / "case.sealed", set(scene.folder.iterdir())
    asked = ("export", "INC-0001", "-o", sealed, "--recipient", public)
    ran = stanch(*asked)
    assert (ran.status, "evidence open" in ran.out) == (0, True), ran.err
    assert set(scene.folder.iterdir()) - before == {sealed}
    assert sealed.stat().st_mode & 0o077 == 0
    with sealed.open("rb") as source:
        unseal(source, key, scene.folder / "opened")
    assert verify_bundle(scene.folder / "opened", trust).problems == ()
    again = stanch(*asked)
    assert (again.status, "never written over" in again.err) == (1, True)
    wrong = stanch(*asked[:3], scene.folder / "other", "--recipient", sealed)
    assert (wrong.status, "no public key in PEM" in wrong.err) == (1, True)
    assert not (scene.folder / "other").exists()


@apart
def test_a_sample_proposes_and_a_finding_without_a_play_is_told(scene: Scene) -> None:
    with desk(scene) as made:
        finding = json.loads(made.finding.read_text())
        finding["detail"]["type"] = "Recon:IAMUser/MaliciousIPCaller"
        made.finding.write_text(json.dumps(finding))
        planned = respond(made, "--dry-run")
        assert (planned.status, "would only propose" in planned.out) == (0, True)
        ran = respond(made, "--json")
        assert (ran.status, ran.json["ended"]) == (0, "Proposed")
        assert respond(made).status == 0
        resumed = stanch("resume", "INC-0001", "--without-prefect")
        assert (resumed.status, "has no play" in resumed.err) == (1, True)
        assert scene.changed() == []


@apart
def test_a_person_opens_an_incident_and_a_stranger_does_not(scene: Scene) -> None:
    estate = scene.estate
    aim = ["--play", "compromised-instance", "--account", estate.account, "--reason", "beacon"]
    aim += ["--region", estate.region, "--target", estate.sibling, "--without-prefect", "--json"]
    with desk(scene) as made:
        stanch("person", "eve", "--key", scene.folder / "eve.key")
        strange = stanch("open", *aim, "--key", scene.folder / "eve.key")
        assert (strange.status, "nobody" in strange.err) == (1, True)
        assert scene.changed() == []
        ran = stanch("open", *aim, "--key", made.alice)
        assert (ran.status, ran.json["ended"]) == (0, "Waiting"), ran.err
        assert ran.json["requester"] == "alice"
        unread = stanch("approve", "Q-0001", "--key", made.bob)
        assert (unread.status, "--yes" in unread.err) == (1, True)
        assert estate.sibling in unread.out
        assert stanch("show", "INC-0001", "--json").json["questions"][0]["state"] == "open"
        denied = stanch("approve", "Q-0001", "--key", made.bob, "--deny")
        assert (denied.status, "Q-0001" in denied.out) == (0, True)
        assert stanch("approve", "Q-0404", "--key", made.bob).status == 1
        ended = stanch("resume", "INC-0001", "--without-prefect", "--json")
        assert ended.json["ended"] == "Completed"
        assert "TerminateInstances" not in scene.changed()


@apart
def test_a_host_that_drifted_leaves_rollback_with_a_bad_status(scene: Scene) -> None:
    with desk(scene) as made:
        respond(made)
        scene.aws("ec2").create_tags(
            Resources=[scene.estate.target], Tags=[{"Key": "stanch:incident", "Value": "INC-9"}]
        )
        told = stanch("show", "INC-0001", "--json").json["steps"]
        (number,) = [str(t["number"]) for t in told if t["step"].startswith("tag_incident/")]
        undo = ("rollback", "INC-0001", "--key", made.alice, "--step", number)
        stanch(*undo)
        stanch("approve", "Q-0002", "--key", made.bob)
        ran = stanch(*undo)
        assert (ran.status, "tag_incident" in ran.out) == (1, True)
        (left,) = [
            t
            for t in stanch("show", "INC-0001", "--json").json["steps"]
            if str(t["number"]) == number
        ]
        assert (left["phase"], "INC-9" in left["error"]) == ("undoing", True)


@apart
def test_doctor_names_what_is_not_well(scene: Scene) -> None:
    with desk(scene) as made:
        well = stanch("doctor")
        assert (well.status, "bad" in well.out) == (0, False), well.out + well.err
        os.environ["STANCH_DRILL_EXTERNAL_ID"] = "canary-wrong"
        config = Path(os.environ["STANCH_CONFIG"])
        config.write_text(config.read_text().partition("[people.bob]")[0])
        store_ = Store(assemble(load()).engine)
        # Somebody edits the ledger behind Stanch's back.
        respond(made)
        with store_.engine.begin() as conn:
            conn.exec_driver_sql("UPDATE ledger_entries SET leaf_hash = zeroblob(32)")
        ill = stanch("doctor")
        assert ill.status == 1
        lines = [line for line in ill.out.splitlines() if line.startswith("bad")]
        bad = [line.removeprefix("bad").partition(": ")[0].strip() for line in lines]
        assert {"people", "ledger"} <= set(bad)
        assert any(scene.estate.account in name for name in bad)
        assert "canary" not in ill.out + ill.err


def _as_user(made: Any, *args: str, **env: str) -> Any:
    ran = subprocess.run(
        [sys.executable, "-m", "playbooks", *(str(a) for a in args)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")} | env,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def _kinds(incident: str) -> list[str]:
    from evidence import ledger

    db = Store(assemble(load()).engine)
    return [e.leaf.kind for e in db.read(lambda conn: list(ledger.entries(conn, incident)))]


@apart
def test_a_prefect_that_is_down_does_not_hold_containment_up(scene: Scene) -> None:
    with desk(scene) as made:
        args = ("respond", made.finding, "--json")
        told = _as_user(made, *args, PREFECT_API_URL="http://127.0.0.1:9/api")
        assert told["ended"] == "Waiting"
        assert told["status"].startswith("contained")
        assert _kinds("INC-0001").count("play.unshown") == 1


@apart
def test_each_entry_is_a_run_of_its_own_in_prefect(scene: Scene) -> None:
    with desk(scene) as made:
        args = ("--json", "--prefect-patience", "90")
        assert respond(made).status == 0
        for _ in "ab":
            assert _as_user(made, "resume", "INC-0001", *args)["ended"] == "Waiting"
        kinds = _kinds("INC-0001")
        assert kinds.count("play.ended") == 3
        assert "play.unshown" not in kinds
        home = load().home
        kept = b"".join(p.read_bytes() for p in (home / "prefect").iterdir())
        for secret in (
            scene.estate.canary,
            scene.estate.external_id,
            scene.estate.responder.secret_key,
        ):
            assert secret.encode() not in kept
        found = Store(assemble(load()).engine).read(lambda c: store.incident(c, "INC-0001"))
        assert found.entry >= 2
