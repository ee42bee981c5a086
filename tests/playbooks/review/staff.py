"""Puts people, groups, roles and policies into a scene's account, for reviews to find."""

import asyncio
import json
from typing import Any

from playbooks.case.store import reviews as stored
from playbooks.case.store.reviews import Review, ReviewRow
from playbooks.review.deciding import Choice
from playbooks.review.hearing import hear
from playbooks.review.starting import start
from tests.playbooks.scene import Scene


def allow(*actions: str, resource: str | list[str] = "*") -> dict[str, Any]:
    """Return a policy document that allows the actions."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust(principal: Any, **more: Any) -> str:
    """Return a trust policy for one principal."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def hire(iam: Any) -> None:
    """Make alice and carol of the group ops, an admin role, and a policy of the account's own."""
    iam.create_group(GroupName="ops")
    iam.put_group_policy(
        GroupName="ops", PolicyName="look", PolicyDocument=json.dumps(allow("ec2:Describe*"))
    )
    made = iam.create_policy(PolicyName="orders", PolicyDocument=json.dumps(allow("s3:*")))
    orders = made["Policy"]["Arn"]
    for name, owner in (("alice", "bob"), ("carol", "dora")):
        iam.create_user(UserName=name, Tags=[{"Key": "owner", "Value": owner}])
        iam.add_user_to_group(GroupName="ops", UserName=name)
        iam.attach_user_policy(UserName=name, PolicyArn=orders)
        iam.create_access_key(UserName=name)
    iam.create_login_profile(UserName="alice", Password="not-a-Secret-1")
    iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=trust({"AWS": "999988887777"}))
    iam.put_role_policy(RoleName="deploy", PolicyName="all", PolicyDocument=json.dumps(allow("*")))


def begin(scene: Scene, owner: str = "erin") -> Review:
    """Start a campaign over the scene's account."""
    scene.person(owner)
    return asyncio.run(start(scene.parts, scene.store, scene.estate.account, owner))


def rows_of(scene: Scene, review: Review) -> dict[str, ReviewRow]:
    """Return a campaign's rows by `kind/name privilege`."""
    rows = scene.store.read(lambda conn: list(stored.review_rows(conn, review.id)))
    return {f"{r.principal.split('/', 2)[2]} {r.privilege}": r for r in rows}


def decide(scene: Scene, review: Review, by: str, *choices: tuple[str, str]) -> int:
    """Let a person decide on rows, named as in `rows_of`."""
    key, rows = scene.person(by), rows_of(scene, review)
    made = [Choice(rows[name].id, decision, "because") for name, decision in choices]
    return hear(scene.parts, scene.store, review.id, by, key, lambda _: made)
