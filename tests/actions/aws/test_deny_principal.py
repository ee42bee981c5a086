"""The principal is denied everything, however it comes in, and gets back exactly what it had."""

import json

import pytest

from actions import engine
from actions.aws.attached_policies import attached
from actions.aws.deny_principal import DenyPrincipal
from actions.aws.managed_policy import VERSIONS, arn_of, document_of
from actions.errors import DriftError, TargetGoneError, UnfitError
from playbooks.drills.range.injectors import CallBack
from tests.actions.aws.people import key_of, made_again, role, session_of, user, works


def arrange(world, estate):
    return DenyPrincipal(user(world))


def policies(iam) -> list[str]:
    return [policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]]


def test_keys_and_sessions_are_denied_and_work_again(world, op, iam):
    who = user(world)
    keys = key_of(world, who)
    assert works(world, keys)
    action = DenyPrincipal(who)
    op.apply(action)
    assert not works(world, keys)
    assert not works(world, key_of(world, who)), "a key that is minted later"
    op.undo(action)
    assert works(world, keys)
    assert policies(iam) == []
    assert attached(op.p, who) == []


def test_every_session_of_a_role_is_denied_also_one_that_comes_later(world, op):
    who = role(world)
    early = session_of(world, who)
    action = DenyPrincipal(who)
    op.apply(action)
    assert not works(world, early)
    assert not works(world, session_of(world, who))
    op.undo(action)
    assert works(world, early)


def test_the_world_is_as_it_was(world, op):
    action = arrange(world, None)
    before = world.digest()
    op.apply(action)
    assert world.digest() != before
    op.undo(action)
    assert world.digest() == before


def test_two_principals_have_two_policies_and_one_has_one(world):
    who = user(world)
    assert DenyPrincipal(who).policy_name == "stanch-deny-user-alice"
    assert DenyPrincipal(role(world, "alice")).policy_name != DenyPrincipal(who).policy_name
    one, two = DenyPrincipal(who), DenyPrincipal(who)
    assert one.cell("policy/x") == two.cell("policy/x")


def test_a_name_that_nothing_protects_is_refused(world, op):
    action = DenyPrincipal(user(world), name="mine")
    start = len(world.calls)
    with pytest.raises(UnfitError, match="Name it so"):
        op.apply(action)
    assert op.written(start) == []
    op.apply(DenyPrincipal(action.principal, name="stanch-deny-other"))
    assert document_of(op.p, "stanch-deny-other") == action.document


QUARANTINE = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"


def test_what_aws_attached_itself_stays_and_is_no_drift(world, op, iam):
    action = arrange(world, None)
    op.intend(action)
    iam.attach_user_policy(UserName=action.principal.name, PolicyArn=QUARANTINE)
    op.apply(action)
    assert set(attached(op.p, action.principal)) == {
        QUARANTINE,
        arn_of(op.p, action.policy_name),
    }
    op.undo(action)
    assert attached(op.p, action.principal) == [QUARANTINE]


def crowd(iam, who, count) -> None:
    for i in range(count):
        document = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        arn = iam.create_policy(
            PolicyName=f"p{i}",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [document]}),
        )["Policy"]["Arn"]
        getattr(iam, f"attach_{who.kind}_policy")(
            **{f"{who.kind.capitalize()}Name": who.name}, PolicyArn=arn
        )


@pytest.mark.parametrize("make", [user, role])
def test_a_principal_without_room_is_refused_with_what_else_would_do(world, op, iam, make):
    who = make(world)
    crowd(iam, who, 10)
    start = len(world.calls)
    with pytest.raises(UnfitError, match=r"10 of 10 .*set_permissions_boundary"):
        op.apply(DenyPrincipal(who))
    assert op.written(start) == []


def test_the_last_free_place_is_enough(world, op, iam):
    who = user(world)
    keys = key_of(world, who)
    crowd(iam, who, 9)
    op.apply(DenyPrincipal(who))
    assert not works(world, keys)


def test_roles_that_cannot_be_changed_say_what_to_do_instead(world, op):
    linked = role(world, "AWSServiceRoleForX", Path="/aws-service-role/x.amazonaws.com/")
    with pytest.raises(UnfitError, match="service-linked"):
        op.apply(DenyPrincipal(linked))
    reserved = role(world, "AWSReservedSSO_A_1", Path="/aws-reserved/sso.amazonaws.com/")
    with pytest.raises(UnfitError, match="deny_in_permission_set"):
        op.apply(DenyPrincipal(reserved))


