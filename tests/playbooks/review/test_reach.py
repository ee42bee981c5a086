"""Whom a principal can become is what the range lets it become, step by step."""

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World
from playbooks.review import details
from playbooks.review.reach import path, reach, touches
from playbooks.review.statements import Granted, statements
from tests.actions.scene import in_child
from tests.playbooks.review.staff import allow, trust

HOME = "111122223333"
USERS = ("u0", "u1", "u2")
ROLES = ("r0", "r1", "r2", "r3")


def arn(kind: str, name: str) -> str:
    return f"arn:aws:iam::{HOME}:{kind}/{name}"


def key(kind: str, name: str) -> str:
    return f"{HOME}/aws-global/{kind}/{name}"


def reached(world: World, start: str) -> dict[str, Any]:
    aws = Aws(world.account, world.region, lambda s: world.client(s, world.admin))
    around = details.known(aws)
    return reach(start, {h.key: h for h in details.holdings(aws, around)})


def become(world: World, start: Credentials) -> set[str]:
    """Return all roles that these credentials get to in the range, by trying each."""
    found: dict[str, Credentials] = {}
    waiting = [start]
    while waiting:
        sts = world.client("sts", waiting.pop())
        for name in ROLES:
            if name in found:
                continue
            try:
                given = sts.assume_role(RoleArn=arn("role", name), RoleSessionName="try")
            except ClientError as error:
                if error.response["Error"]["Code"] != "AccessDenied":
                    raise
                continue
            got = given["Credentials"]
            found[name] = Credentials(
                got["AccessKeyId"], got["SecretAccessKey"], got["SessionToken"]
            )
            waiting.append(found[name])
    return set(found)


def tangled(rng: random.Random) -> tuple[World, dict[str, Credentials]]:
    """Return a world whose users and roles trust and are allowed at random, and the users' keys."""
    world = World(account=HOME, seed=rng.randrange(99))
    iam = world.client("iam", world.admin)
    keys = {}
    for name in USERS:
        iam.create_user(UserName=name)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        keys[name] = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    for name in ROLES:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust({"AWS": "999988887777"}))
    for name in ROLES:
        whom = rng.choice([HOME, "999988887777", *map(_someone, rng.sample(range(7), 2))])
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust({"AWS": whom}))
    for kind, name in [("user", n) for n in USERS] + [("role", n) for n in ROLES]:
        document = allow("sts:AssumeRole", resource=arn("role", rng.choice([*ROLES, "*", "no"])))
        if rng.random() < 0.2:
            document["Statement"].append(
                {"Effect": "Deny", "Action": "sts:*", "Resource": arn("role", rng.choice(ROLES))}
            )
        put = getattr(iam, f"put_{kind}_policy")
        put(
            **{f"{kind.capitalize()}Name": name},
            PolicyName="p",
            PolicyDocument=json.dumps(document),
        )
    return world, keys


def _someone(number: int) -> str:
    return arn("user", USERS[number]) if number < 3 else arn("role", ROLES[number - 3])


@pytest.mark.parametrize("seed", range(5))
def test_a_user_reaches_the_roles_that_the_range_lets_it_assume(seed: int) -> None:
    def check() -> str:
        world, keys = tangled(random.Random(seed))
        for name in USERS:
            found = reached(world, key("user", name))
            roles = {k.rpartition("/")[2] for k in found} - {name}
            if roles != (there := become(world, keys[name])):
                return f"{name} reaches {sorted(there)}, was said to reach {sorted(roles)}"
        return ""

    assert in_child(check) == ""


def site() -> World:
    world = World(account=HOME, seed=3)
    iam = world.client("iam", world.admin)
    for name in ("alice", "carol"):
        iam.create_user(UserName=name)
    iam.create_role(
        RoleName="job", AssumeRolePolicyDocument=trust({"Service": "lambda.amazonaws.com"})
    )
    iam.create_role(
        RoleName="host", AssumeRolePolicyDocument=trust({"Service": "ec2.amazonaws.com"})
    )
    iam.put_role_policy(
        RoleName="job",
        PolicyName="p",
        PolicyDocument=json.dumps(allow("iam:UpdateAssumeRolePolicy")),
    )
    return world


WAYS = [
    (allow("iam:CreateAccessKey"), {"user/carol": "makes a key of it"}),
    (allow("iam:CreateAccessKey", resource=arn("user", "nobody")), {}),
    (
        allow("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"),
        {"role/job": "passes it to lambda", "role/host": "changes whom it trusts"},
    ),
    (allow("iam:PassRole", "ec2:RunInstances"), {"role/host": "passes it to ec2"}),
    (
        allow("iam:PutUserPolicy"),
        dict.fromkeys(("user/carol", "role/job", "role/host"), "writes a policy of a user"),
    ),
    (
        allow("*"),
        dict.fromkeys(("user/carol", "role/job", "role/host"), "is an administrator"),
    ),
    (allow("s3:GetObject"), {}),
]


@pytest.mark.parametrize(("document", "expected"), WAYS)
def test_ways_to_more_lead_to_others(document: dict[str, Any], expected: dict[str, str]) -> None:
    def check() -> str:
        world = site()
        world.client("iam", world.admin).put_user_policy(
            UserName="alice", PolicyName="p", PolicyDocument=json.dumps(document)
        )
        found = reached(world, key("user", "alice"))
        hows = {k.split("/", 2)[2]: r.how for k, r in found.items() if r.origin}
        for name in hows:
            steps = path(key(*name.split("/")), found)
            if not steps or not steps[0].startswith(key("user", "alice")):
                return f"the way to {name} does not begin at alice: {steps}"
        return "" if hows == expected else str(hows)

    assert in_child(check) == ""


def test_one_who_is_not_there_reaches_nobody_else() -> None:
    assert list(reach("nobody", {})) == ["nobody"]


def test_what_it_may_touch_is_by_action_and_resource() -> None:
    documents = allow("s3:GetObject", resource="arn:aws:s3:::a/*")
    documents["Statement"] += allow("s3:GetObject", "s3:List*", resource=["x", "y"])["Statement"]
    documents["Statement"].append({"Effect": "Deny", "Action": "*", "Resource": "*"})
    documents["Statement"].append({"Effect": "Allow", "NotAction": "iam:*", "NotResource": "z"})
    granted = replace(Granted(), statements=statements(documents))
    assert touches(granted) == {
        "s3:GetObject": ["arn:aws:s3:::a/*", "x", "y"],
        "s3:List*": ["x", "y"],
        "!iam:*": ["!z"],
    }
