"""Sessions stand for whom they come from (STS: GetSessionToken, GetFederationToken, AssumeRole)."""

import json

import pytest

from playbooks.drills.range.keys import Credentials


def says(effect="Allow", action="*", **condition):
    rest = {"Condition": condition} if condition else {}
    return {"Effect": effect, "Action": action, "Resource": "*", **rest}


def document(*statements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


EVERYTHING = document(says())
ANN = {"UserName": "ann"}


def worn(answer) -> Credentials:
    made = answer["Credentials"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])


@pytest.fixture
def ann(iam):
    """The keys of a user who may do everything."""
    iam.create_user(**ANN)
    iam.put_user_policy(**ANN, PolicyName="all", PolicyDocument=EVERYTHING)
    made = iam.create_access_key(**ANN)["AccessKey"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"])


@pytest.fixture
def sts(world, ann):
    return world.client("sts", ann)


def lists(world, keys):
    """A call that needs a permission, of a service that sessions may use."""
    return world.client("sqs", keys).list_queues


def test_a_users_session_is_the_user_and_outlives_the_key_it_was_asked_for_with(
    world, iam, ann, sts, refused
):
    session = worn(sts.get_session_token())
    assert world.client("sts", session).get_caller_identity()["Arn"].endswith(":user/ann")
    iam.update_access_key(**ANN, AccessKeyId=ann.access_key, Status="Inactive")
    assert refused(lists(world, ann)) == "InvalidClientTokenId"
    lists(world, session)()
    iam.put_user_policy(**ANN, PolicyName="no", PolicyDocument=document(says("Deny")))
    assert refused(lists(world, session)).startswith("AccessDenied")
    assert world.client("sts", session).get_caller_identity()["Arn"].endswith(":user/ann")


def test_a_users_session_carries_its_time_which_the_key_does_not(world, iam, ann, sts, refused):
    session = worn(sts.get_session_token())
    world.tick(10)
    cut = world.now().isoformat()
    older = says("Deny", DateLessThan={"aws:TokenIssueTime": cut})
    iam.put_user_policy(**ANN, PolicyName="cut", PolicyDocument=document(older))
    assert refused(lists(world, session)).startswith("AccessDenied")
    lists(world, ann)()
    world.tick(1)
    lists(world, worn(sts.get_session_token()))()


def test_a_session_without_mfa_reaches_neither_iam_nor_most_of_sts(world, iam, ann, sts, refused):
    session = worn(sts.get_session_token())
    assert refused(world.client("iam", session).list_users) == "InvalidClientTokenId"
    for call in ("get_session_token", "get_federation_token"):
        params = {"Name": "fed"} if call.endswith("federation_token") else {}
        assert refused(getattr(world.client("sts", session), call), **params) == "AccessDenied"
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="ann")["VirtualMFADevice"]
    device = {"SerialNumber": serial["SerialNumber"]}
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    assert refused(sts.get_session_token, **device, TokenCode="123456") == "AccessDenied"
    iam.enable_mfa_device(**ANN, **device, **codes)
    strong = worn(sts.get_session_token(**device, TokenCode="123456"))
    assert world.client("iam", strong).list_users()["Users"]


def test_a_federated_session_may_do_what_both_the_user_and_its_policy_allow(
    world, iam, ann, sts, refused
):
    bare = worn(sts.get_federation_token(Name="bare"))
    assert refused(lists(world, bare)).startswith("AccessDenied")
    narrow = worn(sts.get_federation_token(Name="fed", Policy=document(says(action="sqs:*"))))
    lists(world, narrow)()
    assert refused(world.client("ec2", narrow).describe_vpcs) == "UnauthorizedOperation"
    assert refused(world.client("iam", narrow).list_users) == "InvalidClientTokenId"
    arn = world.client("sts", narrow).get_caller_identity()["Arn"]
    assert arn.endswith(":federated-user/fed")
    user = says("Deny", StringEquals={"aws:PrincipalArn": "arn:aws:iam::111122223333:user/ann"})
    iam.put_user_policy(**ANN, PolicyName="no", PolicyDocument=document(user))
    assert refused(lists(world, ann)).startswith("AccessDenied")
    lists(world, narrow)()
    iam.put_user_policy(**ANN, PolicyName="no", PolicyDocument=document(says("Deny")))
    assert refused(lists(world, narrow)).startswith("AccessDenied")


