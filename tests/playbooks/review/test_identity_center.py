"""Assignments of Identity Center are rows like any other, and are taken away one by one."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from actions.identity.remove_account_assignments import RemoveAccountAssignments
from playbooks.case.store import reviews as stored
from playbooks.review import details
from playbooks.review.acts import planned
from playbooks.review.errors import DecisionError
from playbooks.review.live import live
from tests.actions.identity.center import OTHER_ACCOUNT, assign, permission_set, person
from tests.playbooks.review.staff import allow, begin, decide, rows_of
from tests.playbooks.scene import Scene, apart


def staffed(scene: Scene) -> tuple[Any, str]:
    """Let zoe have an admin permission set in two accounts; return who and the set's ARN."""
    store = scene.aws("sso-admin").list_instances()["Instances"][0]["IdentityStoreId"]
    made = scene.aws("identitystore").create_user(
        IdentityStoreId=store,
        UserName="zoe",
        DisplayName="Zoe",
        Name={"GivenName": "Zoe", "FamilyName": "Z"},
    )
    who = person(scene.world, made["UserId"])
    arn = permission_set(scene.world, who)
    scene.aws("sso-admin").put_inline_policy_to_permission_set(
        InstanceArn=who.instance_arn, PermissionSetArn=arn, InlinePolicy=json.dumps(allow("*"))
    )
    assign(scene.world, who, arn)
    assign(scene.world, who, arn, OTHER_ACCOUNT)
    return who, arn


@apart
def test_an_assignment_is_listed_decided_and_taken_away_alone(scene: Scene) -> None:
    who, arn = staffed(scene)
    review = begin(scene)
    name = f"sso/user/{who.principal_id} assignment/{OTHER_ACCOUNT}/{arn}"
    rows = rows_of(scene, review)
    assert rows[name].flags == ("admin",)
    assert rows[name].about["name"] == "zoe"
    with pytest.raises(DecisionError) as caught:
        decide(scene, review, "zoe", (name, "keep"))
    assert "about yourself" in caught.value.lines[0]
    decide(scene, review, "frank", (name, "revoke"))
    mine = [r for r in rows_of(scene, review).values() if r.principal == who.key and r.decided]
    aws = scene.parts.aws(scene.estate.account, "aws-global")
    since = scene.parts.now() - timedelta(days=90)
    made = asyncio.run(planned(aws, mine, live(aws, mine), since, scene.parts.sleep))
    (act,) = made.acts
    assert act.action == RemoveAccountAssignments(who, (f"{OTHER_ACCOUNT}/{arn}",))
    assert act.rows == (rows[name].id,)


@apart
def test_a_group_has_its_name_and_a_managed_policy_its_flags(scene: Scene) -> None:
    store = scene.aws("sso-admin").list_instances()["Instances"][0]["IdentityStoreId"]
    made = scene.aws("identitystore").create_group(IdentityStoreId=store, DisplayName="admins")
    who = person(scene.world, made["GroupId"], "GROUP")
    arn = permission_set(scene.world, who, "Wide")
    managed = "arn:aws:iam::aws:policy/AdministratorAccess"
    scene.aws("sso-admin").attach_managed_policy_to_permission_set(
        InstanceArn=who.instance_arn, PermissionSetArn=arn, ManagedPolicyArn=managed
    )
    assign(scene.world, who, arn)
    gone = person(scene.world)
    assign(scene.world, gone, arn)
    rows = rows_of(scene, begin(scene))
    account = scene.estate.account
    group = rows[f"sso/group/{who.principal_id} assignment/{account}/{arn}"]
    assert (group.about["name"], group.about["set"]) == ("admins", "Wide")
    assert group.flags == ("admin",)
    assert rows[f"sso/user/{gone.principal_id} assignment/{account}/{arn}"].about["name"] == ""


@apart
def test_a_policy_that_the_sweep_does_not_tell_of_is_asked_for(scene: Scene) -> None:
    aws = scene.parts.aws(scene.estate.account, "aws-global")
    around = details.Known()
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    right = details.learn(aws, around, arn)
    assert right.granted.may("iam:CreateUser")
    asked = len(scene.world.calls)
    assert details.learn(aws, around, arn) == right
    assert len(scene.world.calls) == asked, "once"


@apart
def test_a_permission_set_that_changed_makes_its_assignments_stale(scene: Scene) -> None:
    who, arn = staffed(scene)
    review = begin(scene)
    scene.aws("sso-admin").put_inline_policy_to_permission_set(
        InstanceArn=who.instance_arn, PermissionSetArn=arn, InlinePolicy=json.dumps(allow("s3:*"))
    )
    name = f"sso/user/{who.principal_id} assignment/{OTHER_ACCOUNT}/{arn}"
    with pytest.raises(DecisionError) as caught:
        decide(scene, review, "frank", (name, "keep"))
    assert "changed since" in caught.value.lines[0]
    scene.aws("sso-admin").delete_account_assignment(
        InstanceArn=who.instance_arn,
        PermissionSetArn=arn,
        PrincipalType="USER",
        PrincipalId=who.principal_id,
        TargetType="AWS_ACCOUNT",
        TargetId=OTHER_ACCOUNT,
    )
    scene.world.tick(10)
    with pytest.raises(DecisionError) as caught:
        decide(scene, review, "frank", (name, "keep"))
    assert "any more" in caught.value.lines[0]


@pytest.mark.parametrize(("code", "told"), [("AccessDeniedException", ""), ("Throttled", "no")])
@apart
def test_where_it_is_not_administered_from_here_the_rest_is_listed(
    scene: Scene, code: str, told: str
) -> None:
    staffed(scene)
    client = scene.aws("sso-admin")

    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": told}}, "ListInstances")

    client.meta.events.register("before-call.sso-admin.ListInstances", refuse)
    if told:
        with pytest.raises(ClientError, match=code):
            begin(scene)
        assert [r.status for r in scene.store.read(stored.reviews)] == ["gathering"]
        return
    rows = rows_of(scene, begin(scene))
    assert rows
    assert not any("assignment/" in name for name in rows)
