"""A play on an identity, killed at any point and entered again: one effect, none unrecorded."""

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from playbooks.case.enter import enter
from playbooks.case.incident import Incident
from playbooks.case.play import body_of
from playbooks.case.store import Store
from playbooks.compromised_identity import compromised_identity
from playbooks.drills.identity import leaked_user
from playbooks.drills.thief import Thief
from playbooks.leaked_access_key import leaked_access_key
from playbooks.respond.opening import open_by_hand
from playbooks.wiring.parts import Parts
from tests.deployment import Deployment, deployed, go
from tests.sample import FULL
from tests.stories.crash import Crash, sweep
from tests.stories.effect import journal
from tests.stories.test_crash_sweep import nobody

ONE_IN = 12
PLAYS = {
    "leaked-access-key": body_of(leaked_access_key),
    "compromised-identity": body_of(compromised_identity),
}


def account(deployment: Deployment) -> Any:
    """Return what IAM has, without what only time or chance gives."""
    iam = deployment.maker("", deployment.world.region)("iam")
    told: dict[str, Any] = {}
    for user in iam.list_users()["Users"]:
        name = user["UserName"]
        keys = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
        attached = iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
        told[f"user/{name}"] = {
            "keys": sorted((k["AccessKeyId"], k["Status"]) for k in keys),
            "attached": sorted(p["PolicyName"] for p in attached),
            "boundary": iam.get_user(UserName=name)["User"].get("PermissionsBoundary"),
        }
    for role in iam.list_roles()["Roles"]:
        attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
        told[f"role/{role['RoleName']}"] = sorted(p["PolicyName"] for p in attached)
    local = iam.list_policies(Scope="Local")["Policies"]
    told["policies"] = sorted((p["PolicyName"], p["DefaultVersionId"]) for p in local)
    return json.loads(json.dumps(told, default=str))


def opened(deployment: Deployment, parts: Parts, play: str) -> Incident:
    """Let a thief dig in with a user's key, and open the incident."""
    world, estate = deployment.world, deployment.estate
    world.tick(timedelta(hours=3).total_seconds())
    stolen = leaked_user(world, "deploy")
    since = world.now()
    Thief(world, stolen).dig_in(estate.account)
    world.tick(1)
    aim = {"id": "user/deploy", "account": estate.account, "region": ""}
    db = Store(parts.engine)
    return open_by_hand(parts, db, play, aim, "its key is public", "alice", since)


@pytest.mark.parametrize("play", PLAYS)
def test_a_crash_at_any_point_leaves_one_effect_and_none_unrecorded(
    play: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment = deployed(tmp_path)
    parts, body = deployment.parts(), PLAYS[play]
    incident = opened(deployment, parts, play)

    async def again(fresh: Parts) -> Any:
        return await go(fresh, incident, body, alive=nobody)

    def examine(fresh: Parts) -> Any:
        return {"world": account(deployment), "journal": journal(fresh, incident.id)}

    def chosen(state: int) -> bool:
        return FULL or random.Random(f"4/{state}").random() * ONE_IN < 1

    crash = Crash(deployment, tmp_path, again, examine, chosen=chosen)
    watched = crash.watch(parts)
    wanted = sweep(crash, lambda: enter(parts, watched, incident.id, body, incident.play), parts)
    with capsys.disabled():
        print(f"\n{crash.says(play)}")
    assert wanted["world"]["user/svc-backup"]["attached"] == ["stanch-deny-user-svc-backup"]
