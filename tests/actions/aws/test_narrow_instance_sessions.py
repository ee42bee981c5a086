"""What was issued before the cut-off stays denied wherever it is used; what comes after works."""

import copy
import json
import os
import time
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from actions.aws.deny_instance_sessions import DenyInstanceSessions
from actions.aws.narrow_instance_sessions import (
    INSTANCE_LIFE,
    MARGIN,
    NarrowInstanceSessions,
    cut_off,
    sessions,
)
from actions.errors import ProviderError, TargetGoneError, UnfitError
from playbooks.drills.range.metadata import session_of
from tests.actions.aws.operating import host_of
from tests.actions.aws.test_deny_instance_sessions import fill, policies


def arrange(world, estate):
    return NarrowInstanceSessions(host_of(world, estate), cut_off(world.now()), (estate.role,))


def works(world, keys) -> bool:
    """Whether these credentials still get anything."""
    try:
        world.client("ec2", keys).describe_instances()
    except ClientError as error:
        if error.response["Error"]["Code"] != "UnauthorizedOperation":
            raise
        return False
    return True


@pytest.fixture
def renewed(world, host):
    """Return a function that lets the host get its next session, as after a restart."""
    return lambda: session_of(world.ground, host.instance_id, renewed=True)


def test_stolen_sessions_stay_dead_and_the_next_one_works(world, estate, host, op, iam, renewed):
    before = policies(iam, estate.role)
    stolen = world.instance_credentials(host.instance_id)
    deny = DenyInstanceSessions(host)
    op.apply(deny)
    assert not works(world, stolen)
    narrow = arrange(world, estate)
    op.apply(narrow)
    assert not works(world, stolen)
    assert not works(world, renewed()), "issued before the cut-off"
    world.tick(MARGIN.total_seconds() + 1)
    assert works(world, renewed())
    assert not works(world, stolen)
    assert works(world, world.instance_credentials(estate.sibling))
    op.undo(narrow)
    assert policies(iam, estate.role) == before | {deny.policy_name: deny.document}
    op.undo(deny)
    assert policies(iam, estate.role) == before


def test_it_is_the_denials_own_policy_made_narrower(world, estate, host):
    for more in ({}, {"keep_ssm": True}, {"name": "ours"}):
        deny = DenyInstanceSessions(host, **more)
        narrow = NarrowInstanceSessions(host, "2026-03-01T00:00:00Z", (estate.role,), **more)
        key = f"policy/{estate.role}"
        assert narrow.cell(key) == deny.cell(key)
        [whole], [part] = deny.document["Statement"], copy.deepcopy(narrow.document["Statement"])
        assert part["Condition"].pop("DateLessThan") == {
            "aws:TokenIssueTime": "2026-03-01T00:00:00Z"
        }
        assert part | {"Sid": whole["Sid"]} == whole


def test_with_the_condition_changed_it_would_be_another(world, estate, host, op, iam):
    """Each clause matters: without either condition, it would hit what it must leave."""
    world.tick(7200)
    stolen = world.instance_credentials(host.instance_id)
    sibling = world.instance_credentials(estate.sibling)
    action = arrange(world, estate)
    op.apply(action)
    [statement] = action.document["Statement"]
    fates = {}
    for name, condition in {
        "both": statement["Condition"],
        "any host": {k: v for k, v in statement["Condition"].items() if k != "ArnEquals"},
        "too early": {
            **statement["Condition"],
            "DateLessThan": {"aws:TokenIssueTime": "2000-01-01T00:00:00Z"},
        },
    }.items():
        changed = {**action.document, "Statement": [{**statement, "Condition": condition}]}
        iam.put_role_policy(
            RoleName=estate.role,
            PolicyName=f"stanch-deny-sessions-{host.instance_id}",
            PolicyDocument=json.dumps(changed),
        )
        fates[name] = (works(world, stolen), works(world, sibling))
    assert fates == {
        "both": (False, True),
        "any host": (False, False),
        "too early": (True, True),
    }


def test_neither_host_nor_profile_need_exist(world, estate, host, op, ec2, iam):
    before = policies(iam, estate.role)
    deny = DenyInstanceSessions(host)
    op.apply(deny)
    ec2.terminate_instances(InstanceIds=[host.instance_id])
    narrow = arrange(world, estate)
    op.apply(narrow)
    op.undo(narrow)
    recalled = deny.recalled([f"policy/{estate.role}"])
    assert recalled.read(op.p) == {f"policy/{estate.role}": deny.document}
    recalled.write(op.p, f"policy/{estate.role}", None)
    assert policies(iam, estate.role) == before


def test_the_cut_off_is_by_the_providers_clock_and_zone_free(world, estate, op):
    texts = set()
    for zone in ("UTC", "Pacific/Auckland", "America/Los_Angeles"):
        old = os.environ.get("TZ")
        os.environ["TZ"] = zone
        time.tzset()
        seen = sessions(op.p, estate.role)
        texts.add(cut_off(seen.now)[:16])
        assert abs(seen.now - world.now()) < timedelta(seconds=2)
        del os.environ["TZ"]
        if old is not None:
            os.environ["TZ"] = old
        time.tzset()
    assert len(texts) <= 2
    assert cut_off(seen.now).endswith("Z")


def test_no_session_lasts_longer_than_is_said(world, estate, host, op, iam):
    keys = world.instance_credentials(host.instance_id)
    life = keys.expires_at - world.now()
    assert life <= sessions(op.p, estate.role).longest == INSTANCE_LIFE
    iam.update_role(RoleName=estate.role, MaxSessionDuration=43_200)
    assert sessions(op.p, estate.role).longest == timedelta(hours=12)


def test_a_role_that_is_gone_is_named(world, host, op):
    action = NarrowInstanceSessions(host, "2026-03-01T00:00:00Z", ("gone",))
    with pytest.raises(TargetGoneError, match="role gone does not exist"):
        op.apply(action)
    with pytest.raises(TargetGoneError, match="role gone does not exist"):
        sessions(op.p, "gone")


def test_an_answer_without_a_date_is_asked_again(world, estate, op):
    events = op.p.iam.meta.events

    def undated(parsed, **_):
        parsed["ResponseMetadata"]["HTTPHeaders"].pop("date", None)

    events.register("after-call.iam.GetRole", undated)
    with pytest.raises(ProviderError, match="Date header") as caught:
        sessions(op.p, estate.role)
    assert caught.value.passing


def test_a_role_without_room_is_refused_beforehand(world, estate, host, op, iam):
    action = arrange(world, estate)
    fill(iam, estate.role, 10)
    start = len(world.calls)
    with pytest.raises(UnfitError, match="10 of 10240"):
        op.apply(action)
    assert op.written(start) == []
