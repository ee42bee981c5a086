"""One person is denied in one permission set, nobody else is, and the rest of it is untouched."""

import json

import pytest

from actions import engine
from actions.errors import (
    DriftError,
    NotEffectiveError,
    ProviderError,
    TargetGoneError,
    UnfitError,
)
from actions.identity.deny_in_permission_set import ROOM, DenyInPermissionSet
from playbooks.drills.range.policy import Policies, Request, Verdict, decide
from tests.actions.identity.center import (
    ALICE,
    BOB,
    GROUP,
    OTHER_ACCOUNT,
    assign,
    permission_set,
    person,
)

OWN = {"Sid": "Own", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": [OWN]}
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def arrange(world, estate):
    who = person(world)
    arn = permission_set(world, who)
    assign(world, who, arn)
    assign(world, who, arn, OTHER_ACCOUNT)
    action = DenyInPermissionSet(who, arn)
    put(world, action, POLICY)
    return action


def put(world, action, policy) -> None:
    client, named = world.client("sso-admin", world.admin), action._named
    client.put_inline_policy_to_permission_set(**named, InlinePolicy=json.dumps(policy))
    client.provision_permission_set(**named, TargetType="ALL_PROVISIONED_ACCOUNTS")
    world.tick(5)


def policy(sso, action) -> dict:
    text = sso.get_inline_policy_for_permission_set(**action._named)["InlinePolicy"]
    return json.loads(text) if text else {}


def behind(sso, action) -> list[str]:
    return sso.list_accounts_for_provisioned_permission_set(
        **action._named, ProvisioningStatus="LATEST_PERMISSION_SET_NOT_PROVISIONED"
    )["AccountIds"]


def may(document, person_id, issued="2026-03-01T12:00:00+00:00") -> bool:
    """Whether IAM lets a session of this person, with the policy and all else allowed, act."""
    context = {"identitystore:userid": (person_id,), "aws:tokenissuetime": (issued,)}
    request = Request("s3:GetObject", "arn:aws:s3:::x", context)
    return decide(request, Policies(identity=(ALL, document))) is Verdict.ALLOW


def test_one_person_is_denied_everywhere_and_nobody_else(world, op, sso):
    action = arrange(world, None)
    op.apply(action)
    assert policy(sso, action) == {**POLICY, "Statement": [OWN, action.statement]}
    assert (may(policy(sso, action), ALICE), may(policy(sso, action), BOB)) == (False, True)
    assert behind(sso, action) == []
    op.undo(action)
    assert policy(sso, action) == POLICY
    world.tick(5)
    assert behind(sso, action) == []


def test_a_set_without_a_policy_has_none_again(world, op, sso):
    who = person(world)
    action = DenyInPermissionSet(who, permission_set(world, who))
    assign(world, who, action.permission_set)
    op.apply(action)
    assert policy(sso, action)["Version"] == "2012-10-17"
    op.undo(action)
    assert policy(sso, action) == {}


def test_a_single_statement_and_a_missing_version_keep_their_meaning(world, op, sso):
    action = arrange(world, None)
    put(world, action, {"Statement": OWN})
    op.apply(action)
    op.undo(action)
    assert policy(sso, action) == {"Statement": [OWN]}


def test_sessions_of_before_a_time_only(world, op, sso):
    who = arrange(world, None)
    action = DenyInPermissionSet(who.person, who.permission_set, "2026-03-01T12:30:00Z")
    assert action.cell("denial/x") == who.cell("denial/x")
    op.apply(action)
    assert not may(policy(sso, action), ALICE)
    assert may(policy(sso, action), ALICE, "2026-03-01T12:30:01+00:00")
    with pytest.raises(UnfitError, match="no RFC 3339 time in UTC"):
        engine.plan(DenyInPermissionSet(who.person, who.permission_set, "2026-03-01"), op.p)


def test_two_people_in_one_set_are_denied_and_given_back_apart(world, op, sso):
    one = arrange(world, None)
    two = DenyInPermissionSet(person(world, BOB), one.permission_set)
    op.apply(one)
    op.apply(two)
    op.undo(one)
    assert (may(policy(sso, one), ALICE), may(policy(sso, one), BOB)) == (True, False)
    op.undo(two)
    assert policy(sso, one) == POLICY


def test_what_others_change_in_the_policy_meanwhile_stays(world, op, sso):
    action = arrange(world, None)
    op.apply(action)
    more = {**OWN, "Sid": "More"}
    put(world, action, {**POLICY, "Statement": [OWN, more, action.statement]})
    op.undo(action)
    assert policy(sso, action) == {**POLICY, "Statement": [OWN, more]}


def test_a_denial_that_somebody_weakened_is_told(world, op, sso):
    action = arrange(world, None)
    op.apply(action)
    weaker = action.statement | {"Action": "ec2:*"}
    put(world, action, {**POLICY, "Statement": [OWN, weaker]})
    with pytest.raises(DriftError):
        op.undo(action)
    assert policy(sso, action)["Statement"] == [OWN, weaker]


def test_it_is_not_done_before_it_is_provisioned(world, op, sso, monkeypatch):
    action = arrange(world, None)
    monkeypatch.setattr(DenyInPermissionSet, "limit", 3.0)
    event = "after-call.sso-admin.ListAccountsForProvisionedPermissionSet"
    stuck = []

    def never(parsed, **_):
        parsed["AccountIds"] = stuck

    op.p.sso_admin.meta.events.register(event, never)
    op.intend(action)
    stuck.append(OTHER_ACCOUNT)
    with pytest.raises(NotEffectiveError):
        op.apply(action)
    stuck.clear()
    assert op.apply(action).verdict == "verified"


def test_others_changes_that_wait_go_out_with_it_and_that_is_said(world, op, sso):
    action = arrange(world, None)
    sso.put_inline_policy_to_permission_set(
        **action._named, InlinePolicy=json.dumps({**POLICY, "Statement": [{**OWN, "Sid": "New"}]})
    )
    [lost] = engine.plan(action, op.p).lost
    assert OTHER_ACCOUNT in lost
    op.apply(action)
    op.undo(action)
    assert policy(sso, action)["Statement"][0]["Sid"] == "New"


def test_a_provisioning_that_failed_is_told_with_its_reason(world, op):
    action = arrange(world, None)

    def failed(parsed, **_):
        parsed["PermissionSetProvisioningStatus"] |= {"Status": "FAILED", "FailureReason": "why"}

    op.p.sso_admin.meta.events.register("after-call.sso-admin.ProvisionPermissionSet", failed)
    with pytest.raises(ProviderError, match="FAILED: why"):
        op.apply(action)


def test_what_does_not_fit_is_refused_beforehand(world, op, sso):
    action = arrange(world, None)
    need = len(json.dumps(action.statement, separators=(",", ":"))) + 1
    bare = len(json.dumps(POLICY, separators=(",", ":"))) - len("Own")

    def filled(left) -> None:
        big = {**OWN, "Sid": "x" * (ROOM - bare - need - left)}
        put(world, action, {**POLICY, "Statement": [big]})

    filled(-1)
    with pytest.raises(UnfitError, match=f"{ROOM + 1} characters of {ROOM}"):
        op.apply(action)
    filled(0)
    assert op.apply(action).verdict == "verified"


def test_a_group_has_no_user_id(world, op):
    known = arrange(world, None)
    with pytest.raises(UnfitError, match="is a group"):
        op.apply(DenyInPermissionSet(person(world, GROUP, "GROUP"), known.permission_set))


def test_a_set_that_is_gone_is_named(world, op, sso):
    action = arrange(world, None)
    sso.delete_permission_set(**action._named)
    with pytest.raises(TargetGoneError, match="does not exist"):
        op.apply(action)
