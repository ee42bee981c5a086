"""AWS secrets engine (API; OpenBao has none today). It needs an AWS: the simulator alone is asked,
with its own small IAM and with the range's."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.vault.range_iam import RangeIam
from playbooks.drills.range.vault.world import URL, VaultWorld
from playbooks.drills.range.world import World
from tests.contract_vault.server import Server

DOCUMENT = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
    }
)
USER = {"credential_type": "iam_user", "policy_document": DOCUMENT}
ROOT = "vault-root"
READER = "arn:aws:iam::111122223333:role/reader"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def aws() -> World:
    """A range with a role, for all tests here."""
    aws = World(seed=5)
    iam = aws.client("iam", aws.admin)
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=DOCUMENT)
    return aws


@pytest.fixture
def joined(aws) -> Iterator[tuple[Server, World, str]]:
    """A Vault on that range, acting as its user `vault-root`, and its AWS mount."""
    world = VaultWorld(seed=3, aws=aws)
    vault = Server(URL, world.root_token, world.session(), world)
    mount = vault.mount("aws")
    iam = aws.client("iam", aws.admin)
    iam.create_user(UserName=ROOT)
    iam.put_user_policy(UserName=ROOT, PolicyName="all", PolicyDocument=json.dumps(ALL))
    key = iam.create_access_key(UserName=ROOT)["AccessKey"]
    root = {"access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}
    vault.did("POST", f"{mount}/config/root", root)
    vault.did("POST", f"{mount}/config/lease", {"lease": "1h", "lease_max": "24h"})
    vault.did("POST", f"{mount}/roles/deploy", USER)
    yield vault, aws, mount
    for name in users(aws):
        RangeIam(aws).delete(aws.admin, name)


@pytest.fixture
def mount(vault, world) -> str:
    """An AWS mount on the simulator's own IAM."""
    path = vault.mount("aws")
    vault.did("POST", f"{path}/config/root", {"access_key": "AKIAX", "secret_key": "secret"})
    vault.did("POST", f"{path}/roles/deploy", USER)
    return path


def works(aws, data) -> bool:
    keys = Credentials(data["access_key"], data["secret_key"], data["security_token"] or "")
    try:
        aws.client("s3", keys).list_buckets()
    except ClientError:
        return False
    return True


def users(aws) -> list[str]:
    found = aws.client("iam", aws.admin).list_users()["Users"]
    return [u["UserName"] for u in found]


def test_the_root_key_is_read_without_its_secret(vault, mount):
    data = vault.did("GET", f"{mount}/config/root")["data"]
    assert data["access_key"] == "AKIAX"
    assert "secret_key" not in data
    assert vault.did("POST", f"{mount}/config/rotate-root")["data"]["access_key"] != "AKIAX"
    assert vault.did("GET", f"{mount}/config/root")["data"]["access_key"] != "AKIAX"
    assert vault.status("POST", f"{mount}/config/root", {"access_key": "AKIAX"}) == 400


def test_without_a_root_key_there_is_nothing_to_read_or_rotate(vault, world):
    path = vault.mount("aws")
    assert vault.status("GET", f"{path}/config/root") == 404
    assert vault.status("POST", f"{path}/config/rotate-root") == 400
    vault.did("POST", f"{path}/roles/deploy", USER)
    assert vault.status("GET", f"{path}/creds/deploy") == 400


def test_leases_are_configured(vault, mount):
    assert vault.status("GET", f"{mount}/config/lease") == 404
    assert vault.status("POST", f"{mount}/config/lease", {"lease": "30m"}) == 400
    assert vault.status("POST", f"{mount}/config/lease", {"lease": "2h", "lease_max": "1h"}) == 400
    vault.did("POST", f"{mount}/config/lease", {"lease": "30m", "lease_max": "12h"})
    assert vault.did("GET", f"{mount}/config/lease")["data"]["lease"] in ("30m0s", "1800s")
    assert vault.did("GET", f"{mount}/creds/deploy")["lease_duration"] == 1800


