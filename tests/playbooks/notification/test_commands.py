"""`stanch duties`, as people at a terminal work an incident's duties with it, from end to end."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from evidence.verify import verify_bundle
from evidence.verify_report import Exit
from playbooks.duties.duty import DISCLAIMER
from tests.playbooks.desk.console import Ran, desk, stanch
from tests.playbooks.notification.telling import BR, FACTS, IA, MD, MD_AG
from tests.playbooks.scene import Scene, apart

CANARY = "canary-4111-hunter2-Zq9"
HERE = "INC-0001"


def ago(**span: float) -> str:
    """Return a moment so long ago: commands go by this host's clock, not by the world's."""
    return (datetime.now(UTC) - timedelta(**span)).isoformat().replace("+00:00", "Z")


def duties(*args: Any) -> Ran:
    return stanch("duties", *args)


def done(*args: Any) -> Ran:
    ran = duties(*args)
    assert ran.status == 0, (args, ran.err)
    assert DISCLAIMER in ran.out, args
    return ran


def told(*more: str) -> dict[str, Any]:
    return {d["duty"]: d for d in duties("show", HERE, "--json", *more).json["duties"]}


def filled(scene: Scene, *items: str, **more: str) -> Path:
    path = scene.folder / "fill.yaml"
    organisation = {"name": "Acme", "address": "1 Way", "contact": "privacy@acme.example"}
    contents = dict.fromkeys(items, "As is said here.") | more
    said = {"organisation": organisation, "signed_by": "A. Lice", "contents": contents}
    path.write_text(yaml.safe_dump(said))
    return path


def holding(folder: Path, secret: str) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]


@apart
def test_an_incident_is_worked_from_the_first_look_to_the_bundle(scene: Scene) -> None:
    with desk(scene) as made:
        alice, bob = ("--key", made.alice), ("--key", made.bob)
        assert stanch("respond", made.finding, "--without-prefect").status == 0
        first = done("show", HERE)
        assert "P1 record" in first.out
        assert "nobody is reminded yet" in first.out
        assert "duty.derived" in stanch("show", HERE).out
        asked = duties("questions", HERE, "--json").json
        assert asked["questions"]
        assert {"anchor", "shadow"} <= asked["anchors_to_record"][0].keys()
        assert "--fact role" in done("questions", HERE).out

        why = ("--why", "counted by the data team", "--evidence", "ticket 7")
        given = [part for k, v in FACTS.items() for part in ("--fact", f"{k}={v}")]
        event = ("--anchor", f"discovery={ago(hours=3)}")
        ran = done("record", HERE, *given, *event, *why, *alice)
        assert "recorded 1: fact, signed by alice" in ran.out
        assert told()[MD]["state"] == "open"
        then = ago(seconds=0)
        done("record", HERE, "--fact", "residents.IA=400", "--why", "counted again", *bob)
        assert told()["us-ia/state_regulator"]["state"] == "no_longer_owed"
        assert told("--as-of", then)["us-ia/state_regulator"]["applies"] == "yes"
        assert f"as of {then[:4]}" in done("show", HERE, "--as-of", then).out
        gone = ("us-ia/state_regulator", "--no-longer-owed", "--why", "under 500")
        done("decide", HERE, *gone, *alice)

        done("check", HERE, MD, "--owner", "bob", *alice)
        done("check", HERE, "--lead", "alice", *alice)
        hold = ("--authority", "FBI", "--since", ago(hours=1), "--document", "letter 7")
        done("hold", HERE, *hold, "--oral", "--why", "by telephone", *bob)
        assert "may be owed" in done("show", HERE, "--all").out

        out = scene.folder / "md.docx"
        fill = filled(scene)
        draft = done("letter", MD, "--incident", HERE, "--fill", fill, "--out", out)
        assert "draft" in draft.out
        wanted = [line.split()[-1] for line in draft.out.splitlines() if "to fill" in line]
        assert wanted
        fill = filled(scene, *wanted)
        pdf = scene.folder / "md.pdf"
        letter = ("letter", MD, "--incident", HERE, "--fill", fill, "--out", pdf, "--release")
        refused = duties(*letter)
        assert (refused.status, MD_AG in refused.err) == (1, True)
        assert not pdf.exists()

        proof = scene.folder / "post.txt"
        proof.write_text(f"sent to the regulator, {CANARY}")
        sent = ("--at", ago(minutes=30), "--how", "portal", "--proof", proof)
        ran = done("sent", HERE, MD_AG, *sent, *alice)
        assert "to do: sign_off" in ran.out
        done(*letter)
        assert pdf.read_bytes().startswith(b"%PDF")
        assert pdf.stat().st_mode & 0o777 == 0o600
        done("sent", HERE, MD, "--at", ago(minutes=5), "--how", "post", *bob)
        assert (told()[MD]["closed_how"], told()[MD]["flags"]) == ("sent", [])

        assert not told()[BR]["binding"] if BR in told() else True
        assert "confirmed by bob" in done("confirm", BR, "--why", "read it", *bob).out
        opened = ("--play", "notify-regulators", "--target", HERE, "--reason", "the law")
        working = stanch("open", *opened, *alice, "--without-prefect")
        assert (working.status, "still open: duties of INC-0001" in working.out) == (0, True)
        assert "nobody is reminded yet" not in done("show", HERE).out
        worked = stanch("show", "INC-0002", "--json").json
        assert (worked["status"], len(worked["steps"])) == ("under way", 0)
        assert any("duties of INC-0001 are owed" in e["about"] for e in worked["timeline"])

        ics = scene.folder / "duties.ics"
        assert "dates in" in done("calendar", HERE, "--out", ics).out
        assert IA in ics.read_text().replace("\r\n ", "")
        shown = done("show", HERE).out
        assert "sha256" not in shown
        check_evidence(scene, made)


def check_evidence(scene: Scene, made: Any) -> None:
    """All is in the bundle, and neither the proof's text nor a key is anywhere in the open."""
    bundle = scene.folder / "bundle"
    ran = stanch("export", HERE, "--output", bundle)
    assert ran.status == 0, ran.err
    trust = json.loads((made.folder / "home" / "keys" / "trust.json").read_text())
    assert verify_bundle(bundle, trust).exit_code in (Exit.VALID, Exit.UNWITNESSED)
    assert holding(made.folder / "home", CANARY) == []
    assert holding(bundle, CANARY) == []
    key = made.alice.read_text().splitlines()[1]
    assert holding(made.folder / "home", key) == []
    assert holding(made.folder / "home", "duty.sent") != []


