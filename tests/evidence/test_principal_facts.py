"""A user or role is recorded whole, by its unique id, with what cannot be given back named."""

import json
from types import SimpleNamespace

import pytest

from evidence.sources.item import Item, Missed
from evidence.sources.principal_facts import OF_ROLE, OF_USER, PrincipalFacts
from playbooks.drills.range.world import World

ALLOW = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
)
PASSWORD = "Canary-Passw0rd-7f3a!"


@pytest.fixture
def world():
    return World(seed=31)


@pytest.fixture
def iam(world):
    return world.client("iam", world.admin)


@pytest.fixture
def clients(iam):
    calls = []
    iam.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    return SimpleNamespace(iam=iam, calls=calls)


def facts(world, kind, name):
    return PrincipalFacts(kind, name, world.account, world.region)


def make_user(world, iam) -> list[str]:
    """A user with everything; returns the secrets that were told when it was made."""
    iam.create_user(UserName="alice", Path="/ops/", Tags=[{"Key": "team", "Value": "shop"}])
    iam.put_user_policy(UserName="alice", PolicyName="own", PolicyDocument=ALLOW)
    shared = iam.create_policy(PolicyName="shared", PolicyDocument=ALLOW)["Policy"]["Arn"]
    iam.attach_user_policy(UserName="alice", PolicyArn=shared)
    iam.create_group(GroupName="ops")
    iam.put_group_policy(GroupName="ops", PolicyName="grouped", PolicyDocument=ALLOW)
    iam.attach_group_policy(GroupName="ops", PolicyArn=shared)
    iam.add_user_to_group(GroupName="ops", UserName="alice")
    bound = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=bound)
    iam.create_login_profile(UserName="alice", Password=PASSWORD)
    key = iam.create_access_key(UserName="alice")["AccessKey"]
    git = iam.create_service_specific_credential(
        UserName="alice", ServiceName="codecommit.amazonaws.com"
    )["ServiceSpecificCredential"]
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    iam.enable_mfa_device(
        UserName="alice",
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1="123456",
        AuthenticationCode2="654321",
    )
    body = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "0" * 43
    iam.upload_ssh_public_key(UserName="alice", SSHPublicKeyBody=body)
    return [key["SecretAccessKey"], git["ServicePassword"]]


def collected(source, clients) -> dict:
    found = list(source.collect(clients))
    assert len({each.name for each in found}) == len(found), "a name twice"
    return {each.name: each for each in found}


def record(found) -> dict:
    return json.loads(found["principal_record"].data)


def test_a_user_is_recorded_whole(world, iam, clients):
    secrets = [*make_user(world, iam), PASSWORD]
    found = collected(facts(world, "user", "alice"), clients)
    assert [each for each in found.values() if isinstance(each, Missed)] == []
    told = record(found)
    user = iam.get_user(UserName="alice")["User"]
    key = iam.list_access_keys(UserName="alice")["AccessKeyMetadata"][0]["AccessKeyId"]
    assert (told["unique_id"], told["arn"], told["path"]) == (user["UserId"], user["Arn"], "/ops/")
    assert told["unique_id"].startswith("AIDA")
    assert told["tags"] == {"team": "shop"}
    assert told["boundary"] == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    assert told["groups"] == ["ops"]
    assert told["inline"] == {"own": json.loads(ALLOW)}
    assert told["attached"] == [f"arn:aws:iam::{world.account}:policy/shared"]
    assert told["login_profile"]["reset_required"] is False
    [mine] = told["access_keys"]
    assert (mine["id"], mine["status"]) == (key, "Active")
    assert mine["last_used"]["ServiceName"] == "N/A"
    assert [len(told[k]) for k in ("mfa_devices", "ssh_keys", "service_credentials")] == [1, 1, 1]
    assert told["certificates"] == []
    lost = "\n".join(told["not_restorable"])
    for what in (told["unique_id"], "password", key, "mfa/phone", "codecommit"):
        assert what in lost
    stored = b"".join(each.data for each in found.values()).decode()
    assert [secret for secret in secrets if secret in stored] == []


