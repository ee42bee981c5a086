"""Each action declares the permissions that its calls need, no fewer and no more.

NEEDS says what AWS asks for each operation: Service Authorization Reference, "Actions, resources,
and condition keys for Amazon EC2", "... for AWS Identity and Access Management", "... for Amazon
EC2 Auto Scaling" and "... for Elastic Load Balancing V2", columns "Actions" and "Dependent
actions". CreateSnapshots of an encrypted volume keeps the volume's key and needs none of KMS;
CopySnapshot does, and the range does not ask for it: those stand in IDLE.
"""

import json
from typing import Any

import pytest

from actions.action import Lens
from actions.catalogue import catalogue
from actions.policy import policies
from playbooks.drills.range.keys import Credentials
from tests.actions.scene import Scene, apart, on_vault, scene

TAGGED = "TagSpecification"  # in the request: tags at creation are authorized as CreateTags
PROFILE = "IamInstanceProfile"  # in the request: giving a host a role is authorized as PassRole
SAME = """
ec2 DescribeIamInstanceProfileAssociations DescribeInstanceAttribute DescribeInstances
ec2 DescribeNetworkInterfaces DescribeSecurityGroupRules DescribeSecurityGroups DescribeSnapshots
ec2 AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress RevokeSecurityGroupEgress
ec2 CreateTags DeleteSecurityGroup DeleteTags DisassociateIamInstanceProfile
ec2 ModifyInstanceAttribute ModifyNetworkInterfaceAttribute TerminateInstances
ec2 DescribeLockedSnapshots DescribeSnapshotAttribute LockSnapshot ModifySnapshotAttribute
ec2 UnlockSnapshot
iam DeleteRolePolicy GetInstanceProfile GetRole GetRolePolicy ListRolePolicies PutRolePolicy
iam AttachUserPolicy CreatePolicy DeletePolicy DetachUserPolicy GetAccountSummary GetPolicy
iam GetAccessKeyLastUsed GetPolicyVersion GetUser ListAccessKeys ListAttachedUserPolicies
iam ListPolicyVersions ListSSHPublicKeys ListServiceSpecificCredentials ListSigningCertificates
iam AddUserToGroup DeactivateMFADevice DeleteLoginProfile DeleteUserPermissionsBoundary
iam GetLoginProfile ListGroupsForUser ListInstanceProfilesForRole ListMFADevices
iam PutUserPermissionsBoundary RemoveUserFromGroup TagUser UpdateAssumeRolePolicy UpdateLoginProfile
cloudtrail LookupEvents
iam DeleteOpenIDConnectProvider DeleteSAMLProvider GetOpenIDConnectProvider
iam GetSAMLProvider ListRoles
lambda DeleteFunctionConcurrency GetFunctionConcurrency GetFunctionConfiguration
lambda PutFunctionConcurrency
sso CreateAccountAssignment DeleteAccountAssignment DescribePermissionSet
sso GetInlinePolicyForPermissionSet ListAccountAssignmentsForPrincipal
sso ListAccountsForProvisionedPermissionSet ProvisionPermissionSet PutInlinePolicyToPermissionSet
events DescribeRule DisableRule EnableRule PutRule
rolesanywhere DisableTrustAnchor EnableTrustAnchor GetTrustAnchor
iam UpdateAccessKey UpdateSSHPublicKey UpdateServiceSpecificCredential UpdateSigningCertificate
iam ListUserPolicies GetUserPolicy PutUserPolicy DeleteUserPolicy
autoscaling DescribeAutoScalingGroups DescribeAutoScalingInstances EnterStandby ExitStandby
autoscaling TerminateInstanceInAutoScalingGroup UpdateAutoScalingGroup
elasticloadbalancing DescribeTargetGroups DescribeTargetHealth RegisterTargets DeregisterTargets
organizations DescribePolicy UpdatePolicy
iam CreateAccessKey DeleteAccessKey ListUserTags TagUser
secretsmanager DescribeSecret GetRandomPassword GetSecretValue PutSecretValue
secretsmanager UpdateSecretVersionStage
ssm DescribeInstanceInformation GetDocument ListCommands SendCommand
rds AddTagsToResource DescribeDBInstances ModifyDBInstance
"""
# Operation -> IAM action -> what must be in the request for it to be asked ("" is always).
NEEDS: dict[str, dict[str, str]] = {
    f"{service}:{operation}": {f"{service}:{operation}": ""}
    for line in SAME.strip().splitlines()
    for service, *operations in [line.split()]
    for operation in operations
} | {
    "ec2:CreateSecurityGroup": {"ec2:CreateSecurityGroup": "", "ec2:CreateTags": TAGGED},
    "ec2:CreateSnapshots": {"ec2:CreateSnapshots": "", "ec2:CreateTags": TAGGED},
    "ec2:CopySnapshot": {"ec2:CopySnapshot": "", "ec2:CreateTags": TAGGED},
    "iam:CreateOpenIDConnectProvider": {
        "iam:CreateOpenIDConnectProvider": "",
        "iam:TagOpenIDConnectProvider": "Tags",
    },
    "iam:CreateSAMLProvider": {"iam:CreateSAMLProvider": "", "iam:TagSAMLProvider": "Tags"},
    "ec2:AssociateIamInstanceProfile": {
        "ec2:AssociateIamInstanceProfile": "",
        "iam:PassRole": PROFILE,
    },
    "ec2:ReplaceIamInstanceProfileAssociation": {
        "ec2:ReplaceIamInstanceProfileAssociation": "",
        "iam:PassRole": PROFILE,
    },
}
# botocore's name -> the prefix of IAM actions
PREFIX = {"elbv2": "elasticloadbalancing", "sso-admin": "sso"}
# What actions on whoever holds policies need for a role or a group, and not for a user.
HELD = {
    f"iam:{call.format(kind)}": "the holder may be a role or a group"
    for kind in ("Role", "Group")
    for call in (
        *("Get{}", "ListAttached{}Policies", "Attach{}Policy", "Detach{}Policy"),
        *("List{}Policies", "Get{}Policy", "Put{}Policy", "Delete{}Policy"),
    )
}
OWN_KEY = dict.fromkeys(("kms:Decrypt", "kms:GenerateDataKey"), "the secret has a key of its own")
ROLE = dict.fromkeys(
    (
        "iam:GetRole",
        "iam:ListAttachedRolePolicies",
        "iam:AttachRolePolicy",
        "iam:DetachRolePolicy",
    ),
    "the principal may be a role",
)
ROLE_COUNTED = dict.fromkeys(
    ("iam:ListInstanceProfilesForRole", "cloudtrail:LookupEvents"),
    "a role's hosts and sessions are counted",
)
ROLE_WITHOUT_HOSTS = {
    "ec2:DescribeIamInstanceProfileAssociations": "the role may be in an instance profile"
}
POLICY_THERE = dict.fromkeys(
    ("iam:CreatePolicyVersion", "iam:DeletePolicyVersion"),
    "a policy of that name that was there gets a version, and has five at most",
)
# Declared, and not called in one apply and rollback of the arrangement: why it is needed still.
IDLE: dict[str, dict[str, str]] = {
    "copy_snapshot": dict.fromkeys(
        (
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ),
        "EC2 uses the keys in the caller's name",
    ),
    "create_access_key": OWN_KEY
    | {"iam:DeleteAccessKey": "a key whose secret a crash lost is deleted"},
    "put_secret_version": OWN_KEY,
    "move_secret_stages": {"kms:Decrypt": OWN_KEY["kms:Decrypt"]},
    "rotate_master_password": {"kms:Decrypt": OWN_KEY["kms:Decrypt"]},
    "convert_tracked_connections": {
        "ec2:AuthorizeSecurityGroupEgress": "a VPC without IPv6 gives a new group no v6 egress",
    },
    **dict.fromkeys(("close_trust_policy", "deny_role_sessions"), ROLE_WITHOUT_HOSTS),
    "deny_principal": ROLE | ROLE_WITHOUT_HOSTS | ROLE_COUNTED | POLICY_THERE,
    "deny_in_permission_set": {
        "sso:DeleteInlinePolicyFromPermissionSet": "a set that had no policy is to have none again"
    },
    "disable_event_rule": {"events:PutRule": "the third state of a rule is set by it alone"},
    "remove_identity_provider": dict.fromkeys(
        (
            "iam:GetSAMLProvider",
            "iam:DeleteSAMLProvider",
            "iam:CreateSAMLProvider",
            "iam:TagSAMLProvider",
        ),
        "the provider may be one of SAML",
    ),
    "narrow_principal_sessions": ROLE | POLICY_THERE,
    "set_permissions_boundary": dict.fromkeys(
        (
            "iam:GetRole",
            "iam:PutRolePermissionsBoundary",
            "iam:DeleteRolePermissionsBoundary",
        ),
        "the principal may be a role",
    ),
    "detach_policies": HELD,
    "enter_standby": {
        "autoscaling:UpdateAutoScalingGroup": "a group that cannot go one lower has min lowered",
    },
    "reduce_permissions": HELD,
    "replace_instance_profile": {
        "ec2:AssociateIamInstanceProfile": "a host that had no profile gets one",
        "ec2:DisassociateIamInstanceProfile": "a host that had none is to have none again",
    },
    "run_collection_command": {
        "ssm:GetCommandInvocation": "how the command goes is asked while it runs",
        "s3:PutObject": "the host uploads by an address that is signed with it",
        "s3:GetObject": "what was uploaded is read back as evidence",
    },
    "terminate_instance": {
        "ec2:ModifyInstanceAttribute": "protection that is on is lifted first",
    },
}

