"""A whole Vault in somebody else's hands; deaths on the way; and who is no account of ours."""

import asyncio
from datetime import timedelta

import pytest

from playbooks.case.answers import Waiting
from playbooks.case.vault_engines import Thing
from playbooks.case.vault_last_resort import offer_seal
from playbooks.case.vault_sts import denials, ours
from playbooks.drills.range.vault.faults import CallBack
from playbooks.drills.robbed_vault import NAME
from playbooks.errors import SettingsError
from tests.playbooks.plays.vault_scene import PLAY, entered, opened, robbery, works
from tests.playbooks.scene import Scene, apart


class Crash(BaseException):
    """The process is gone."""


def crash() -> None:
    raise Crash


@apart
def test_of_a_whole_vault_nothing_is_shut_unasked_and_all_that_lives_ends_after_a_yes(
    scene: Scene,
) -> None:
    thief, since = robbery(scene)
    thief.dig_in()
    incident = opened(scene, NAME, since=since)
    ending = scene.enter(incident, PLAY)
    assert (ending.state, ending.status) == ("Waiting", "partial")
    assert scene.steps(incident).keys() == {"enable_audit_device"}
    assert len(works(thief)) == 8
    ending = entered(scene, incident)
    assert works(thief) == ["log in with the stolen secret id"]
    assert ending.status == "partial"
    residual = " ".join(scene.case(incident).residual)
    assert "whoever holds a login of it can log in again" in residual
    done = scene.steps(incident)
    assert {"rotate_database_root", "rotate_aws_root", "rotate_static_role"} <= done.keys()
    assert "seal_vault" not in done


@apart
def test_a_process_that_dies_again_and_again_leaves_one_effect(scene: Scene) -> None:
    thief, since = robbery(scene)
    thief.dig_in()
    incident = opened(scene, since=since)
    scene.enter(incident, PLAY)
    deaths = 0
    for nth in range(2, 90, 8):
        for question in scene.questions(incident):
            if question.state == "open":
                scene.say(question)
        thief.vault.world.inject(CallBack(crash, after=True), "POST", "*", nth=nth)
        try:
            scene.enter(incident, PLAY)
        except Crash:
            deaths += 1
    assert deaths >= 4
    thief.vault.world._faults.orders.clear()
    ending = entered(scene, incident)
    assert (ending.state, ending.status) == ("Completed", "contained")
    assert works(thief) == []
    made = thief.vault.root.auth.approle.list_secret_id_accessors("web")["data"]["keys"]
    assert len(made) == 1, "one new secret id, and none that nobody knows of"
    rows = [i for i in scene.steps(incident).values() if i.phase != "done"]
    assert rows == []


@apart
def test_a_role_of_another_account_is_a_persons_task(scene: Scene) -> None:
    _, since = robbery(scene)
    incident = opened(scene, since=since)
    case = scene.case(incident, PLAY)
    arns = ("arn:aws:iam::999999999999:role/x/far", "arn:aws:iam::111122223333:role/near")
    reach = [Thing("sts", "aws", "r", ("aws/sts/r", "update"), arn) for arn in arns]
    roles = ours(case, reach)
    assert [who.name for who in roles] == ["near"]
    (denial,) = asyncio.run(denials(case, roles))
    scene.world.tick(600)
    assert asyncio.run(denials(case, roles)) == [denial], "the same cut-off on re-entry"
    assert any("role far of account 999999999999" in text for text in case.residual)


@apart
def test_a_vault_is_sealed_by_two_people_and_by_nobody_alone(scene: Scene) -> None:
    thief, since = robbery(scene)
    scene.person("carol")
    by_hand = opened(scene, NAME, since=since)

    def offered() -> None:
        asyncio.run(offer_seal(scene.case(by_hand, PLAY), [False]))

    for one, other, sealed in (("bob", "bob", False), ("bob", "carol", True)):
        with pytest.raises(Waiting):
            offered()
        scene.say(scene.asked(by_hand), by=one)
        with pytest.raises(Waiting):
            offered()
        scene.say(scene.asked(by_hand), by=other)
        offered()
        assert thief.vault.world.client().sys.is_sealed() is sealed
        if not sealed:
            assert any("not sealed by one alone" in t for t in scene.case(by_hand).residual)
            by_hand = opened(scene, NAME, since=since)


@apart
def test_a_seal_is_offered_only_where_something_was_left(scene: Scene) -> None:
    _, since = robbery(scene)
    whole, one = opened(scene, NAME, since=since), opened(scene, since=since)
    asyncio.run(offer_seal(scene.case(whole, PLAY), [True]))
    asyncio.run(offer_seal(scene.case(one, PLAY), [False]))
    assert scene.questions(whole) == scene.questions(one) == []


@apart
def test_a_lease_that_cannot_be_revoked_is_said_and_let_go_only_by_a_person(scene: Scene) -> None:
    thief, since = robbery(scene)
    thief.archive(down=True)
    scene.world.tick(timedelta(hours=2).total_seconds())
    incident = opened(scene, since=since)
    ending = entered(scene, incident, no=("abandon",))
    assert ending.status == "contained, irrevocable leases"
    assert any("irrevocable" in text for text in scene.case(incident).residual)
    assert "force_revoke_leases" not in scene.steps(incident)
    again = opened(scene, since=since)
    entered(scene, again)
    assert scene.steps(again)["force_revoke_leases"].phase == "done"


@apart
def test_a_login_that_is_not_there_or_is_stanchs_own_is_not_touched(scene: Scene) -> None:
    _, since = robbery(scene)
    assert scene.enter(opened(scene, f"{NAME}/approle/none", since=since), PLAY).state == "Gone"
    own = opened(scene, f"{NAME}/stanch/stanch", since=since)
    entered(scene, own)
    assert not scene.steps(own).keys() & {"block_login", "destroy_secret_ids", "revoke_tokens"}
    assert scene.parts.vault(NAME).client.is_authenticated()
    with pytest.raises(SettingsError, match="one login of it"):
        opened(scene, "nowhere/approle/web")


@apart
def test_what_is_set_apart_for_stanch_is_left_alone_whoever_asks(scene: Scene) -> None:
    thief, since = robbery(scene, prefixes=("database/creds/web", "/transit/"))
    incident = opened(scene, since=since)
    ending = entered(scene, incident)
    targets = {i.step for i in scene.steps(incident).values()}
    assert not any("transit" in step or "creds/web" in step for step in targets)
    left = [text for text in scene.case(incident).residual if "Stanch's own" in text]
    assert len(left) == 2
    assert (ending.state, ending.status) == ("Completed", "partial")
    assert {"rotate_static_role", "issue_secret_id"} <= scene.steps(incident).keys()
    assert thief.neighbour()