def test_roles_are_read_listed_and_deleted(vault, mount):
    data = vault.did("GET", f"{mount}/roles/deploy")["data"]
    assert (data["credential_type"], data["policy_document"]) == ("iam_user", DOCUMENT)
    assert vault.did("LIST", f"{mount}/roles")["data"]["keys"] == ["deploy"]
    for wrong in (
        {"credential_type": "iam_user"},
        {"credential_type": "iam_user", "role_arns": READER},
        {"credential_type": "assumed_role"},
        {"credential_type": "no such"},
    ):
        assert vault.status("POST", f"{mount}/roles/bad", wrong) == 400
    tagged = {**USER, "iam_tags": ["team=a", "stage=b"]}
    vault.did("POST", f"{mount}/roles/tagged", tagged)
    tags = vault.did("GET", f"{mount}/roles/tagged")["data"]["iam_tags"]
    assert tags == {"team": "a", "stage": "b"}
    assert vault.status("DELETE", f"{mount}/roles/deploy") == 204
    assert vault.status("GET", f"{mount}/roles/deploy") == 404
    assert vault.status("GET", f"{mount}/creds/deploy") == 400
    # "If the role does not exist, a 404 is returned."
    assert vault.status("DELETE", f"{mount}/roles/deploy") == 404


def test_a_user_is_made_in_aws_and_deleted_with_its_lease(joined):
    vault, aws, mount = joined
    before = users(aws)
    made = vault.did("GET", f"{mount}/creds/deploy")
    data = made["data"]
    assert data["access_key"].startswith("AKIA")
    assert data["security_token"] is None
    assert made["lease_id"].startswith(f"{mount}/creds/deploy/")
    assert (made["lease_duration"], made["renewable"]) == (3600, True)
    assert works(aws, data)
    assert len(users(aws)) == len(before) + 1
    body = {"lease_id": made["lease_id"], "sync": True}
    assert vault.status("PUT", "sys/leases/revoke", body) == 204
    assert not works(aws, data)
    assert users(aws) == before


