"""The sweep finds all that a principal and its creatures changed, and nothing that others did."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.sources import change_kinds
from evidence.sources.following import Finding
from evidence.sources.principal_changes import LIMIT, PrincipalChanges, quiet
from tests.evidence.trail_story import ALL, Story, trusting

START = datetime(2026, 3, 1, tzinfo=UTC)
SAML = "<EntityDescriptor/>" + "x" * 1000


def busy(story, keys, mark):
    """Do one thing of every kind that the range has, with these credentials; return what kinds."""
    iam = story.world.client("iam", keys)
    policy = json.dumps(ALL)
    before = len(story.world.calls)
    iam.create_user(UserName=f"user-{mark}")
    iam.create_login_profile(UserName=f"user-{mark}", Password="Not-a-secret-1")
    iam.create_role(
        RoleName=f"role-{mark}", AssumeRolePolicyDocument=trusting(f"{story.here}:root")
    )
    iam.update_assume_role_policy(RoleName=f"role-{mark}", PolicyDocument=trusting("*"))
    iam.create_group(GroupName=f"group-{mark}")
    iam.add_user_to_group(UserName=f"user-{mark}", GroupName=f"group-{mark}")
    made = iam.create_policy(PolicyName=f"policy-{mark}", PolicyDocument=policy)["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=made, PolicyDocument=policy)
    iam.set_default_policy_version(PolicyArn=made, VersionId="v2")
    iam.attach_user_policy(UserName=f"user-{mark}", PolicyArn=made)
    iam.put_user_policy(UserName=f"user-{mark}", PolicyName="x", PolicyDocument=policy)
    iam.put_role_policy(RoleName=f"role-{mark}", PolicyName="x", PolicyDocument=policy)
    iam.create_open_id_connect_provider(
        Url=f"https://{mark}.example.org", ThumbprintList=["a" * 40]
    )
    iam.create_saml_provider(Name=f"saml-{mark}", SAMLMetadataDocument=SAML)
    iam.create_virtual_mfa_device(VirtualMFADeviceName=f"mfa-{mark}")
    iam.upload_ssh_public_key(UserName=f"user-{mark}", SSHPublicKeyBody="ssh-rsa AAAA")
    iam.create_instance_profile(InstanceProfileName=f"profile-{mark}")
    iam.detach_user_policy(UserName=f"user-{mark}", PolicyArn=made)
    events = story.world.client("events", keys)
    events.put_rule(Name=f"rule-{mark}", ScheduleExpression="rate(5 minutes)")
    calls = story.world.calls[before:]
    assert {c.error for c in calls} == {""}
    return {change_kinds.kind_of(c.service, c.operation) for c in calls}


def test_everything_that_the_attacker_and_its_creatures_made_is_found_and_nothing_else():
    story = Story()
    alice, bob = story.user("alice"), story.user("bob")
    story.role(story.world.admin, "deploy")
    kinds = busy(story, alice, "alice") | busy(story, bob, "bob")
    assert len(kinds) >= 16
    assert "other" not in kinds
    minted = story.key(alice, "user-alice")
    story.world.client("iam", alice).attach_user_policy(
        UserName="user-alice", PolicyArn=f"{story.here}:policy/policy-alice"
    )
    busy(story, minted, "second")  # a user made by a user that the attacker made
    on_bob = story.key(alice, "bob")  # a key on somebody else's user
    third = story.session(on_bob, "deploy", "theirs")
    busy(story, third, "third")
    own = story.session(bob, "deploy", "bobs")
    busy(story, own, "own")
    fourth = story.session(bob, "role-alice", "bobs")  # anybody's session of the attacker's role
    busy(story, fourth, "fourth")
    story.world.client("iam", story.world.admin).delete_user_policy(
        UserName="alice", PolicyName="all"
    )
    source = story.source(users=("alice",))
    items, missed = story.sweep(source)
    assert missed == []
    found = source.findings(items)
    theirs = story.changed_by(alice, minted, on_bob, third, fourth)
    assert {one.event for one in found} == theirs
    assert not {one.event for one in found} & story.changed_by(bob, own, story.world.admin)
    assert {one.kind for one in found} >= kinds | {"access_key", "session"}
    named = {(one.kind, one.name) for one in found}
    assert {("user", "user-alice"), ("trust", "role-second"), ("mfa_device", "mfa-third")} <= named
    keys = {one.id for one in found if one.kind == "access_key"}
    assert keys == {minted.access_key, on_bob.access_key}
    assert all(k.secret_key not in i.data.decode() for k in (minted, on_bob) for i in items)


def test_a_leaked_key_answers_for_itself_and_not_for_its_users_other_keys():
    story = Story()
    leaked = story.user("ci")
    other = story.key(story.world.admin, "ci")
    story.world.client("iam", leaked).create_user(UserName="theirs")
    story.world.client("iam", other).create_user(UserName="ours")
    source = story.source(access_key_ids=(leaked.access_key,))
    found = source.findings(story.sweep(source)[0])
    assert {one.event for one in found} == story.changed_by(leaked)
    assert [one.name for one in found] == ["theirs"]


def test_a_role_answers_for_its_sessions_and_a_session_for_itself_alone():
    story = Story()
    alice, bob = story.user("alice"), story.user("bob")
    story.role(story.world.admin, "deploy")
    one, two = story.session(alice, "deploy", "one"), story.session(bob, "deploy", "two")
    story.world.client("iam", one).create_user(UserName="by-one")
    story.world.client("iam", two).create_user(UserName="by-two")
    whole = story.source(roles=(f"{story.here}:role/deploy",))
    found = whole.findings(story.sweep(whole)[0])
    assert {f.name for f in found} == {"by-one", "by-two"}
    arn = f"arn:aws:sts::{story.world.account}:assumed-role/deploy/one"
    single = story.source(sessions=(arn,))
    assert [f.name for f in single.findings(story.sweep(single)[0])] == ["by-one"]


def test_what_was_refused_was_not_made():
    story = Story()
    alice = story.user("alice")
    story.iam.delete_user_policy(UserName="alice", PolicyName="all")
    with pytest.raises(Exception, match="not authorized"):
        story.world.client("iam", alice).create_user(UserName="x")
    source = story.source(users=("alice",))
    assert source.findings(story.sweep(source)[0]) == ()


def test_what_cannot_be_asked_is_said():
    story = Story()
    source = story.source(users=("alice",), elsewhere=("ap-south-1",))
    items, missed = story.sweep(source)
    assert len(items) == 2
    assert [m.error_code for m in missed] == ["NoClientForRegion"]


def test_an_attacker_who_makes_users_without_end_does_not_hold_the_sweep_up():
    story = Story()
    source = story.source(users=tuple(f"u{n}" for n in range(LIMIT + 1)))
    asked = []

    class Trail:
        def can_paginate(self, _):
            return False

        def lookup_events(self, **wanted):
            asked.append(wanted)
            return {"Events": []}

    regions = {r: Trail() for r in (story.world.region, "us-east-1")}
    found = list(source.collect(SimpleNamespace(cloudtrails=regions)))
    assert len(asked) == 2 * LIMIT
    assert found[-1].error_code == "TooManyToFollow"


MINUTES = st.integers(-60, 60).map(lambda m: timedelta(minutes=m))


@given(st.lists(MINUTES, max_size=5), st.integers(0, 120))
def test_quiet_is_never_said_early_nor_over_something_new(ages, waited):
    mark = START
    found = [
        Finding("user", "x", "", "a", (mark + age).isoformat(), str(n), "CreateUser")
        for n, age in enumerate(ages)
    ]
    now = mark + timedelta(minutes=waited)
    said = quiet(found, now, mark)
    assert said == (waited >= 20 and all(age <= timedelta(0) for age in ages))
    assert PrincipalChanges.AGAIN_AFTER >= timedelta(minutes=20)