def test_a_principal_that_is_gone_is_named(world, op):
    action = arrange(world, None)
    world.client("iam", world.admin).delete_user_policy(UserName="alice", PolicyName="all")
    world.client("iam", world.admin).delete_user(UserName="alice")
    with pytest.raises(TargetGoneError, match="user alice does not exist"):
        op.apply(action)


@pytest.mark.parametrize("make", [user, role])
def test_one_made_again_under_the_name_gets_nothing_and_the_policy_goes(world, op, iam, make):
    who = make(world)
    action = DenyPrincipal(who)
    op.apply(action)
    made_again(world, who)
    recorded = op.journal[f"deny_principal/{who.key}"].plan.wanted
    mine = action.recalled(recorded)
    assert mine.read(op.p) == {
        f"policy/{action.policy_name}": action.document,
        f"attached/{mine.unique_id}": None,
    }
    start = len(world.calls)
    for key in reversed(recorded):
        mine.write(op.p, key, None)
    assert {c.operation for c in op.written(start)} == {"DeletePolicy"}
    assert policies(iam) == []


def test_one_made_again_before_the_deny_is_attached_is_not_denied_by_mistake(world, op):
    who = user(world)
    op.intend(DenyPrincipal(who))
    made_again(world, who)
    keys = key_of(world, who)
    with pytest.raises(TargetGoneError, match="deleted and made again"):
        op.apply(DenyPrincipal(who))
    assert works(world, keys)


def test_the_policy_of_one_who_is_gone_can_be_taken_away(world, op, iam):
    action = arrange(world, None)
    op.apply(action)
    arn = arn_of(op.p, action.policy_name)
    iam.detach_user_policy(UserName="alice", PolicyArn=arn)
    iam.delete_user_policy(UserName="alice", PolicyName="all")
    iam.delete_user(UserName="alice")
    mine = action.recalled(op.journal[f"deny_principal/{action.target}"].plan.wanted)
    assert mine.read(op.p)[f"attached/{mine.unique_id}"] is None
    mine.write(op.p, f"policy/{action.policy_name}", None)
    assert policies(iam) == []


def test_a_deny_that_was_stripped_is_told_and_not_put_back_silently(world, op, iam):
    action = arrange(world, None)
    op.intend(action)
    world.inject(
        CallBack(
            lambda: iam.create_policy_version(
                PolicyArn=arn_of(op.p, action.policy_name),
                PolicyDocument=json.dumps(
                    {
                        "Version": "2012-10-17",
                        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
                    }
                ),
                SetAsDefault=True,
            ),
            after=True,
        ),
        "AttachUserPolicy",
    )
    with pytest.raises(engine.NotEffectiveError):
        op.apply(action)
    with pytest.raises(DriftError):
        op.apply(action)


def test_a_policy_that_was_there_comes_back_through_any_number_of_versions(world, op, iam):
    who = user(world)
    name = DenyPrincipal(who).policy_name
    texts = [
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": f"s3:{n}", "Resource": "*"}],
        }
        for n in ("Get*", "Put*", "List*", "Delete*", "Create*")
    ]
    arn = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(texts[0]))["Policy"]["Arn"]
    for text in texts[1:]:
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(text), SetAsDefault=True)
    action = DenyPrincipal(who)
    op.apply(action)
    assert document_of(op.p, name) == action.document
    op.undo(action)
    assert document_of(op.p, name) == texts[-1]
    assert len(iam.list_policy_versions(PolicyArn=arn)["Versions"]) == VERSIONS


def test_what_else_a_denied_role_breaks_is_said(world, estate, op):
    who = DenyPrincipal(role(world)).principal
    web = type(who)(world.account, "role", estate.role)
    blast = engine.plan(DenyPrincipal(web), op.p).blast
    assert f"2 hosts in {world.region} have role web: " in blast[1]
    assert estate.target in blast[1]
    assert "0 sessions of web began in the last 1 h" in blast[2]
    session_of(world, who)
    world.tick(world.ground.trail_lag_seconds + 1)
    assert "1 sessions of deploy" in engine.plan(DenyPrincipal(who), op.p).blast[2]
