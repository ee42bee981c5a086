"""The verb keep with artifacts in a bucket: sealed, exported, verified; away, it blocks nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from evidence import ledger
from evidence.custody.record import record, view
from evidence.custody.state import CaseCustody
from evidence.custody.statement import HOLD
from evidence.sources.item import Item
from evidence.verify import verify_bundle
from playbooks.case import exporting, locking
from playbooks.case.answers import Kept
from playbooks.case.case import Case
from playbooks.case.incident import Incident
from tests.evidence.bucket import Rig, refuse, rig, service
from tests.evidence.custodians import PEOPLE, Desk
from tests.playbooks.case.test_approvals import tagging
from tests.playbooks.scene import Scene, _floor, apart

__all__ = ["rig", "service"]

FACTS = Item("facts.json", "application/json", b"{}", False, "ec2.describe_instances")
SECRET = Item("user-data", "text/plain", b"TOKEN=hunter2", True, "ec2.user_data")


@pytest.fixture(scope="module", autouse=True)
def floor() -> None:
    """Build the world first: it clears what moto has, and so a bucket that was made before."""
    _floor()


@dataclass(frozen=True)
class Source:
    account: str
    region: str
    name: str = "test_facts"

    def collect(self, reading: Any) -> Iterator[Any]:
        yield FACTS
        yield SECRET


def keeping(seen: list[Kept], again: str = "") -> Any:
    async def body(case: Case) -> None:
        source = Source(case.target.account, case.target.region)
        seen.append(await case.keep(source, again=again))
        await tagging(case)
        await case.seal("interim")

    return body


def custody(scene: Scene, incident: Incident) -> CaseCustody:
    return scene.store.read(lambda conn: view(conn, incident.id))


def hold(scene: Scene, incident: Incident) -> None:
    """Have alice put the whole case under legal hold, in the ledger alone."""
    now = scene.parts.now()
    desk = Desk(custody(scene, incident).case)
    body = desk.body(HOLD, now, "alice", hold="H-1", artifacts=None)
    entry = ledger.Entry(HOLD, incident.id, body, "alice", now)
    scene.store.commit(
        lambda conn: record(conn, entry, PEOPLE, record_time=now, salt=scene.parts.random(32))
    )


@apart
def test_a_case_is_kept_sealed_exported_and_verified(scene: Scene, rig: Rig) -> None:
    scene.parts = replace(scene.parts, locker=rig.store())
    seen: list[Kept] = []
    incident, end = scene.play(keeping(seen))
    assert (end.state, seen[0].missed) == ("Completed", ())
    found = custody(scene, incident).artifacts.values()
    named = {rig.key(d) for a in found for d in (a.stored_sha256, a.manifest_sha256)}
    assert {key for key, _ in rig.objects()} == named
    assert len(named) == 4
    out = scene.folder / "bundle"
    exporting.export(scene.parts, scene.store, incident.id, out)
    verdict = verify_bundle(out, scene.parts.keys.trust())
    assert (verdict.exit_code, verdict.problems) == (3, ())


@apart
def test_a_bucket_that_is_away_holds_no_containment_up(scene: Scene, rig: Rig) -> None:
    scene.parts = replace(scene.parts, locker=rig.store())
    rig.spoil = refuse(503, "SlowDown")
    seen: list[Kept] = []
    incident, end = scene.play(keeping(seen))
    assert (end.state, bool(seen[0])) == ("Completed", False)
    assert "S3 answered SlowDown" in seen[0].missed[0]["error"]
    assert "canary" not in str(seen[0])
    assert scene.steps(incident)["tag_incident"].phase == "done"
    assert custody(scene, incident).artifacts == {}
    # When it is back, what is asked for once more is kept.
    rig.spoil = None
    scene.enter(incident, keeping(seen, again="the bucket is back"))
    assert len(seen[1].artifacts) == 2


@apart
def test_a_hold_that_is_set_while_a_source_is_read_reaches_what_it_gave(
    scene: Scene, rig: Rig
) -> None:
    scene.parts = replace(scene.parts, locker=rig.store())
    incident, _ = scene.play(keeping([]))
    before = locking.custody(scene.parts, scene.store, incident.id)
    one = next(iter(custody(scene, incident).artifacts.values()))
    assert not rig.store().locks.hold(one.stored_sha256)
    hold(scene, incident)
    locking.late(scene.parts, scene.store, incident.id, before)
    assert rig.store().locks.hold(one.stored_sha256)
    after = locking.custody(scene.parts, scene.store, incident.id)
    rig.calls.clear()
    locking.late(scene.parts, scene.store, incident.id, after)
    assert rig.calls == []