@apart
def test_what_cannot_be_meant_is_refused_in_one_line(scene: Scene) -> None:
    with desk(scene) as made:
        key = ("--key", made.alice)
        assert stanch("respond", made.finding, "--without-prefect").status == 0
        facts, fill = scene.folder / "facts.yaml", filled(scene)
        facts.write_text("facts: {role: controller}\n")
        out = scene.folder / "out.json"
        why = ("--why", "because", *key)
        letter = ("letter", BR, "--fill", fill, "--out", out)
        for said, ran in {
            "there is no incident": duties("show", "INC-0099"),
            "nothing is said": duties("record", HERE, *why),
            "no rule asks for such a fact": duties("record", HERE, "--fact", "no=1", *why),
            "it has no zone": duties(
                "record", HERE, "--anchor", "awareness=2026-01-01T09:00", *why
            ),
            "say when it was sent": duties("sent", HERE, BR, *key),
            "there is no such regime": duties("sent", HERE, "x/y", "--at", "2026-01-01[UTC]", *key),
            "no such file": duties(
                "sent", HERE, BR, "--at", "2026-01-01[UTC]", "--proof", "no", *key
            ),
            "name the duty": duties("check", HERE, "--owner", "bob", *key),
            "Expected one of": duties("check", HERE, BR, *key),
            "is no duty": duties("confirm", "br-lgpd/no", *why),
            "and not both": duties(*letter),
            "ends with": duties("letter", BR, "--facts", facts, "--fill", fill, "--out", "x.txt"),
            "organisation, signed_by": duties(
                "letter", BR, "--fill", facts, "--out", out, "--facts", facts
            ),
        }.items():
            assert (ran.status, said in ran.err) == (1, True), (said, ran)
            assert ran.err.count("\n") == 1
        assert done(*letter, "--facts", facts).status == 0
        assert json.loads(out.read_text())["duty"] == BR
        assert "file exists" in duties(*letter, "--facts", facts).err
        ics = scene.folder / "facts.ics"
        done("calendar", facts, "--possible", "--out", ics)
        assert ics.read_bytes().startswith(b"BEGIN:VCALENDAR")
