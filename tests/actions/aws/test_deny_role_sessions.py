"""Sessions of before the cut-off are dead, later ones are not, and the time is AWS's own."""

import os
import time
from datetime import timedelta

import pytest

from actions import engine
from actions.aws.deny_role_sessions import AHEAD, CONSOLES, DenyRoleSessions, utc
from actions.aws.narrow_instance_sessions import MARGIN, cut_off
from actions.aws.principal import Principal
from actions.errors import TargetGoneError, UnfitError
from tests.actions.aws.people import key_of, made_again, role, session_of, user, works
from tests.actions.aws.test_deny_instance_sessions import fill, policies


def arrange(world, estate):
    return DenyRoleSessions(role(world), cut_off(world.now()))


def test_what_was_issued_before_is_dead_and_what_comes_after_works(world, op, iam):
    who, keys = role(world), key_of(world, user(world))
    before = policies(iam, who.name)
    early = session_of(world, who, keys)
    action = DenyRoleSessions(who, cut_off(world.now()))
    op.apply(action)
    assert not works(world, early)
    assert not works(world, session_of(world, who, keys)), "issued within the margin"
    world.tick(MARGIN.total_seconds() + 1)
    assert works(world, session_of(world, who, keys))
    assert not works(world, early)
    op.undo(action)
    assert works(world, early)
    assert policies(iam, who.name) == before


def test_a_second_cut_off_takes_what_was_issued_meanwhile_and_goes_first(world, op, iam):
    who, keys = role(world), key_of(world, user(world))
    first = DenyRoleSessions(who, cut_off(world.now()))
    op.apply(first)
    world.tick(MARGIN.total_seconds() + 1)
    meanwhile = session_of(world, who, keys)
    assert works(world, meanwhile)
    second = DenyRoleSessions(who, cut_off(world.now()))
    assert second.cell("policy/x") == first.cell("policy/x")
    journal, op.journal = op.journal, type(op.journal)()  # a step of its own, by `again=`
    op.apply(second)
    assert not works(world, meanwhile)
    op.undo(second)
    op.journal = journal
    assert policies(iam, who.name)[first.policy_name] == first.document
    op.undo(first)
    assert set(policies(iam, who.name)) == {"all"}


@pytest.mark.parametrize(
    "text",
    ["2026-03-01T10:20:30", "2026-03-01T10:20:30+02:00", "2026-03-01 10:20", "yesterday", "Z", ""],
)
def test_a_time_that_is_not_surely_utc_is_refused(world, op, text):
    who = role(world)
    start = len(world.calls)
    with pytest.raises(UnfitError, match="no RFC 3339 time in UTC"):
        op.apply(DenyRoleSessions(who, text))
    assert op.written(start) == []


def test_a_cut_off_in_the_future_is_refused_whatever_our_zone(world, op):
    who = role(world)
    for zone in ("UTC", "Pacific/Auckland", "America/Los_Angeles"):
        old = os.environ.get("TZ")
        os.environ["TZ"] = zone
        time.tzset()
        engine.plan(DenyRoleSessions(who, cut_off(world.now())), op.p)
        late = cut_off(world.now() + AHEAD + timedelta(minutes=1))
        with pytest.raises(UnfitError, match="lies ahead of AWS's own time"):
            engine.plan(DenyRoleSessions(who, late), op.p)
        del os.environ["TZ"]
        if old is not None:
            os.environ["TZ"] = old
        time.tzset()
    assert utc("2026-03-01T10:20:30Z").utcoffset() == timedelta(0)


def test_the_policy_is_never_the_consoles(world, op):
    assert arrange(world, None).policy_name.startswith("stanch-")
    with pytest.raises(UnfitError, match="belongs to the IAM console"):
        op.apply(DenyRoleSessions(role(world, "other"), cut_off(world.now()), CONSOLES))


def test_a_role_without_room_is_refused_with_what_else_would_do(world, op, iam):
    who = role(world)
    fill(iam, who.name, 10)
    with pytest.raises(UnfitError, match=r"10 of 10240 .* deny_principal"):
        op.apply(DenyRoleSessions(who, cut_off(world.now())))


def test_hosts_that_lose_their_sessions_are_named_beforehand(world, estate, op):
    web = Principal(world.account, "role", estate.role)
    action = DenyRoleSessions(web, cut_off(world.now()))
    assert action.takes == "service"
    hosts = engine.plan(action, op.p).blast[1]
    assert estate.target in hosts
    assert estate.sibling in hosts
    stolen = world.instance_credentials(estate.target)
    op.apply(action)
    assert not works(world, stolen)
    assert not works(world, world.instance_credentials(estate.sibling))


def test_without_the_right_to_ask_cloudtrail_it_still_plans_and_says_so(world, op):
    action = arrange(world, None)

    def refuse(http_response, parsed, **_):
        parsed["Error"] = {"Code": "AccessDeniedException", "Message": "no"}
        http_response.status_code = 400

    op.p.cloudtrail.meta.events.register("after-call.cloudtrail.LookupEvents", refuse)
    assert "is not known: LookupEvents said AccessDenied" in engine.plan(action, op.p).blast[2]


def test_one_made_again_gets_and_loses_nothing(world, op, iam):
    action = arrange(world, None)
    op.intend(action)
    made_again(world, action.principal)
    with pytest.raises(TargetGoneError, match="deleted and made again"):
        op.apply(action)
    assert set(policies(iam, "deploy")) == {"all"}


def test_service_linked_and_reserved_roles_are_refused(world, op):
    linked = role(world, "AWSServiceRoleForX", Path="/aws-service-role/x.amazonaws.com/")
    reserved = role(world, "AWSReservedSSO_A_1", Path="/aws-reserved/sso.amazonaws.com/")
    for who in (linked, reserved):
        with pytest.raises(UnfitError, match=r"service-linked|deny_in_permission_set"):
            op.apply(DenyRoleSessions(who, cut_off(world.now())))