# Those of a Vault's actions: tests/actions/vault/test_vault_permissions.py.
ON_AWS = [name for name in catalogue() if not on_vault(name)]


def asked(seen: list[tuple[str, str, dict[str, Any]]]) -> set[str]:
    """Return the IAM actions that these calls need. Fail for a call that NEEDS does not know."""
    found = set()
    for service, operation, body in seen:
        call = f"{PREFIX.get(service, service)}:{operation}"
        assert call in NEEDS, f"{call} is not mapped: look it up and add it to NEEDS"
        found |= {
            action
            for action, word in NEEDS[call].items()
            if not word or any(k.startswith(word) for k in body)
        }
    return found


def lifecycle(found: Scene) -> None:
    """Do all that an action is for."""
    found.run(found.enter())
    if isinstance(found.action, Lens):
        found.run(found.back())


def furnish(found: Scene) -> None:
    """Give a role to each profile that has none; AWS would not give such a profile to a host."""
    iam = found.world.client("iam", found.world.admin)
    for profile in iam.list_instance_profiles()["InstanceProfiles"]:
        if not profile["Roles"]:
            name = profile["InstanceProfileName"]
            trust = json.dumps({"Version": "2012-10-17", "Statement": []})
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)


def stranger(found: Scene, documents: list[dict[str, Any]]) -> Credentials:
    """Return the keys of a new user who may do what these policies say, and nothing else."""
    iam = found.world.client("iam", found.world.admin)
    iam.create_user(UserName="stanch")
    for i, document in enumerate(documents):
        made = iam.create_policy(PolicyName=f"stanch-{i}", PolicyDocument=json.dumps(document))
        iam.attach_user_policy(UserName="stanch", PolicyArn=made["Policy"]["Arn"])
    key = iam.create_access_key(UserName="stanch")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


