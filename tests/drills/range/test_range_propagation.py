"""What is written to IAM binds a while later (IAM: changes are not always immediately visible)."""

import json

import pytest

from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World

ANN = {"UserName": "ann"}
START = 1_790_000_000.0
HIGH = 8.0


def document(effect, action="*") -> str:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def built(seed=5, low=2.0, high=HIGH) -> World:
    """A world with a user ann who may do everything; from then on writes are delayed."""
    world = World(seed=seed, clock=lambda: START)
    iam = world.client("iam", world.admin)
    iam.create_user(**ANN)
    iam.put_user_policy(**ANN, PolicyName="all", PolicyDocument=document("Allow"))
    world.delay(low, high)
    return world


@pytest.fixture
def late():
    return built()


@pytest.fixture
def iam(late):
    return late.client("iam", late.admin)


@pytest.fixture
def ann(late, iam):
    """Her keys, and a client of them, once they have become usable."""
    made = iam.create_access_key(**ANN)["AccessKey"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"])


def denied(world, keys) -> str:
    """The code that a call is refused with, or empty."""
    try:
        world.client("sqs", keys).list_queues()
    except Exception as error:
        return str(error.response["Error"]["Code"])  # type: ignore[attr-defined]
    return ""


def until(world, holds, step=0.25, at_most=60.0) -> float:
    """Seconds of the world's time until something holds."""
    passed = 0.0
    while not holds():
        assert passed < at_most
        world.tick(step)
        passed += step
    return passed


def test_a_new_key_is_shown_at_once_and_usable_later(late, iam, ann):
    listed = iam.list_access_keys(**ANN)["AccessKeyMetadata"]
    assert [k["AccessKeyId"] for k in listed] == [ann.access_key]
    assert denied(late, ann) == "InvalidClientTokenId"
    assert 2.0 <= until(late, lambda: not denied(late, ann)) <= HIGH + 0.25


def test_every_kind_of_write_is_delayed_and_read_back_at_once(late, iam, ann):
    late.tick(HIGH)
    arn = iam.create_policy(PolicyName="no", PolicyDocument=document("Deny"))["Policy"]["Arn"]
    iam.create_group(GroupName="stopped")
    iam.put_group_policy(GroupName="stopped", PolicyName="no", PolicyDocument=document("Deny"))
    late.tick(HIGH)
    key = {**ANN, "AccessKeyId": ann.access_key}
    group = {**ANN, "GroupName": "stopped"}
    inline = {**ANN, "PolicyName": "no"}
    for do, undo in (
        (
            lambda: iam.put_user_policy(**inline, PolicyDocument=document("Deny")),
            lambda: iam.delete_user_policy(**inline),
        ),
        (
            lambda: iam.attach_user_policy(**ANN, PolicyArn=arn),
            lambda: iam.detach_user_policy(**ANN, PolicyArn=arn),
        ),
        (
            lambda: iam.put_user_permissions_boundary(**ANN, PermissionsBoundary=arn),
            lambda: iam.delete_user_permissions_boundary(**ANN),
        ),
        (lambda: iam.add_user_to_group(**group), lambda: iam.remove_user_from_group(**group)),
        (
            lambda: iam.update_access_key(**key, Status="Inactive"),
            lambda: iam.update_access_key(**key, Status="Active"),
        ),
    ):
        before = late.digest()
        do()
        assert late.digest() != before
        assert not denied(late, ann)
        assert 1.75 <= until(late, lambda: bool(denied(late, ann))) <= HIGH + 0.25
        undo()
        assert late.digest() == before
        assert denied(late, ann)
        assert 1.75 <= until(late, lambda: not denied(late, ann)) <= HIGH + 0.25


def test_a_deny_that_is_taken_off_early_may_never_bind_and_ends_unbound(late, iam, ann):
    late.tick(HIGH)
    iam.put_user_policy(**ANN, PolicyName="no", PolicyDocument=document("Deny"))
    late.tick(0.5)
    iam.delete_user_policy(**ANN, PolicyName="no")
    late.tick(HIGH)
    assert not denied(late, ann)


def test_trust_and_versions_are_delayed_too(late, iam, ann):
    late.tick(HIGH)
    nobody = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "999900001111"}}
    everybody = {**nobody, "Principal": {"AWS": late.account}}
    trusts = [json.dumps({"Version": "2012-10-17", "Statement": [t]}) for t in (nobody, everybody)]
    arn = iam.create_role(RoleName="job", AssumeRolePolicyDocument=trusts[0])["Role"]["Arn"]
    late.tick(HIGH)
    hers = late.client("sts", ann)

    def assumed() -> bool:
        try:
            return bool(hers.assume_role(RoleArn=arn, RoleSessionName="job")["Credentials"])
        except hers.exceptions.ClientError:
            return False

    iam.update_assume_role_policy(RoleName="job", PolicyDocument=trusts[1])
    assert not assumed()
    assert until(late, assumed) >= 1.75
    made = iam.create_policy(PolicyName="v", PolicyDocument=document("Allow"))["Policy"]["Arn"]
    iam.attach_user_policy(**ANN, PolicyArn=made)
    late.tick(HIGH)
    iam.create_policy_version(PolicyArn=made, PolicyDocument=document("Deny"), SetAsDefault=True)
    assert not denied(late, ann)
    assert until(late, lambda: bool(denied(late, ann))) >= 1.75


@pytest.mark.parametrize("seed", range(4))
def test_a_seed_repeats_its_delays_and_writes_of_one_thing_never_overtake(seed):
    def run() -> list[str]:
        world = built(seed, 0.5, 4.0)
        iam = world.client("iam", world.admin)
        made = iam.create_access_key(**ANN)["AccessKey"]
        keys = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
        world.tick(4.0)
        for status in ("Inactive", "Active", "Inactive"):
            iam.update_access_key(**ANN, AccessKeyId=keys.access_key, Status=status)
        seen = []
        for _ in range(10):
            world.tick(0.5)
            seen.append(denied(world, keys))
        return seen

    first = run()
    assert first == run()
    assert first[-1] == "InvalidClientTokenId"


def test_service_control_policies_have_a_delay_of_their_own(late, iam, ann):
    late.tick(HIGH)
    management = "999988887777"
    org = late.client("organizations", late.root_of(management))
    org.create_organization(FeatureSet="ALL")
    root = org.list_roots()["Roots"][0]["Id"]
    org.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    late.join(late.account, management)
    policy = org.create_policy(
        Name="no", Description="-", Type="SERVICE_CONTROL_POLICY", Content=document("Deny")
    )["Policy"]["PolicySummary"]["Id"]
    late.tick(HIGH)
    assert not denied(late, ann)
    org.attach_policy(PolicyId=policy, TargetId=late.account)
    assert not denied(late, ann)
    assert 0.25 <= until(late, lambda: bool(denied(late, ann)), step=0.25) <= 2.25


def test_without_it_all_binds_at_once(world):
    iam = world.client("iam", world.admin)
    iam.create_user(**ANN)
    iam.put_user_policy(**ANN, PolicyName="all", PolicyDocument=document("Allow"))
    made = iam.create_access_key(**ANN)["AccessKey"]
    assert not denied(world, Credentials(made["AccessKeyId"], made["SecretAccessKey"]))
