"""What nobody decides is asked after and never dropped; a campaign ends with a report that proves
itself."""

import hashlib
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from evidence import jws, ledger
from evidence.verify import verify_bundle
from evidence.verify_report import Exit
from playbooks.case.store import reviews as stored
from playbooks.respond import reconciler
from playbooks.review import closing, reporting
from playbooks.review.errors import DecisionError, OpenRowsError
from playbooks.review.escalating import escalate
from playbooks.review.outcome import IDLE, KEPT, UNDECIDED
from playbooks.review.reporting import report
from tests.playbooks.review.staff import begin, decide, hire, rows_of
from tests.playbooks.scene import Scene, apart

ALICE = "user/alice"


def noted(scene: Scene, review: Any, kind: str) -> list[Any]:
    entries = scene.store.read(lambda conn: list(ledger.entries(conn, review.id)))
    return [e.body for e in entries if e.leaf.kind == kind]


def now(scene: Scene, review: Any) -> Any:
    return scene.store.read(lambda conn: stored.review(conn, review.id))


@apart
def test_what_is_undecided_is_escalated_again_and_again_and_stays_undecided(scene: Scene) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    decide(scene, review, "frank", (f"{ALICE} group/ops", "keep"))
    left = len(rows_of(scene, review)) - 1
    assert escalate(scene.parts, scene.store) == [], "it is not due yet"
    told = []
    for _ in range(3):
        scene.world.tick((now(scene, review).due - scene.world.now()).total_seconds() + 1)
        assert escalate(scene.parts, scene.store) == [review.id]
        assert escalate(scene.parts, scene.store) == [], "once a time"
        told.append(noted(scene, review, "review.escalated")[-1])
    assert [one["level"] for one in told] == [1, 2, 3]
    assert told[0]["told"] == ["erin"]
    assert all(one["told"] == ["erin", "security-team"] for one in told[1:])
    assert {one["undecided"] for one in told} == {left}
    assert sum(r.decided is None for r in rows_of(scene, review).values()) == left


@apart
def test_a_running_responder_escalates_by_itself(scene: Scene) -> None:
    review = begin(scene)
    scene.world.tick((now(scene, review).due - scene.world.now()).total_seconds() + 1)
    once = threading.Event()
    once.set()
    reconciler.keep(scene.parts, scene.store, lambda: None, once)
    assert now(scene, review).level == 1


@apart
def test_nobody_is_asked_after_what_is_decided(scene: Scene) -> None:
    review = begin(scene)
    names = rows_of(scene, review)
    decide(scene, review, "frank", *((name, "keep") for name in names))
    scene.world.tick(timedelta(days=60).total_seconds())
    assert escalate(scene.parts, scene.store) == []
    assert now(scene, review).level == 0


@apart
def test_open_rows_are_closed_over_only_by_a_signed_statement(scene: Scene) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    key = scene.person("erin")
    decide(scene, review, "frank", (f"{ALICE} group/ops", "revoke"))
    count = len(rows_of(scene, review))
    with pytest.raises(OpenRowsError, match=f"{count} rows"):
        closing.close(scene.parts, scene.store, review.id, "erin", key, "")
    assert now(scene, review).status == "open"
    why = "The account is deleted tomorrow."
    with pytest.raises(DecisionError, match="printable"):
        closing.close(scene.parts, scene.store, review.id, "erin", key, "\x1b[2J")
    assert closing.close(scene.parts, scene.store, review.id, "erin", key, why) == count
    told = now(scene, review)
    said = json.loads(jws.verify(told.proof, {"erin": key.public_key()}, closing.TYPE))
    assert (told.status, said["statement"], said["open"]) == ("closed", why, count)
    assert noted(scene, review, "review.closed")[0]["proof"] == told.proof
    with pytest.raises(DecisionError, match="closed"):
        decide(scene, review, "frank", (f"{ALICE} key/1", "keep"))
    with pytest.raises(DecisionError, match="closed"):
        closing.close(scene.parts, scene.store, review.id, "erin", key, why)


@apart
def test_with_nothing_open_it_closes_without_a_word(scene: Scene) -> None:
    review = begin(scene)
    decide(scene, review, "frank", *((name, "keep") for name in rows_of(scene, review)))
    key = scene.person("erin")
    assert closing.close(scene.parts, scene.store, review.id, "erin", key, "") == 0


@apart
def test_a_report_says_all_and_proves_itself(scene: Scene) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    decide(scene, review, "frank", (f"{ALICE} group/ops", "keep"), (f"{ALICE} key/1", "revoke"))
    out = scene.folder / "report"
    made = report(scene.parts, scene.store, review.id, "erin", out)
    total = len(rows_of(scene, review))
    assert made.states == {KEPT: 1, IDLE: 1, UNDECIDED: total - 2}
    told = json.loads((out / "report.json").read_text())
    assert len(told["rows"]) == total
    assert {c["control"] for c in told["controls"]} == {
        *("SOC 2 CC6.1", "SOC 2 CC6.2", "SOC 2 CC6.3"),
        *("ISO 27001 A.5.15", "ISO 27001 A.5.18", "ISO 27001 A.8.2"),
    }
    privileged = next(c for c in told["controls"] if c["control"].endswith("A.8.2"))
    assert privileged["rows"] == sum(
        any(f.startswith(("admin", "wildcard", "escalates")) for f in r["flags"].split("; "))
        for r in told["rows"]
    )
    listed = (out / "report.csv").read_text().splitlines()
    assert len(listed) == total + 1
    trust = scene.parts.settings.home / "keys" / "trust.json"
    checked = verify_bundle(out / "evidence", json.loads(trust.read_text()))
    assert checked.exit_code in (Exit.VALID, Exit.UNWITNESSED), checked
    check_manifest(scene, out)
    with pytest.raises(FileExistsError):
        report(scene.parts, scene.store, review.id, "erin", out)


def check_manifest(scene: Scene, out: Path) -> None:
    """Every file but the manifest stands in it, as it is."""
    key = scene.parts.keys.manifest
    public = {key.kid: key.key.public_key()}
    said = json.loads(jws.verify((out / "manifest.jws").read_text(), public, reporting.TYPE))
    there = {
        str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in out.rglob("*")
        if p.is_file() and p.name != "manifest.jws"
    }
    assert said["files"] == there
    assert "report.json" in there
