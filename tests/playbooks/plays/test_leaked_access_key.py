"""A leaked key: its user can do nothing any more, what it made is shut, and all comes back."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from playbooks.case import way_back
from playbooks.case.answers import Waiting
from playbooks.case.incident import Incident
from playbooks.case.play import body_of
from playbooks.drills.range.keys import Credentials
from playbooks.errors import RefusedError, SettingsError
from playbooks.leaked_access_key import leaked_access_key
from playbooks.respond.opening import open_by_hand
from playbooks.wiring.automatic_terms import Automatic
from tests.playbooks.scene import Scene, apart

PLAY = body_of(leaked_access_key)
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [ALL]})
LAG = timedelta(minutes=21).total_seconds()


def leaked(scene: Scene) -> Credentials:
    """Make a user with broad rights and return its key, which somebody has."""
    # The estate is older than the hour in which something new is suspect.
    scene.world.tick(timedelta(hours=2).total_seconds())
    iam = scene.aws("iam")
    iam.create_user(UserName="ci", Path="/build/")
    iam.put_user_policy(UserName="ci", PolicyName="all", PolicyDocument=EVERYTHING)
    key = iam.create_access_key(UserName="ci")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def opened(scene: Scene, target: str) -> Incident:
    aim = {"id": target, "account": scene.estate.account, "region": ""}
    return open_by_hand(scene.parts, scene.store, "leaked-access-key", aim, "on a forum", "alice")


def may(scene: Scene, held: Credentials) -> bool:
    """Return whether these credentials can do anything."""
    try:
        scene.world.client("iam", held).list_users()
    except ClientError:
        return False
    return True


def rolled_back(scene: Scene, incident: Incident) -> list[Any]:
    """Ask for the way back, let another person allow it, and go it."""

    async def back() -> list[Any]:
        case = scene.case(incident, PLAY)
        return await way_back.go_back(case, await way_back.planned(case, "rollback"), "alice")

    with pytest.raises(Waiting):
        asyncio.run(back())
    open_ = [q for q in scene.questions(incident) if q.step.startswith("rollback/")]
    scene.say(open_[-1])
    return asyncio.run(back())


@apart
def test_a_leaked_key_does_nothing_any_more_and_all_comes_back(scene: Scene) -> None:
    held = leaked(scene)
    before = scene.world.digest()
    incident = opened(scene, held.access_key)
    assert may(scene, held)
    ending = scene.enter(incident, PLAY)
    assert (ending.state, ending.status) == (
        "Completed",
        "contained, race-exposed, sweep goes on",
    )
    assert not may(scene, held)
    assert {i.verdict for i in scene.steps(incident).values()} == {"verified"}
    assert all(not end.why for end in rolled_back(scene, incident))
    assert scene.world.digest() == before
    assert may(scene, held)


@apart
def test_what_the_key_made_is_found_and_shut_until_it_is_quiet(scene: Scene) -> None:
    held = leaked(scene)
    hers = scene.world.client("iam", held)
    hers.create_user(UserName="backdoor")
    hers.put_user_policy(UserName="backdoor", PolicyName="all", PolicyDocument=EVERYTHING)
    made = hers.create_access_key(UserName="backdoor")["AccessKey"]
    door = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    incident = opened(scene, "user/ci")
    scene.enter(incident, PLAY)
    assert may(scene, door), "CloudTrail lags: nobody can know of it yet"
    entries = 0
    while "sweep goes on" in scene.now(incident).status:
        scene.world.tick(LAG)
        scene.enter(incident, PLAY)
        entries += 1
        assert entries < 4
    assert not may(scene, door)
    assert scene.now(incident).status == "contained, race-exposed"
    residual = scene.case(incident).residual
    assert not any("sweep" in text for text in residual)
    assert any("race-exposed" in text for text in residual)


@apart
def test_a_key_of_nobody_is_refused_and_a_wrong_target_opens_nothing(scene: Scene) -> None:
    incident = opened(scene, "AKIA" + "Z" * 16)
    ending = scene.enter(incident, PLAY)
    assert ending.state == "Refused"
    assert "no access key" in ending.says
    assert scene.changed() == []
    with pytest.raises(SettingsError, match="acts on"):
        opened(scene, scene.estate.target)


@apart
def test_on_another_kind_of_target_a_play_refuses(scene: Scene) -> None:
    async def body(case: Any) -> None:
        _ = case.target

    with pytest.raises(RefusedError, match="acts on instance"):
        _ = scene.case(opened(scene, "user/ci")).target


def released(scene: Scene, incident: Incident) -> list[Any]:
    """Ask for the release, let another person allow it, and go that way."""

    async def back() -> list[Any]:
        case = scene.case(incident, PLAY)
        undos = await way_back.planned(case, "release")
        return await way_back.go_back(case, undos, "alice", verb="release")

    with pytest.raises(Waiting):
        asyncio.run(back())
    open_ = [q for q in scene.questions(incident) if q.step.startswith("release/")]
    scene.say(open_[-1])
    return asyncio.run(back())


@apart
def test_a_released_user_works_anew_while_key_sessions_and_back_doors_stay_dead(
    scene: Scene,
) -> None:
    held = leaked(scene)
    hers: Any = scene.world.client("sts", held)
    given = hers.get_session_token()["Credentials"]
    session = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    iam = scene.world.client("iam", held)
    iam.create_user(UserName="backdoor")
    iam.put_user_policy(UserName="backdoor", PolicyName="all", PolicyDocument=EVERYTHING)
    made = iam.create_access_key(UserName="backdoor")["AccessKey"]
    door = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    incident = opened(scene, held.access_key)
    scene.enter(incident, PLAY)
    scene.world.tick(LAG)
    scene.enter(incident, PLAY)
    assert all(not end.why for end in released(scene, incident))
    assert scene.now(incident).status == "released, old sessions denied"
    scene.world.tick(180)
    fresh = scene.aws("iam").create_access_key(UserName="ci")["AccessKey"]
    assert may(scene, Credentials(fresh["AccessKeyId"], fresh["SecretAccessKey"]))
    assert not any(may(scene, one) for one in (held, session, door))
    scene.world.tick(timedelta(hours=37).total_seconds())
    scene.enter(incident, PLAY)
    assert scene.now(incident).status == "released"
    attached = scene.aws("iam").list_attached_user_policies(UserName="ci")["AttachedPolicies"]
    assert attached == []
    assert not any(may(scene, one) for one in (held, session, door))


def found_on(scene: Scene, user_type: str, name: str, key: str, **more: Any) -> Incident:
    """Take a finding about a credential in, which the team lets Stanch answer by itself."""
    kind = "UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom"
    scene.set(automatic=Automatic(types=(kind,)))
    details = {"accessKeyId": key, "userType": user_type, "userName": name, "principalId": "A" * 21}
    resource = {"resourceType": "AccessKey", "accessKeyDetails": details}
    return scene.take(type=kind, resource=resource, **more)


@apart
def test_a_finding_on_a_key_is_answered_by_itself_for_its_user(scene: Scene) -> None:
    held = leaked(scene)
    incident = found_on(scene, "IAMUser", "ci", held.access_key)
    assert (incident.play, incident.hindrances) == ("leaked_access_key", ())
    assert incident.place == f"{scene.estate.account}/aws-global/user/ci"
    scene.enter(incident, PLAY)
    assert not may(scene, held)


@apart
def test_a_finding_on_a_session_is_the_roles_and_one_on_root_is_nobodys(scene: Scene) -> None:
    role = found_on(scene, "AssumedRole", "deployer", "ASIA" + "A" * 16)
    assert role.play == "compromised_identity"
    assert role.place == f"{scene.estate.account}/aws-global/role/deployer"
    root = found_on(scene, "Root", "root", "AKIA" + "B" * 16, id="f" * 32)
    assert any("Root" in why for why in root.hindrances)
