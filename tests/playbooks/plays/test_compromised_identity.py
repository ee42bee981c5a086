"""A compromised identity: what hits the suspect alone goes at once, what hits others is asked."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from playbooks.case import store
from playbooks.case.incident import Incident
from playbooks.case.play import body_of
from playbooks.compromised_identity import compromised_identity, cut_off
from playbooks.drills.range.keys import Credentials
from playbooks.respond.opening import open_by_hand
from tests.playbooks.plays.test_leaked_access_key import EVERYTHING, LAG, may, rolled_back
from tests.playbooks.scene import Scene, apart

PLAY = body_of(compromised_identity)


def opened(scene: Scene, target: str, region: str = "") -> Incident:
    aim = {"id": target, "account": scene.estate.account, "region": region}
    reason = "calls from a country where nobody is"
    return open_by_hand(scene.parts, scene.store, "compromised-identity", aim, reason, "alice")


def role(scene: Scene, name: str = "deployer") -> str:
    """Make a role that the account may assume; return its ARN."""
    root = f"arn:aws:iam::{scene.estate.account}:root"
    statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = scene.aws("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=EVERYTHING)
    return str(made)


def session(scene: Scene, arn: str) -> Credentials:
    user = "ops"
    iam = scene.aws("iam")
    if user not in [u["UserName"] for u in iam.list_users()["Users"]]:
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=EVERYTHING)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    sts: Any = scene.world.client("sts", Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
    try:
        given = sts.assume_role(RoleArn=arn, RoleSessionName="ops")["Credentials"]
    finally:
        iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


@apart
def test_a_roles_sessions_end_and_nobody_gets_a_new_one_once_a_person_allows_it(
    scene: Scene,
) -> None:
    arn = role(scene)
    session(scene, arn)
    scene.world.tick(timedelta(hours=2).total_seconds())
    held = session(scene, arn)
    before = scene.world.digest()
    incident = opened(scene, "role/deployer")
    ending = scene.enter(incident, PLAY)
    assert ending.state == "Waiting"
    assert may(scene, held), "it would hit others: nobody has allowed it yet"
    asked = [q for q in scene.questions(incident) if q.state == "open"]
    assert {s["action"] for q in asked for s in q.scopes} == {
        "close_trust_policy",
        "deny_role_sessions",
    }
    for question in asked:
        scene.say(question)
    ending = scene.enter(incident, PLAY)
    assert ending.status.startswith("contained"), ending
    assert not may(scene, held)
    with pytest.raises(ClientError, match="AccessDenied"):
        session(scene, arn)
    scene.world.tick(LAG)
    scene.enter(incident, PLAY)
    rows = scene.store.read(lambda conn: store.steps(conn, incident.id))
    times = [i.fields["issued_before"] for i, _ in rows if i.action == "deny_role_sessions"]
    assert times == sorted(times)
    assert len({*times}) == 2, "once more, for the sessions that were issued meanwhile"
    assert all(not end.why for end in rolled_back(scene, incident))
    assert scene.world.digest() == before


@apart
def test_the_sessions_of_a_host_are_denied_at_once_and_its_siblings_go_on(scene: Scene) -> None:
    estate = scene.estate
    stolen = scene.world.instance_credentials(estate.target)
    sibling = scene.world.instance_credentials(estate.sibling)
    incident = opened(scene, f"role/{estate.role}")
    told = {"principal_id": f"AROAEXAMPLEEXAMPLE:{estate.target}"}
    seen = {"resources": [{"data": told}], "cloud": {"region": estate.region}}

    def works(held: Credentials) -> bool:
        try:
            scene.world.client("s3", held).get_object(Bucket=estate.bucket, Key=estate.object_key)
        except ClientError:
            return False
        return True

    assert works(stolen)
    case = scene.case(incident)
    case.incident = replace(case.incident, alert=seen)
    asyncio.run(cut_off(case))
    assert (works(stolen), works(sibling)) == (False, True)
    assert scene.questions(incident) == []


@apart
def test_a_person_of_identity_center_loses_its_assignments_and_its_open_sessions(
    scene: Scene,
) -> None:
    sso, people = scene.aws("sso-admin"), scene.aws("identitystore")
    instance = sso.list_instances()["Instances"][0]
    person = people.create_user(
        IdentityStoreId=instance["IdentityStoreId"],
        UserName="mallory",
        DisplayName="Mallory",
        Name={"GivenName": "M", "FamilyName": "M"},
    )["UserId"]
    arn = instance["InstanceArn"]
    made = sso.create_permission_set(Name="admins", InstanceArn=arn)["PermissionSet"]
    sso.create_account_assignment(
        InstanceArn=arn,
        TargetId=scene.estate.account,
        TargetType="AWS_ACCOUNT",
        PermissionSetArn=made["PermissionSetArn"],
        PrincipalType="USER",
        PrincipalId=person,
    )
    scene.world.tick(60)
    incident = opened(scene, f"sso/{person}", scene.estate.region)
    ending = scene.enter(incident, PLAY)
    assert ending.status.startswith("contained"), ending
    told = scene.steps(incident)
    assert {"deny_in_permission_set", "remove_account_assignments"} <= told.keys()
    assert any("portal" in text for text in scene.case(incident).residual)
    assert all(not end.why for end in rolled_back(scene, incident))
    left = sso.list_account_assignments(
        InstanceArn=arn, AccountId=scene.estate.account, PermissionSetArn=made["PermissionSetArn"]
    )["AccountAssignments"]
    assert [one["PrincipalId"] for one in left] == [person]
