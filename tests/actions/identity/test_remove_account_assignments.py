"""Nobody is assigned what they were, in any account, and then exactly that again."""

import pytest

from actions import engine
from actions.errors import DriftError, NothingToDoError, ProviderError
from actions.identity.person import assignments
from actions.identity.remove_account_assignments import RemoveAccountAssignments
from tests.actions.identity.center import (
    ALICE,
    BOB,
    GROUP,
    OTHER_ACCOUNT,
    assign,
    permission_set,
    person,
)


def arrange(world, estate):
    who = person(world)
    admin = permission_set(world, who)
    assign(world, who, admin)
    assign(world, who, admin, OTHER_ACCOUNT)
    return RemoveAccountAssignments(who)


def held(op, who) -> list[tuple[str, str]]:
    return sorted((a["AccountId"], a["PermissionSetArn"]) for a in assignments(op.p, who))


@pytest.mark.parametrize(("kind", "principal"), [("USER", ALICE), ("GROUP", GROUP)])
def test_all_accounts_are_left_and_come_back(world, op, kind, principal):
    who, other = person(world, principal, kind), person(world, BOB)
    admin, reader = permission_set(world, who), permission_set(world, who, "Reader")
    for arn, account in ((admin, ""), (admin, OTHER_ACCOUNT), (reader, "")):
        assign(world, who, arn, account)
    assign(world, other, admin)
    before = held(op, who)
    assert len(before) == 3
    action = RemoveAccountAssignments(who)
    op.apply(action)
    assert held(op, who) == []
    assert len(held(op, other)) == 1
    op.undo(action)
    assert held(op, who) == before


def test_done_is_said_only_when_the_deletion_is_through(world, op):
    action = arrange(world, None)
    start = world.now()
    op.apply(action)
    assert held(op, action.person) == []
    assert (world.now() - start).total_seconds() >= 2


def through_group(parsed, **_):
    for found in parsed["AccountAssignments"][-1:]:
        parsed["AccountAssignments"].append(
            {**found, "PrincipalId": GROUP, "PrincipalType": "GROUP"}
        )


def test_what_comes_by_a_group_is_not_touched_and_is_named(world, op):
    action = arrange(world, None)
    event = "after-call.sso-admin.ListAccountAssignmentsForPrincipal"
    op.p.sso_admin.meta.events.register(event, through_group)
    plan = engine.plan(action, op.p)
    assert len(plan.before) == 2
    assert any(f"group {GROUP} still gives {ALICE} access" in line for line in plan.blast)


def test_what_ends_no_sessions_is_said(world, op):
    blast = engine.plan(arrange(world, None), op.p).blast
    assert any("of Admin in" in line and "those it has last PT4H at most" in line for line in blast)
    assert any("portal session" in line and "by hand" in line for line in blast)


def test_one_that_is_assigned_meanwhile_is_told(world, op):
    action = arrange(world, None)
    op.intend(action)
    late = permission_set(world, action.person, "Late")
    assign(world, action.person, late)
    with pytest.raises(DriftError, match=late):
        op.apply(action)
    assert held(op, action.person) == [(world.account, late)]


def test_writing_twice_is_once(world, op):
    action = arrange(world, None)
    key = next(iter(action.read(op.p)))
    for value in (None, None, True, True):
        action.write(op.p, key, value)
        world.tick(5)
        assert (key in action.read(op.p)) is bool(value)


def test_a_request_that_failed_is_told_with_its_reason(world, op):
    action = arrange(world, None)

    def failed(parsed, **_):
        parsed["AccountAssignmentDeletionStatus"] |= {"Status": "FAILED", "FailureReason": "why"}

    op.p.sso_admin.meta.events.register("after-call.sso-admin.DeleteAccountAssignment", failed)
    with pytest.raises(ProviderError, match="FAILED: why"):
        op.apply(action)


def test_who_has_none_has_none_to_lose(world, op):
    with pytest.raises(NothingToDoError, match=f"user {BOB} has no account assignment"):
        op.apply(RemoveAccountAssignments(person(world, BOB)))


def test_where_the_answer_says_no_principal_it_is_ones_own(world, op):
    action = arrange(world, None)

    def bare(parsed, **_):
        for found in parsed["AccountAssignments"]:
            found.pop("PrincipalId")

    event = "after-call.sso-admin.ListAccountAssignmentsForPrincipal"
    op.p.sso_admin.meta.events.register(event, bare)
    assert len(action.read(op.p)) == 2


def test_where_some_are_named_the_others_stay(world, op):
    who = arrange(world, None).person
    before = held(op, who)
    account, arn = before[0]
    action = RemoveAccountAssignments(who, (f"{account}/{arn}",))
    op.apply(action)
    assert held(op, who) == before[1:]
    op.undo(action)
    assert held(op, who) == before
