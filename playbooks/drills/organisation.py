"""An organisation over the drill's account, with the latch made as `stanch latch plan` says."""

import json
from typing import Any

from actions.aws.latch import Document, packed
from playbooks.drills.range.estate import Estate
from playbooks.drills.range.world import World
from playbooks.latch.planned import Planned, planned
from playbooks.wiring.latch_part import Latch
from playbooks.wiring.settings import Account

MANAGEMENT = "999988887777"
SCP = "SERVICE_CONTROL_POLICY"


def organise(world: World, estate: Estate) -> tuple[str, ...]:
    """Make it, and return the lines that stanch.toml needs for it.

    The responder's account is the delegated administrator of policies; Stanch assumes a role there
    too. Everything is made by the management account, which Stanch never uses.
    """
    admin = estate.responder_account
    role = _second_role(world, estate)
    org: Any = world.client("organizations", world.root_of(MANAGEMENT))
    made = org.create_organization(FeatureSet="ALL")["Organization"]
    org.enable_policy_type(RootId=org.list_roots()["Roots"][0]["Id"], PolicyType=SCP)
    accounts = {
        estate.account: Account(role=estate.responder_role, regions=(estate.region,)),
        admin: Account(role=role, regions=(estate.region,)),
    }
    for account in accounts:
        world.join(account, MANAGEMENT)
    part = Latch(admin=admin, management=MANAGEMENT, organization=made["Id"], no_federation=True)
    plan = planned(part, accounts, "aws")
    for account in accounts:
        _canary(world, account, part.canary, plan)
    latch, shield = (
        _policy(org, n, d) for n, d in (("latch", plan.latch), ("shield", plan.shield))
    )
    part = part.model_copy(update={"policy": latch, "shield": shield})
    for policy in (latch, shield):
        for account in plan.attach:
            org.attach_policy(PolicyId=policy, TargetId=account)
    delegation = planned(part, accounts, "aws").delegation
    whole = {"Version": "2012-10-17", "Statement": list(delegation)}
    org.put_resource_policy(Content=json.dumps(whole))
    return (
        f'[accounts."{admin}"]',
        f'role = "{role}"',
        'external_id = "env:STANCH_DRILL_EXTERNAL_ID"',
        f'regions = ["{estate.region}"]',
        "[latch]",
        *(f"{k} = {json.dumps(v)}" for k, v in part.model_dump(exclude_defaults=True).items()),
    )


def _second_role(world: World, estate: Estate) -> str:
    """Make the role that Stanch assumes in the administrator's account; return its ARN."""
    iam: Any = world.client("iam", world.root_of(estate.responder_account))
    name = estate.responder_role.rpartition("/")[2]
    user = iam.get_user(UserName="responder")["User"]["Arn"]
    known = {"StringEquals": {"sts:ExternalId": estate.external_id}}
    trust = _document(Action="sts:AssumeRole", Principal={"AWS": user}, Condition=known)
    role = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])
    both = [estate.responder_role, role]
    iam.put_user_policy(
        UserName="responder",
        PolicyName="assume",
        PolicyDocument=_document(Action="sts:AssumeRole", Resource=both),
    )
    return role


def _canary(world: World, account: str, name: str, plan: Planned) -> None:
    iam: Any = world.client("iam", world.root_of(account))
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(plan.trusts[account]))
    document = json.dumps(plan.canary_policy)
    iam.put_role_policy(RoleName=name, PolicyName="harmless", PolicyDocument=document)


def _policy(org: Any, name: str, content: Document) -> str:
    made = org.create_policy(
        Name=f"stanch-{name}", Description=name, Type=SCP, Content=packed(content)
    )
    return str(made["Policy"]["PolicySummary"]["Id"])


def _document(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})
