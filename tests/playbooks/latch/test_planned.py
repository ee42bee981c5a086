"""The two policies, judged as AWS judges: responders alone change what is Stanch's."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.aws.latch import packed
from playbooks.drills.range.policy import Policies, Request, Verdict, decide
from playbooks.errors import SettingsError
from playbooks.latch.planned import Planned, planned
from playbooks.latch.shield import responders, shield
from playbooks.wiring.latch_part import Latch
from playbooks.wiring.settings import Account

HOME, ADMIN, MANAGEMENT = "111122223333", "444455556666", "999988887777"
PART = Latch(
    admin=ADMIN,
    management=MANAGEMENT,
    organization="o-exampleorgid",
    policy="p-examplelatch",
    responders=("stanch-responder",),
)
ACCOUNTS = {
    account: Account(role=f"arn:aws:iam::{account}:role/stanch-responder")
    for account in (HOME, ADMIN, MANAGEMENT)
}
ALL = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
HERE = f"arn:aws:iam::{HOME}"
DENY = f"{HERE}:policy/stanch-deny-7"
CANARY = f"{HERE}:role/stanch-canary"
# Ways to take a denial off, to take its name first, or to spoil what shows that it works.
ATTACKS = [
    *(
        (f"iam:{verb}{kind}Policy", f"{HERE}:{kind.lower()}/x", {"iam:policyarn": (DENY,)})
        for verb in ("Attach", "Detach")
        for kind in ("User", "Role", "Group")
    ),
    *(
        (f"iam:{action}", DENY, {})
        for action in (
            "CreatePolicy",
            "CreatePolicyVersion",
            "DeletePolicy",
            "DeletePolicyVersion",
            "SetDefaultPolicyVersion",
            "TagPolicy",
            "UntagPolicy",
        )
    ),
    *(
        (f"iam:{action}", CANARY, {})
        for action in (
            "AttachRolePolicy",
            "CreateRole",
            "DeleteRole",
            "DeleteRolePermissionsBoundary",
            "DeleteRolePolicy",
            "DetachRolePolicy",
            "PutRolePermissionsBoundary",
            "PutRolePolicy",
            "TagRole",
            "UntagRole",
            "UpdateAssumeRolePolicy",
            "UpdateRole",
            "UpdateRoleDescription",
        )
    ),
    *(
        (
            f"iam:{verb}{kind}PermissionsBoundary",
            f"{HERE}:{kind.lower()}/x",
            {"iam:permissionsboundary": (DENY,)},
        )
        for verb in ("Put", "Delete")
        for kind in ("User", "Role")
    ),
]
OTHERS = [
    ("iam:DetachUserPolicy", f"{HERE}:user/x", {"iam:policyarn": (f"{HERE}:policy/team",)}),
    ("iam:DeletePolicy", f"{HERE}:policy/team", {}),
    ("iam:UpdateAssumeRolePolicy", f"{HERE}:role/web", {}),
    ("iam:PutUserPermissionsBoundary", f"{HERE}:user/x", {"iam:permissionsboundary": ("arn:x",)}),
    ("iam:GetPolicy", DENY, {}),
    ("iam:GetRole", CANARY, {}),
    ("ec2:DescribeInstances", "*", {}),
]


def plan(part: Latch = PART) -> Planned:
    return planned(part, ACCOUNTS, "aws")


def verdict(action: str, resource: str, context: dict, who: str) -> Verdict:
    asked = Request(action, resource, {**context, "aws:principalarn": (who,)})
    level = (ALL, plan().latch, plan().shield)
    return decide(asked, Policies((ALL,), scps=(level,)))


@pytest.mark.parametrize(("action", "resource", "context"), ATTACKS)
def test_only_a_responder_changes_what_is_stanchs(action, resource, context):
    strangers = ["user/x", "role/admin", "root", "role/a/stanch-responder", "user/stanch-responder"]
    for who in (f"{HERE}:{name}" for name in strangers):
        assert verdict(action, resource, context, who) is Verdict.EXPLICIT_DENY
    assert verdict(action, resource, context, f"{HERE}:role/stanch-responder") is Verdict.ALLOW


@pytest.mark.parametrize(("action", "resource", "context"), OTHERS)
def test_everybody_goes_on_with_everything_else(action, resource, context):
    assert verdict(action, resource, context, f"{HERE}:user/x") is Verdict.ALLOW


def test_nobody_takes_an_account_out_of_the_organisation():
    for who in ("user/x", "root", "role/stanch-responder"):
        found = verdict("organizations:LeaveOrganization", "*", {}, f"{HERE}:{who}")
        assert found is Verdict.EXPLICIT_DENY


def test_a_responder_can_be_made_by_no_one_whom_the_shield_binds():
    """Or whoever makes a role of that name, in any account of them, is let through."""
    for account in (HOME, ADMIN):
        role = f"arn:aws:iam::{account}:role/stanch-responder"
        who = f"arn:aws:iam::{account}:role/admin"
        assert verdict("iam:CreateRole", role, {}, who) is Verdict.EXPLICIT_DENY
        trust = verdict("iam:UpdateAssumeRolePolicy", role, {}, who)
        assert trust is Verdict.EXPLICIT_DENY


@given(st.text(min_size=1, max_size=30).filter(lambda t: not t.startswith(("stanch-", "arn:"))))
def test_a_bare_name_that_anybody_can_take_is_no_responder(name):
    with pytest.raises(ValueError, match="must be a role's ARN"):
        Latch(**PART.model_dump() | {"responders": (name,)})


def test_both_policies_go_to_every_account_but_the_one_that_nothing_binds():
    assert plan().attach == (HOME, ADMIN)
    assert any("management account" in line for line in plan().json()["unbound"])


def test_the_room_is_what_the_quota_leaves():
    shown = plan().json()["room"]
    assert shown["latch"]["characters"] == PART.characters - len(packed(plan().latch))
    assert shown["shield"]["characters"] == PART.characters - len(packed(plan().shield))
    assert shown["latch"]["principals"] >= 60
    assert json.loads(json.dumps(plan().json())) == plan().json()


def test_the_resource_policy_lets_responders_write_the_latch_and_nothing_else():
    looks, writes = plan().delegation
    assert all(
        a.startswith(("organizations:Describe", "organizations:List")) for a in looks["Action"]
    )
    assert writes["Action"] == ["organizations:UpdatePolicy"]
    latch = f"arn:aws:organizations::{MANAGEMENT}:policy/o-exampleorgid/service_control_policy/"
    assert writes["Resource"] == f"{latch}p-examplelatch"
    for statement in (looks, writes):
        assert "NotAction" not in statement
        assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ADMIN}:root"}
        [who] = statement["Condition"]["ArnLike"]["aws:PrincipalArn"]
        assert who == "arn:aws:iam::*:role/stanch-responder"


def test_without_named_responders_the_accounts_own_roles_pass():
    found = responders(replace_part(responders=()), ACCOUNTS, "aws")
    assert found == tuple(sorted(a.role for a in ACCOUNTS.values()))


def test_the_canary_trusts_the_accounts_own_role_or_else_the_account():
    accounts = {**ACCOUNTS, HOME: Account()}
    trusts = planned(PART, accounts, "aws").trusts
    named = {a: t["Statement"][0]["Principal"]["AWS"] for a, t in trusts.items()}
    assert named[HOME] == f"{HERE}:root"
    assert named[ADMIN] == ACCOUNTS[ADMIN].role


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"admin": "123456789012"}, "not among the accounts"),
        ({"responders": (f"{HERE}:role/stanch-r",)}, "lets no role of account"),
        ({"characters": 1024}, "the shield needs"),
    ],
)
def test_a_latch_that_could_not_be_taken_off_or_does_not_fit_is_no_plan(part, says):
    with pytest.raises(SettingsError, match=says):
        plan(replace_part(**part))


def replace_part(**fields):
    return Latch(**PART.model_dump() | fields)


def test_federation_is_forbidden_only_where_the_team_says_so() -> None:
    """The latch binds no session of GetFederationToken; some still need to get one."""
    role = ["arn:aws:iam::111122223333:role/stanch"]

    def forbidden(**more: bool) -> bool:
        statements = shield(role, "aws", **more)["Statement"]
        return any(s["Action"] == "sts:GetFederationToken" for s in statements)

    assert (forbidden(), forbidden(no_federation=True)) == (False, True)
