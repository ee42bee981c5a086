"""Deleting refuses while something hangs on it (IAM: DeleteUser, DeleteGroup, DeletePolicy)."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from playbooks.drills.range.keys import Credentials

READ = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
)
ANN = {"UserName": "ann"}
SERIAL = "arn:aws:iam::111122223333:mfa/phone"
CODES = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}


def public_key() -> str:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def device(iam):
    iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")
    iam.enable_mfa_device(**ANN, SerialNumber=SERIAL, **CODES)


def attached(iam):
    arn = iam.create_policy(PolicyName="read", PolicyDocument=READ)["Policy"]["Arn"]
    iam.attach_user_policy(**ANN, PolicyArn=arn)


def grouped(iam):
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", **ANN)


@pytest.mark.parametrize(
    "hang",
    [
        lambda iam: iam.create_access_key(**ANN),
        lambda iam: iam.create_login_profile(**ANN, Password="Some-1-password"),
        lambda iam: iam.upload_ssh_public_key(**ANN, SSHPublicKeyBody=public_key()),
        lambda iam: iam.create_service_specific_credential(
            **ANN, ServiceName="codecommit.amazonaws.com"
        ),
        lambda iam: iam.put_user_policy(**ANN, PolicyName="p", PolicyDocument=READ),
        device,
        attached,
        grouped,
    ],
)
def test_a_user_goes_only_when_nothing_hangs_on_it(iam, refused, hang):
    iam.create_user(**ANN)
    hang(iam)
    assert refused(iam.delete_user, **ANN) == "DeleteConflict"
    assert iam.get_user(**ANN)["User"]["UserName"] == "ann"


def test_a_bare_user_goes_and_its_boundary_does_not_come_back_with_its_name(iam):
    arn = iam.create_policy(PolicyName="read", PolicyDocument=READ)["Policy"]["Arn"]
    first = iam.create_user(**ANN)["User"]
    iam.put_user_permissions_boundary(**ANN, PermissionsBoundary=arn)
    iam.delete_user(**ANN)
    second = iam.create_user(**ANN)["User"]
    assert first["UserId"] != second["UserId"]
    assert [first["UserId"][:4], len(first["UserId"])] == ["AIDA", 21]
    assert "PermissionsBoundary" not in iam.get_user(**ANN)["User"]


def test_groups_policies_and_devices_in_use_stay(iam, refused):
    iam.create_user(**ANN)
    for hang in (device, attached, grouped):
        hang(iam)
    arn = "arn:aws:iam::111122223333:policy/read"
    assert refused(iam.delete_group, GroupName="staff") == "DeleteConflict"
    assert refused(iam.delete_virtual_mfa_device, SerialNumber=SERIAL) == "DeleteConflict"
    iam.put_user_permissions_boundary(**ANN, PermissionsBoundary=arn)
    iam.detach_user_policy(**ANN, PolicyArn=arn)
    assert refused(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    iam.delete_user_permissions_boundary(**ANN)
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=READ)["PolicyVersion"]
    assert refused(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=arn)
    iam.deactivate_mfa_device(**ANN, SerialNumber=SERIAL)
    iam.delete_virtual_mfa_device(SerialNumber=SERIAL)
    assert iam.list_mfa_devices(**ANN)["MFADevices"] == []


def test_a_login_profile_has_its_own_date_and_keeps_what_an_update_leaves_out(world, iam):
    iam.create_user(**ANN)
    world.tick(3600)
    iam.create_login_profile(**ANN, Password="Some-1-password", PasswordResetRequired=True)
    profile = iam.get_login_profile(**ANN)["LoginProfile"]
    assert abs((world.now() - profile["CreateDate"]).total_seconds()) < 60
    assert profile["PasswordResetRequired"]
    iam.update_login_profile(**ANN, Password="Another-1-password")
    assert iam.get_login_profile(**ANN)["LoginProfile"]["PasswordResetRequired"]


def test_a_user_that_names_no_user_means_itself(world, iam):
    iam.create_user(**ANN)
    iam.put_user_policy(
        **ANN,
        PolicyName="self",
        PolicyDocument=READ.replace(
            '"Resource": "*"', '"Resource": "arn:aws:iam::*:user/${aws:username}"'
        ),
    )
    made = iam.create_access_key(**ANN)["AccessKey"]
    hers = world.client("iam", Credentials(made["AccessKeyId"], made["SecretAccessKey"]))
    assert hers.get_user()["User"]["UserName"] == "ann"
    second = hers.create_access_key()["AccessKey"]
    assert second["UserName"] == "ann"
    hers.update_access_key(AccessKeyId=second["AccessKeyId"], Status="Inactive")
    states = {k["AccessKeyId"]: k["Status"] for k in hers.list_access_keys()["AccessKeyMetadata"]}
    assert states == {made["AccessKeyId"]: "Active", second["AccessKeyId"]: "Inactive"}
