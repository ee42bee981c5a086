"""Identity Center takes its time, and a permission set holds where it is provisioned."""

import pytest
from botocore.exceptions import ClientError

from playbooks.drills.range.corrections.identity_center import SECONDS

WHO = "1234567890-11111111-2222-3333-4444-555555555555"


@pytest.fixture
def sso(world):
    return world.client("sso-admin", world.admin)


@pytest.fixture
def named(sso):
    instance = sso.list_instances()["Instances"][0]["InstanceArn"]
    made = sso.create_permission_set(Name="Admin", InstanceArn=instance)["PermissionSet"]
    return {"InstanceArn": instance, "PermissionSetArn": made["PermissionSetArn"]}


def assignment(world, named) -> dict:
    person = {"PrincipalType": "USER", "PrincipalId": WHO}
    return named | person | {"TargetId": world.account, "TargetType": "AWS_ACCOUNT"}


def assigned(sso, named) -> int:
    found = sso.list_account_assignments_for_principal(
        InstanceArn=named["InstanceArn"], PrincipalId=WHO, PrincipalType="USER"
    )
    return len(found["AccountAssignments"])


def test_a_permission_sets_arn_is_one(named):
    instance = named["InstanceArn"].rpartition("/")[2]
    assert named["PermissionSetArn"].startswith(f"arn:aws:sso:::permissionSet/{instance}/ps-")


def test_an_assignment_shows_a_while_later_and_once(world, sso, named):
    for _ in range(2):
        made = sso.create_account_assignment(**assignment(world, named))
        assert made["AccountAssignmentCreationStatus"]["Status"] == "IN_PROGRESS"
    assert assigned(sso, named) == 0
    world.tick(SECONDS)
    assert assigned(sso, named) == 1
    sso.delete_account_assignment(**assignment(world, named))
    assert assigned(sso, named) == 1
    world.tick(SECONDS)
    assert assigned(sso, named) == 0
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        sso.delete_account_assignment(**assignment(world, named))


def behind(sso, named) -> list[str]:
    return sso.list_accounts_for_provisioned_permission_set(
        **named, ProvisioningStatus="LATEST_PERMISSION_SET_NOT_PROVISIONED"
    )["AccountIds"]


def test_a_policy_holds_where_it_was_provisioned(world, sso, named):
    sso.put_inline_policy_to_permission_set(**named, InlinePolicy="{}")
    assert sso.list_accounts_for_provisioned_permission_set(**named)["AccountIds"] == []
    sso.create_account_assignment(**assignment(world, named))
    world.tick(SECONDS)
    assert behind(sso, named) == []
    sso.put_inline_policy_to_permission_set(**named, InlinePolicy='{"a": 1}')
    assert behind(sso, named) == [world.account]
    sso.provision_permission_set(**named, TargetType="ALL_PROVISIONED_ACCOUNTS")
    assert behind(sso, named) == [world.account]
    world.tick(SECONDS)
    assert behind(sso, named) == []
    gone = named | {"PermissionSetArn": named["PermissionSetArn"][:-4] + "xxxx"}
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        sso.provision_permission_set(**gone, TargetType="ALL_PROVISIONED_ACCOUNTS")