def test_names_of_people_stand_in_no_items_name(world, iam, clients):
    make_user(world, iam)
    assert [n for n in collected(facts(world, "user", "alice"), clients) if "alice" in n] == []


def test_a_role_is_recorded_whole(world, iam, clients):
    trust = {"Version": "2012-10-17", "Statement": []}
    iam.create_role(
        RoleName="web", AssumeRolePolicyDocument=json.dumps(trust), MaxSessionDuration=7200
    )
    iam.put_role_policy(RoleName="web", PolicyName="own", PolicyDocument=ALLOW)
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    iam.attach_role_policy(RoleName="web", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    found = collected(facts(world, "role", "web"), clients)
    told = record(found)
    assert told["unique_id"].startswith("AROA")
    assert told["trust"] == trust
    assert told["max_session_duration"] == 7200
    assert told["inline"] == {"own": json.loads(ALLOW)}
    assert told["attached"] == ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    assert told["instance_profiles"] == [f"arn:aws:iam::{world.account}:instance-profile/web"]
    assert told["boundary"] is None
    assert [k for k in told if "key" in k] == []


def test_every_call_only_reads_and_is_among_the_permissions(world, iam, clients):
    make_user(world, iam)
    trust = {"Version": "2012-10-17", "Statement": []}
    iam.create_role(RoleName="web", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="web", PolicyName="own", PolicyDocument=ALLOW)
    clients.calls.clear()
    before = world.digest()
    collected(facts(world, "user", "alice"), clients)
    collected(facts(world, "role", "web"), clients)
    assert world.digest() == before
    assert [name for name in clients.calls if not name.startswith(("Get", "List"))] == []
    assert {f"iam:{name}" for name in clients.calls} == set(PrincipalFacts.permissions)


def test_no_console_password_is_an_answer_and_not_a_miss(world, iam, clients):
    iam.create_user(UserName="bob")
    found = collected(facts(world, "user", "bob"), clients)
    assert [each for each in found.values() if isinstance(each, Missed)] == []
    assert json.loads(found["iam.get_login_profile"].data)["pages"] == []
    told = record(found)
    assert told["login_profile"] == {}
    assert "password" not in "".join(told["not_restorable"])


@pytest.mark.parametrize(("kind", "operations"), [("user", OF_USER), ("role", OF_ROLE)])
def test_one_that_is_gone_is_missed_and_all_is_still_asked(world, clients, kind, operations):
    found = collected(facts(world, kind, "gone"), clients)
    missed = {each.name for each in found.values() if isinstance(each, Missed)}
    assert {each.error_code for each in found.values() if isinstance(each, Missed)} == {
        "NoSuchEntity"
    }
    assert {f"iam.get_{kind}", f"iam.list_{kind}_policies"} <= missed
    assert {f"iam.{operation}" for operation in operations} <= found.keys()
    assert record(found)["unique_id"] is None


@pytest.mark.parametrize(
    ("operation", "part"),
    [
        ("ListAccessKeys", "access_keys"),
        ("GetLoginProfile", "login_profile"),
        ("ListMFADevices", "mfa_devices"),
        ("ListGroupsForUser", "groups"),
        ("ListUserPolicies", "inline"),
        ("ListServiceSpecificCredentials", "service_credentials"),
    ],
)
def test_what_could_not_be_read_is_missed_and_is_not_taken_for_none(
    world, iam, clients, operation, part
):
    make_user(world, iam)

    def refuse(http_response, parsed, **_):
        parsed["Error"] = {"Code": "AccessDenied", "Message": "no"}
        http_response.status_code = 403

    iam.meta.events.register(f"after-call.iam.{operation}", refuse)
    found = collected(facts(world, "user", "alice"), clients)
    missed = [each for each in found.values() if isinstance(each, Missed)]
    assert [each.error_code for each in missed] == ["AccessDenied"]
    told = record(found)
    assert told[part] is None
    assert told["unique_id"]
    assert all(isinstance(each, Item) or each in missed for each in found.values())
