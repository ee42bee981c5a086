"""After a release: what was issued before stays dead, what comes after works."""

import copy
from datetime import timedelta

import pytest

from actions import engine
from actions.aws.attached_policies import attached
from actions.aws.deny_principal import DenyPrincipal
from actions.aws.managed_policy import arn_of, document_of
from actions.aws.narrow_instance_sessions import MARGIN, cut_off
from actions.aws.narrow_principal_sessions import (
    USER_LIFE,
    NarrowPrincipalSessions,
    principal_sessions,
)
from actions.errors import TargetGoneError
from tests.actions.aws.people import key_of, role, session_of, user, works


def arrange(world, estate):
    return NarrowPrincipalSessions(user(world), cut_off(world.now()))


def test_stolen_sessions_stay_dead_and_new_ones_work(world, op):
    who, keys = role(world), key_of(world, user(world))
    stolen = session_of(world, who, keys)
    deny = DenyPrincipal(who)
    op.apply(deny)
    narrow = NarrowPrincipalSessions(who, cut_off(world.now()))
    op.apply(narrow)
    assert not works(world, stolen)
    world.tick(MARGIN.total_seconds() + 1)
    assert works(world, session_of(world, who, keys))
    assert not works(world, stolen)
    op.undo(narrow)
    assert document_of(op.p, deny.policy_name) == deny.document
    assert attached(op.p, who) == [arn_of(op.p, deny.policy_name)]
    op.undo(deny)
    assert works(world, stolen)
    assert document_of(op.p, deny.policy_name) is None


def test_a_users_key_is_not_held_off_by_it(world, op):
    who = user(world)
    keys = key_of(world, who)
    op.apply(NarrowPrincipalSessions(who, cut_off(world.now())))
    assert works(world, keys), "so a leaked one must stay inactive"


def test_it_is_the_denials_own_policy_with_one_condition_more(world, op):
    who = user(world)
    for name in ("", "stanch-deny-x"):
        deny = DenyPrincipal(who, name)
        narrow = NarrowPrincipalSessions(who, "2026-03-01T00:00:00Z", name)
        assert narrow.read(op.p).keys() == deny.read(op.p).keys()
        assert [narrow.cell(k) for k in narrow.read(op.p)] == [
            deny.cell(k) for k in deny.read(op.p)
        ]
        [whole], [part] = deny.document["Statement"], copy.deepcopy(narrow.document["Statement"])
        assert part.pop("Condition") == {
            "DateLessThan": {"aws:TokenIssueTime": "2026-03-01T00:00:00Z"}
        }
        assert part | {"Sid": whole["Sid"]} == whole


def test_no_session_lasts_longer_than_is_said(world, op, iam):
    who = user(world)
    assert principal_sessions(op.p, who).longest == USER_LIFE
    longer = role(world, MaxSessionDuration=43_200)
    assert principal_sessions(op.p, longer).longest == timedelta(hours=12)
    assert principal_sessions(op.p, role(world, "short")).longest == timedelta(hours=6)
    assert abs(principal_sessions(op.p, who).now - world.now()) < timedelta(seconds=2)
    [blast] = engine.plan(NarrowPrincipalSessions(who, "2026-03-01T00:00:00Z"), op.p).blast
    assert "36 h at most" in blast


def test_what_is_left_of_one_who_is_gone_can_be_taken_away(world, op, iam):
    action = arrange(world, None)
    op.apply(action)
    recorded = op.journal[f"narrow_principal_sessions/{action.target}"].plan.wanted
    iam.detach_user_policy(UserName="alice", PolicyArn=arn_of(op.p, "stanch-deny-user-alice"))
    iam.delete_user_policy(UserName="alice", PolicyName="all")
    iam.delete_user(UserName="alice")
    with pytest.raises(TargetGoneError):
        action.read(op.p)
    mine = action.recalled(recorded)
    for key in reversed(recorded):
        mine.write(op.p, key, None)
    assert set(mine.read(op.p).values()) == {None}
