"""The identity scenario: an organisation, a leaked key in one account, a responder in another.

Accounts: management, security (the responder's, a delegated administrator of policies) and the
world's home account, where the user `deploy` has administrator's rights and a key that leaked. The
attacker has an account of its own, in no organisation. A canary role stands beside the target: the
responder may assume it, it may do two harmless calls, and a deny that names it with the target
shows on it when it is in effect.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.keys import Credentials

if TYPE_CHECKING:
    from playbooks.drills.range.world import World

MANAGEMENT, SECURITY, STRANGER = "999988887777", "222233334444", "666677778888"
SCP = "SERVICE_CONTROL_POLICY"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
CANARY, RESPONDER, TARGET = "stanch-canary", "stanch-responder", "deploy"


@dataclass(frozen=True, slots=True)
class EstateIdentity:
    """`leaked` is the target's key; `outside` the attacker's own; `responder` sessions of the
    responder's roles, in the home account (`home`) and in the security account (`security`)."""

    target: str
    target_arn: str
    canary_arn: str
    leaked: Credentials = field(repr=False)
    outside: Credentials = field(repr=False)
    home: Credentials = field(repr=False)
    security: Credentials = field(repr=False)


def build_identity(world: World) -> EstateIdentity:
    """Fill the world; everything binds at once unless the world was told to delay before."""
    organise(world)
    iam = world.client("iam", world.admin)
    iam.create_user(UserName=TARGET)
    iam.attach_user_policy(UserName=TARGET, PolicyArn=ADMIN)
    responder = _user(world, SECURITY, RESPONDER)
    trusted = f"arn:aws:iam::{SECURITY}:user/{RESPONDER}"
    canary = _role(iam, CANARY, f"arn:aws:iam::{world.account}:role/{RESPONDER}")
    harmless = {"Action": ["iam:GetRole", "ec2:DescribeRegions"], "Resource": "*"}
    iam.put_role_policy(RoleName=CANARY, PolicyName="harmless", PolicyDocument=_allows(**harmless))
    sessions = {}
    for account in (world.account, SECURITY):
        there = world.client("iam", world.root_of(account))
        arn = _role(there, RESPONDER, trusted)
        there.attach_role_policy(RoleName=RESPONDER, PolicyArn=ADMIN)
        assumed = world.client("sts", responder).assume_role(
            RoleArn=arn, RoleSessionName="incident"
        )["Credentials"]
        sessions[account] = Credentials(
            assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"]
        )
    return EstateIdentity(
        target=TARGET,
        target_arn=f"arn:aws:iam::{world.account}:user/{TARGET}",
        canary_arn=canary,
        leaked=_key(iam, TARGET),
        outside=_user(world, STRANGER, "someone"),
        home=sessions[world.account],
        security=sessions[SECURITY],
    )


def organise(world: World) -> None:
    """Make the organisation, with policies of accounts enabled and both accounts in it."""
    org = world.client("organizations", world.root_of(MANAGEMENT))
    org.create_organization(FeatureSet="ALL")
    root = org.list_roots()["Roots"][0]["Id"]
    org.enable_policy_type(RootId=root, PolicyType=SCP)
    for member in (world.account, SECURITY):
        world.join(member, MANAGEMENT)


def _user(world: World, account: str, name: str) -> Credentials:
    iam = world.client("iam", world.root_of(account))
    iam.create_user(UserName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=ADMIN)
    return _key(iam, name)


def _key(iam: Any, user: str) -> Credentials:
    made = iam.create_access_key(UserName=user)["AccessKey"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"])


def _role(iam: Any, name: str, trusted: str) -> str:
    trust = _allows(Action="sts:AssumeRole", Principal={"AWS": trusted})
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    return str(made["Role"]["Arn"])


def _allows(**statement: Any) -> str:
    whole = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    return json.dumps(whole)