@pytest.mark.parametrize("name", ON_AWS)
@apart
def test_every_call_is_covered_and_every_permission_is_called_for(name: str) -> None:
    found = scene(name)
    lifecycle(found)
    declared = {p.action for p in catalogue()[name].permissions}
    needed = asked(found.seen)
    assert needed - declared == set(), "called, and not declared"
    assert declared - needed == set(IDLE.get(name, {})), "declared, and not called"


@pytest.mark.parametrize("name", ON_AWS)
@apart
def test_the_printed_policy_is_enough_to_do_it_and_undo_it(name: str) -> None:
    found = scene(name)
    furnish(found)
    where = {"account": found.world.account, "region": found.world.region}
    keys = stranger(found, policies([catalogue()[name]], **where))
    found.p = found.provider(keys)
    lifecycle(found)


@pytest.mark.parametrize("name", ON_AWS)
@apart
def test_without_a_policy_the_range_says_no(name: str) -> None:
    """So the range does judge by the policy, and the law above does not hold for nothing."""
    found = scene(name)
    found.p = found.provider(stranger(found, []))
    with pytest.raises(Exception, match="not authorized to perform"):
        lifecycle(found)


def test_a_call_that_is_not_mapped_fails() -> None:
    with pytest.raises(AssertionError, match="ec2:CopyImage is not mapped"):
        asked([("ec2", "CopyImage", {})])


def test_dependent_actions_are_asked_for_only_when_the_request_has_them() -> None:
    plain = asked([("ec2", "CreateSecurityGroup", {"GroupName": "x"})])
    tagged = asked([("ec2", "CreateSecurityGroup", {"TagSpecification.1.ResourceType": "x"})])
    assert tagged - plain == {"ec2:CreateTags"}
    assert "iam:PassRole" in asked(
        [("ec2", "ReplaceIamInstanceProfileAssociation", {"IamInstanceProfile.Arn": "x"})]
    )


def test_no_reason_is_given_for_an_action_or_permission_that_is_gone() -> None:
    for name, reasons in IDLE.items():
        assert reasons.keys() <= {p.action for p in catalogue()[name].permissions}