def test_federation_needs_a_permission_and_a_session_token_none(world, iam, ann, sts, refused):
    iam.put_user_policy(**ANN, PolicyName="no", PolicyDocument=document(says("Deny")))
    assert sts.get_session_token()["Credentials"]
    assert refused(sts.get_federation_token, Name="fed") == "AccessDenied"


@pytest.mark.parametrize("again", [False, True])
def test_sessions_of_a_deleted_user_end_also_when_its_name_comes_back(
    world, iam, ann, sts, refused, again
):
    sessions = [worn(sts.get_session_token())]
    sessions.append(worn(sts.get_federation_token(Name="fed", Policy=EVERYTHING)))
    iam.delete_access_key(**ANN, AccessKeyId=ann.access_key)
    iam.delete_user_policy(**ANN, PolicyName="all")
    iam.delete_user(**ANN)
    if again:
        iam.create_user(**ANN)
        iam.put_user_policy(**ANN, PolicyName="all", PolicyDocument=EVERYTHING)
    assert {refused(lists(world, s)) for s in sessions} == {"InvalidClientTokenId"}


def role(iam, name, trusted, **params):
    trust = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": trusted}})
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **params)
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=EVERYTHING)
    return made["Role"]["Arn"]


def test_a_chain_of_roles_is_short_keeps_its_source_and_ends_with_each_role(
    world, iam, ann, sts, refused
):
    first = role(iam, "first", world.account, MaxSessionDuration=7200)
    second = role(iam, "second", first, MaxSessionDuration=7200)
    named = {"RoleSessionName": "job", "SourceIdentity": "ann"}
    long = {"DurationSeconds": 7200}
    one = worn(sts.assume_role(RoleArn=first, **named, **long))
    hop = world.client("sts", one)
    named = {"RoleSessionName": "hop"}
    assert refused(hop.assume_role, RoleArn=second, **named, **long) == "ValidationError"
    assert refused(sts.assume_role, RoleArn=first, **named, DurationSeconds=9000) == (
        "ValidationError"
    )
    two = worn(hop.assume_role(RoleArn=second, **named))
    source = says("Deny", StringEquals={"aws:SourceIdentity": "ann"})
    iam.put_role_policy(RoleName="second", PolicyName="no", PolicyDocument=document(source))
    assert refused(lists(world, two)).startswith("AccessDenied")
    iam.delete_role_policy(RoleName="second", PolicyName="no")
    lists(world, two)()
    iam.delete_role_policy(RoleName="first", PolicyName="all")
    iam.delete_role(RoleName="first")
    assert refused(lists(world, one)) == "InvalidClientTokenId"
    lists(world, two)()


def test_session_policies_by_arn_narrow_a_session(world, iam, ann, sts, refused):
    arn = role(iam, "job", world.account)
    reads = iam.create_policy(
        PolicyName="reads", PolicyDocument=document(says(action="sqs:ListQueues"))
    )["Policy"]["Arn"]
    named = {"RoleArn": arn, "RoleSessionName": "job"}
    narrow = worn(sts.assume_role(**named, PolicyArns=[{"arn": reads}]))
    lists(world, narrow)()
    assert refused(world.client("ec2", narrow).describe_vpcs) == "UnauthorizedOperation"
    none = [{"arn": f"{reads}-none"}]
    assert refused(sts.assume_role, **named, PolicyArns=none) == "InvalidParameterValue"


def test_the_trail_says_whose_session_it_was(world, iam, ann, sts):
    world.ground.trail_lag_seconds = 0.0
    own = worn(sts.get_session_token())
    lent = worn(sts.get_federation_token(Name="fed", Policy=EVERYTHING))
    for keys in (own, lent):
        lists(world, keys)()
    events = world.client("cloudtrail", world.admin).lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ListQueues"}]
    )["Events"]
    said = {e["AccessKeyId"]: json.loads(e["CloudTrailEvent"])["userIdentity"] for e in events}
    mine, hers = said[own.access_key], said[lent.access_key]
    assert (mine["type"], mine["userName"]) == ("IAMUser", "ann")
    assert "sessionIssuer" not in mine["sessionContext"]
    assert hers["type"] == "FederatedUser"
    assert hers["sessionContext"]["sessionIssuer"]["userName"] == "ann"