def test_all_that_hangs_on_a_user_goes_with_it(joined):
    vault, aws, mount = joined
    iam = aws.client("iam", aws.admin)
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    iam.create_group(GroupName="staff")
    role = {**USER, "policy_arns": arn, "iam_groups": "staff", "iam_tags": {"team": "a"}}
    role |= {"permissions_boundary_arn": boundary, "user_path": "/made/"}
    vault.did("POST", f"{mount}/roles/full", role)
    before = users(aws)
    lease = vault.did("GET", f"{mount}/creds/full")["lease_id"]
    [name] = set(users(aws)) - set(before)
    user = iam.get_user(UserName=name)["User"]
    assert user["Path"] == "/made/"
    assert user["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    assert user["Tags"] == [{"Key": "team", "Value": "a"}]
    attached = iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
    assert [p["PolicyArn"] for p in attached] == [arn]
    groups = iam.list_groups_for_user(UserName=name)["Groups"]
    assert [g["GroupName"] for g in groups] == ["staff"]
    vault.did("PUT", "sys/leases/revoke", {"lease_id": lease, "sync": True})
    assert users(aws) == before
    iam.delete_group(GroupName="staff")
    iam.delete_policy(PolicyArn=boundary)


def test_a_user_that_aws_does_not_delete_becomes_irrevocable(joined):
    # An attacker's login profile is enough: DeleteConflict (hashicorp/vault#16685).
    vault, aws, mount = joined
    before = users(aws)
    made = vault.did("GET", f"{mount}/creds/deploy")
    [name] = set(users(aws)) - set(before)
    iam = aws.client("iam", aws.admin)
    iam.create_login_profile(UserName=name, Password="Long-enough-1!")
    body = {"lease_id": made["lease_id"], "sync": True}
    answer = vault.ask("PUT", "sys/leases/revoke", body)
    assert answer.status_code == 400
    assert "DeleteConflict" in answer.json()["errors"][0]
    vault.did("PUT", "sys/leases/revoke", {"lease_id": made["lease_id"]})
    aws.tick(3600)
    assert vault.did("GET", "sys/leases/count?type=irrevocable")["data"]["lease_count"] == 1
    iam.delete_login_profile(UserName=name)
    assert vault.status("PUT", "sys/leases/revoke", body) == 204
    assert users(aws) == before


def test_a_session_outlives_any_revocation(joined):
    vault, aws, mount = joined
    role = {"credential_type": "assumed_role", "role_arns": READER}
    vault.did("POST", f"{mount}/roles/session", role)
    made = vault.did("POST", f"{mount}/sts/session", {"ttl": "1h"})
    data = made["data"]
    assert data["access_key"].startswith("ASIA")
    assert data["arn"].startswith("arn:aws:sts::111122223333:assumed-role/reader/")
    assert made["lease_id"] == ""
    vault.world.core.sts_leases = True
    leased = vault.did("GET", f"{mount}/creds/session")
    assert leased["lease_id"]
    assert leased["renewable"] is False
    assert vault.status("PUT", f"sys/leases/revoke-prefix/{mount}", {"sync": True}) == 204
    assert vault.status("LIST", f"sys/leases/lookup/{mount}/creds/session") == 404
    assert works(aws, data)
    assert works(aws, leased["data"])


def test_only_the_roles_own_arns_are_assumed(vault, mount):
    two = {"credential_type": "assumed_role", "role_arns": [READER, f"{READER}2"]}
    vault.did("POST", f"{mount}/roles/two", {**two, "max_sts_ttl": "15m"})
    assert vault.status("POST", f"{mount}/sts/two", {}) == 400
    assert vault.status("POST", f"{mount}/sts/two", {"role_arn": f"{READER}3"}) == 400
    made = vault.did("POST", f"{mount}/sts/two", {"role_arn": READER, "ttl": "1h"})
    assert made["data"]["ttl"] == 900
    assert vault.status("POST", f"{mount}/sts/deploy", {}) == 400


def test_rotating_root_leaves_one_key_that_vault_alone_knows(joined):
    vault, aws, mount = joined
    before = vault.did("GET", f"{mount}/config/root")["data"]["access_key"]
    after = vault.did("POST", f"{mount}/config/rotate-root")["data"]["access_key"]
    listed = aws.client("iam", aws.admin).list_access_keys(UserName=ROOT)
    assert [k["AccessKeyId"] for k in listed["AccessKeyMetadata"]] == [after] != [before]
    assert works(aws, vault.did("GET", f"{mount}/creds/deploy")["data"])


def test_root_is_not_rotated_beside_a_second_key(joined):
    vault, aws, mount = joined
    aws.client("iam", aws.admin).create_access_key(UserName=ROOT)
    assert vault.status("POST", f"{mount}/config/rotate-root") in (400, 500)


def test_the_engine_may_do_no_more_than_its_own_key(joined):
    vault, aws, mount = joined
    before = users(aws)
    iam = aws.client("iam", aws.admin)
    iam.delete_user_policy(UserName=ROOT, PolicyName="all")
    answer = vault.ask("GET", f"{mount}/creds/deploy")
    assert answer.status_code == 400
    assert "AccessDenied" in answer.json()["errors"][0]
    assert users(aws) == before


def test_under_throttling_a_prefix_is_revoked_in_many_tries(vault, world, mount):
    for _ in range(30):
        vault.did("GET", f"{mount}/creds/deploy")
    world.throttle_aws(capacity=10, refill=1)
    path = f"sys/leases/lookup/{mount}/creds/deploy"
    left = [30]
    while vault.status("LIST", path) == 200:
        answer = vault.ask("PUT", f"sys/leases/revoke-prefix/{mount}/creds", {"sync": True})
        if answer.status_code != 204:
            assert answer.status_code == 400
            assert "Throttling" in answer.json()["errors"][0]
            left.append(len(vault.did("LIST", path)["data"]["keys"]))
            assert left[-1] < left[-2]
        vault.pause(5)
    assert len(left) > 2
    assert world.core.iam.users == {}


def test_a_queue_under_throttling_comes_through_by_itself(vault, world, mount):
    for _ in range(20):
        vault.did("GET", f"{mount}/creds/deploy")
    world.throttle_aws(capacity=5, refill=1)
    vault.did("PUT", f"sys/leases/revoke-prefix/{mount}/creds")
    vault.pause(1200)
    assert world.core.iam.users == {}
    assert vault.did("GET", "sys/leases/count?type=irrevocable")["data"]["lease_count"] == 0
