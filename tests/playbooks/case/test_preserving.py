"""Copies of disks leave the attacker's reach once they are complete, however often entered."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from actions.aws.snapshot_volumes import SnapshotVolumes
from playbooks.case.case import Case
from playbooks.case.preserving import preserve
from playbooks.wiring.forensics_terms import Forensics, Lock
from playbooks.wiring.gated import gated
from playbooks.wiring.settings import Account
from tests.actions.scene import ONCE
from tests.playbooks.case.test_undoing import undo
from tests.playbooks.scene import Scene, apart

FORENSIC = "999988887777"


def key(account: str, region: str) -> str:
    return f"arn:aws:kms:{region}:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


async def body(case: Case) -> None:
    disks = await case.act(SnapshotVolumes(case.target))
    await preserve(case, case.target, disks)


def furnished(scene: Scene, **terms: Any) -> Scene:
    """Give the deployment a forensic account, and the terms."""
    world, region = scene.world, scene.estate.region
    there = world.session(world.root_of(FORENSIC), region)
    known: dict[str, Any] = {}

    def maker(account: str, region: str) -> Any:
        if account != FORENSIC:
            return scene.deployment.maker(account, region)

        def make(service: str) -> Any:
            if service not in known:
                known[service] = gated(there.client(service, config=ONCE))
            return known[service]

        return make

    accounts = dict(scene.parts.settings.accounts) | {FORENSIC: Account(regions=(region,))}
    scene.set(accounts=accounts, forensics=Forensics(**terms))
    scene.parts = replace(scene.parts, maker=maker)
    return scene


def whole(scene: Scene) -> dict[str, Any]:
    mine, region = scene.estate.account, scene.estate.region
    return {
        "keys": {region: key(mine, region)},
        "account": FORENSIC,
        "account_keys": {region: key(FORENSIC, region)},
        "lock": Lock(days=30),
    }


def snapshots(scene: Scene, account: str) -> list[Any]:
    backend = scene.world.ground.ec2(account, scene.estate.region)
    return [s for s in backend.snapshots.values() if not s.from_ami]


@apart
def test_each_copy_is_made_once_it_can_be_and_only_once(scene: Scene) -> None:
    furnished(scene, **whole(scene))
    incident, _ = scene.play(body)
    mine = scene.estate.account
    disks = len(snapshots(scene, mine))
    assert disks >= 1
    assert snapshots(scene, FORENSIC) == []
    for expected in ((2 * disks, 0), (2 * disks, disks), (2 * disks, disks)):
        scene.world.tick(scene.world.ground.snapshot_seconds + 1)
        scene.enter(incident, body)
        assert (len(snapshots(scene, mine)), len(snapshots(scene, FORENSIC))) == expected
    for copy in snapshots(scene, FORENSIC):
        assert copy.kms_key_id == key(FORENSIC, scene.estate.region)
        assert copy.stanch_lock["mode"] == "governance"
    shared = [s for s in snapshots(scene, mine) if s.create_volume_permission_userids]
    assert [s.create_volume_permission_userids for s in shared] == [{FORENSIC}] * disks
    assert {s.kms_key_id for s in shared} == {key(mine, scene.estate.region)}


@apart
def test_without_settings_nothing_is_copied_and_nothing_waits(scene: Scene) -> None:
    incident, _ = scene.play(body)
    scene.world.tick(scene.world.ground.snapshot_seconds + 1)
    scene.enter(incident, body)
    assert "CopySnapshot" not in scene.changed()
    assert "follow-up.noted" not in scene.kinds(incident)


@apart
def test_what_is_not_complete_is_looked_at_again_later_and_not_waited_for(scene: Scene) -> None:
    furnished(scene, **whole(scene))
    scene.world.ground.snapshot_seconds = timedelta(hours=2).total_seconds()
    incident, _ = scene.play(body)
    for hours in (0.5, 1.4):
        scene.world.tick(hours * 3600)
        scene.enter(incident, body)
        assert "CopySnapshot" not in scene.changed()
    scene.world.tick(3600)
    scene.enter(incident, body)
    assert "CopySnapshot" in scene.changed()
    noted = [e.body["step"] for e in scene.entries(incident) if e.leaf.kind == "follow-up.noted"]
    assert len(noted) == len(set(noted)) >= 3


@apart
def test_for_good_is_asked_and_until_then_a_lock_holds_that_can_be_taken_off(scene: Scene) -> None:
    furnished(scene, lock=Lock(days=30, mode="compliance"))
    incident, _ = scene.play(body)
    asked = [q for q in scene.questions(incident) if q.state == "open"]
    assert {q.step.split("/")[1] for q in asked} == {"lock_snapshot_for_good"}
    locks = {s.stanch_lock["mode"] for s in snapshots(scene, scene.estate.account)}
    assert locks == {"governance"}
    scene.person("bob")
    for question in asked:
        scene.say(question)
    scene.enter(incident, body)
    locks = {s.stanch_lock["mode"] for s in snapshots(scene, scene.estate.account)}
    assert locks == {"compliance"}


@apart
def test_the_hashes_of_all_blocks_are_kept_where_the_settings_say_so(scene: Scene) -> None:
    furnished(scene, blocks=True)
    incident, _ = scene.play(body)
    scene.world.tick(scene.world.ground.snapshot_seconds + 1)
    scene.enter(incident, body)
    kept = [
        e.body
        for e in scene.entries(incident)
        if e.leaf.kind == "keep.done" and "snapshot_blocks" in e.body["step"]
    ]
    assert len(kept) == len(snapshots(scene, scene.estate.account))
    assert [one["missed"] for one in kept] == [[]] * len(kept)
    # The blocks' hashes, the tree over them, and how it went.
    assert {len(one["artifacts"]) for one in kept} == {3}


@apart
def test_where_the_forensic_account_has_no_key_the_copy_is_locked_and_the_rest_is_to_do(
    scene: Scene,
) -> None:
    terms = whole(scene) | {"account_keys": {"us-west-2": key(FORENSIC, "us-west-2")}}
    furnished(scene, **terms)
    incident, _ = scene.play(body)
    scene.world.tick(scene.world.ground.snapshot_seconds + 1)
    scene.enter(incident, body)
    assert snapshots(scene, FORENSIC) == []
    locked = [s for s in snapshots(scene, scene.estate.account) if hasattr(s, "stanch_lock")]
    assert {s.kms_key_id for s in locked} == {key(scene.estate.account, scene.estate.region)}
    assert any("account_keys has no key there" in text for text in scene.case(incident).residual)


@apart
def test_the_way_back_takes_the_share_and_the_lock_off_every_copy(scene: Scene) -> None:
    furnished(scene, **whole(scene))
    incident, _ = scene.play(body)
    for _ in range(2):
        scene.world.tick(scene.world.ground.snapshot_seconds + 1)
        scene.enter(incident, body)
    copies = snapshots(scene, FORENSIC)
    assert all(copy.stanch_lock for copy in copies)
    question = undo(scene, incident)
    scene.say(scene.find(scene.asked(incident)))
    ends = undo(scene, incident)
    assert question == "Q-0001"
    assert [end.why for end in ends] == [""] * len(ends)
    assert [copy.stanch_lock for copy in copies] == [None] * len(copies)
    mine = snapshots(scene, scene.estate.account)
    assert [s.create_volume_permission_userids for s in mine] == [set()] * len(mine)
