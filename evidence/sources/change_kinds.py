"""What an event of CloudTrail made, by its name: a typed change, and where its names stand. Pure.

Sources: CloudTrail record contents; API references of IAM, AWS STS, IAM Roles Anywhere, AWS Lambda
(CloudTrail names its events with a date, as CreateFunction20150331), Amazon EventBridge.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

Kind = Literal[
    "access_key",
    "attachment",
    "boundary",
    "eventbridge",
    "group",
    "group_join",
    "inline_policy",
    "instance_profile",
    "lambda",
    "lambda_permission",
    "login_profile",
    "mfa_device",
    "oidc_provider",
    "other",
    "policy",
    "policy_version",
    "removal",
    "role",
    "roles_anywhere",
    "saml_provider",
    "service_credential",
    "session",
    "signing_certificate",
    "ssh_key",
    "trust",
    "user",
]

# service, event -> kind, where the name stands, where the id stands. The first word of a place is
# `asked` (requestParameters) or `answered` (responseElements); the first that is there counts.
_TABLE = """
iam CreateUser                        user       asked.userName        answered.user.userId
iam UpdateUser                        user       asked.newUserName|asked.userName -
iam CreateRole                        role       asked.roleName        answered.role.roleId
iam UpdateRole                        role       asked.roleName        -
iam CreateGroup                       group      asked.groupName       answered.group.groupId
iam CreateAccessKey  access_key answered.accessKey.userName answered.accessKey.accessKeyId
iam UpdateAccessKey                   access_key asked.userName        asked.accessKeyId
iam CreateLoginProfile                login_profile asked.userName     -
iam UpdateLoginProfile                login_profile asked.userName     -
iam ChangePassword                    login_profile asked.userName     -
iam UpdateAssumeRolePolicy            trust      asked.roleName        -
iam CreatePolicy                      policy     asked.policyName      answered.policy.arn
iam CreatePolicyVersion   policy_version asked.policyArn answered.policyVersion.versionId
iam SetDefaultPolicyVersion           policy_version asked.policyArn   asked.versionId
iam AttachUserPolicy                  attachment user/asked.userName   asked.policyArn
iam AttachRolePolicy                  attachment role/asked.roleName   asked.policyArn
iam AttachGroupPolicy                 attachment group/asked.groupName asked.policyArn
iam PutUserPolicy                     inline_policy user/asked.userName asked.policyName
iam PutRolePolicy                     inline_policy role/asked.roleName asked.policyName
iam PutGroupPolicy                    inline_policy group/asked.groupName asked.policyName
iam PutUserPermissionsBoundary        boundary   user/asked.userName   asked.permissionsBoundary
iam PutRolePermissionsBoundary        boundary   role/asked.roleName   asked.permissionsBoundary
iam AddUserToGroup                    group_join asked.userName        asked.groupName
iam CreateInstanceProfile             instance_profile asked.instanceProfileName -
iam AddRoleToInstanceProfile          instance_profile asked.instanceProfileName asked.roleName
iam CreateOpenIDConnectProvider oidc_provider asked.url answered.openIDConnectProviderArn
iam AddClientIDToOpenIDConnectProvider oidc_provider asked.clientID asked.openIDConnectProviderArn
iam UpdateOpenIDConnectProviderThumbprint oidc_provider - asked.openIDConnectProviderArn
iam CreateSAMLProvider                saml_provider asked.name         answered.sAMLProviderArn
iam UpdateSAMLProvider                saml_provider -                  asked.sAMLProviderArn
iam CreateVirtualMFADevice mfa_device asked.virtualMFADeviceName \
answered.virtualMFADevice.serialNumber
iam EnableMFADevice                   mfa_device asked.userName        asked.serialNumber
iam UploadSSHPublicKey  ssh_key asked.userName answered.sSHPublicKey.sSHPublicKeyId
iam UpdateSSHPublicKey                ssh_key    asked.userName        asked.sSHPublicKeyId
iam UploadSigningCertificate signing_certificate asked.userName answered.certificate.certificateId
iam UpdateSigningCertificate          signing_certificate asked.userName asked.certificateId
iam CreateServiceSpecificCredential service_credential asked.userName \
answered.serviceSpecificCredential.serviceSpecificCredentialId
iam ResetServiceSpecificCredential service_credential asked.userName \
asked.serviceSpecificCredentialId
iam UpdateServiceSpecificCredential service_credential asked.userName \
asked.serviceSpecificCredentialId
sts AssumeRole                        session    asked.roleArn  answered.credentials.accessKeyId
sts AssumeRoleWithSAML                session    asked.roleArn  answered.credentials.accessKeyId
sts AssumeRoleWithWebIdentity         session    asked.roleArn  answered.credentials.accessKeyId
sts AssumeRoot                        session    asked.targetPrincipal \
answered.credentials.accessKeyId
sts GetSessionToken                   session    -              answered.credentials.accessKeyId
sts GetFederationToken                session    asked.name     answered.credentials.accessKeyId
rolesanywhere CreateTrustAnchor  roles_anywhere asked.name answered.trustAnchor.trustAnchorArn
rolesanywhere UpdateTrustAnchor  roles_anywhere asked.name asked.trustAnchorId
rolesanywhere EnableTrustAnchor  roles_anywhere -          asked.trustAnchorId
rolesanywhere CreateProfile      roles_anywhere asked.name answered.profile.profileArn
rolesanywhere UpdateProfile      roles_anywhere asked.name asked.profileId
rolesanywhere EnableProfile      roles_anywhere -          asked.profileId
rolesanywhere ImportCrl          roles_anywhere asked.name answered.crl.crlArn
lambda CreateFunction              lambda asked.functionName answered.functionArn
lambda UpdateFunctionCode          lambda asked.functionName answered.functionArn
lambda UpdateFunctionConfiguration lambda asked.functionName answered.functionArn
lambda PublishVersion              lambda asked.functionName answered.functionArn
lambda CreateAlias                 lambda asked.functionName asked.name
lambda CreateEventSourceMapping    lambda asked.functionName answered.uUID
lambda CreateFunctionUrlConfig     lambda asked.functionName answered.functionUrl
lambda UpdateFunctionUrlConfig     lambda asked.functionName answered.functionUrl
lambda AddPermission               lambda_permission asked.functionName asked.statementId
lambda AddLayerVersionPermission   lambda_permission asked.layerName    asked.statementId
events PutRule                     eventbridge asked.name         answered.ruleArn
events EnableRule                  eventbridge asked.name         -
events PutTargets                  eventbridge asked.rule         -
events PutPermission               eventbridge asked.eventBusName asked.statementId
scheduler CreateSchedule           eventbridge asked.name         answered.scheduleArn
scheduler UpdateSchedule           eventbridge asked.name         answered.scheduleArn
"""
_Row = tuple[Kind, str, str]
_KINDS: dict[tuple[str, str], _Row] = {
    (service, event): (kind, name, id)  # type: ignore[misc]
    for line in _TABLE.replace("\\\n", "").strip().splitlines()
    for service, event, kind, name, id in [line.split()]
}
# What takes away, above all a denial or a boundary.
_TAKES_AWAY = ("Deactivate", "Delete", "Detach", "Disable", "Remove")
_DATED = re.compile(r"\d{8}(v\d+)?$")

KNOWN = frozenset(_KINDS)


def plain(event_name: str) -> str:
    """Return an event's name without the date that Lambda gives it."""
    return _DATED.sub("", event_name)


def kind_of(service: str, event: str) -> Kind:
    """Return what kind of change an event is; `other` for what the table does not know."""
    if (service, event) in _KINDS:
        return _KINDS[service, event][0]
    return "removal" if event.startswith(_TAKES_AWAY) else "other"


def names_of(
    service: str, event: str, asked: Mapping[str, Any], answered: Mapping[str, Any]
) -> tuple[str, str]:
    """Return the name and the id of what an event changed; empty where the event has none."""
    if (service, event) in _KINDS:
        _, name, id = _KINDS[service, event]
        return _found(name, asked, answered), _found(id, asked, answered)
    texts = [str(v) for k, v in sorted(asked.items()) if k.endswith(("Name", "Arn", "Id"))]
    return (texts[0] if texts else ""), (texts[1] if len(texts) > 1 else "")


def _found(place: str, asked: Mapping[str, Any], answered: Mapping[str, Any]) -> str:
    prefix, slash, rest = place.rpartition("/")
    for one in rest.split("|"):
        value: Any = {"asked": asked, "answered": answered}
        for word in one.split("."):
            value = value.get(word) if isinstance(value, Mapping) else None
        if isinstance(value, str | int) and value != "":
            return f"{prefix}{slash}{value}"
    return ""
