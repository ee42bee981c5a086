"""What a user or role was, in one piece: what answers said of it, and what nobody can give back.

Pure. It says what one principal's part of GetAccountAuthorizationDetails says (IAM API Reference),
and what that leaves out: keys, the console password's dates, devices and certificates.
"""

from collections.abc import Mapping
from typing import Any

# The pages of each answer by the operation's name, such as "list_access_keys"; where it is asked
# for each key, "get_access_key_last_used.<key id>". One that could not be read is not there.
Answers = Mapping[str, list[dict[str, Any]]]
LOGIN = {"created": "CreateDate", "reset_required": "PasswordResetRequired"}


def user_record(answers: Answers) -> dict[str, Any]:
    """Return the record of a user; what was not read is None. `login_profile` is {} for none."""
    login = answers.get("get_login_profile")
    profile = login[0]["LoginProfile"] if login else {}
    record = _principal(answers, "User") | {
        "groups": _each(answers, "list_groups_for_user", "Groups", "GroupName"),
        "inline": _documents(answers, "list_user_policies", "get_user_policy"),
        "attached": _each(answers, "list_attached_user_policies", "AttachedPolicies", "PolicyArn"),
        "access_keys": _keys(answers),
        "login_profile": None
        if login is None
        else {mine: profile[theirs] for mine, theirs in LOGIN.items() if theirs in profile},
        "mfa_devices": _pick(
            answers, "list_mfa_devices", "MFADevices", serial="SerialNumber", enabled="EnableDate"
        ),
        "ssh_keys": _pick(
            answers, "list_ssh_public_keys", "SSHPublicKeys", id="SSHPublicKeyId", status="Status"
        ),
        "certificates": _pick(
            answers,
            "list_signing_certificates",
            "Certificates",
            id="CertificateId",
            status="Status",
        ),
        "service_credentials": _pick(
            answers,
            "list_service_specific_credentials",
            "ServiceSpecificCredentials",
            id="ServiceSpecificCredentialId",
            service="ServiceName",
            status="Status",
        ),
    }
    return record | {"not_restorable": _lost(record)}


def role_record(answers: Answers) -> dict[str, Any]:
    """Return the record of a role; what was not read is None."""
    told = _told(answers, "Role")
    profiles = "list_instance_profiles_for_role"
    record = _principal(answers, "Role") | {
        "trust": told.get("AssumeRolePolicyDocument"),
        "max_session_duration": told.get("MaxSessionDuration"),
        "last_used": told.get("RoleLastUsed"),
        "inline": _documents(answers, "list_role_policies", "get_role_policy"),
        "attached": _each(answers, "list_attached_role_policies", "AttachedPolicies", "PolicyArn"),
        "instance_profiles": _each(answers, profiles, "InstanceProfiles", "Arn"),
    }
    return record | {"not_restorable": _lost(record)}


def _told(answers: Answers, kind: str) -> dict[str, Any]:
    pages = answers.get(f"get_{kind.lower()}")
    found: dict[str, Any] = pages[0][kind] if pages else {}
    return found


def _principal(answers: Answers, kind: str) -> dict[str, Any]:
    told = _told(answers, kind)
    return {
        "kind": kind.lower(),
        "name": told.get(f"{kind}Name"),
        "unique_id": told.get(f"{kind}Id"),
        "arn": told.get("Arn"),
        "path": told.get("Path"),
        "created": told.get("CreateDate"),
        "tags": {tag["Key"]: tag["Value"] for tag in told.get("Tags", [])},
        "boundary": told.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
    }


def _all(answers: Answers, operation: str, member: str) -> list[Any] | None:
    pages = answers.get(operation)
    return None if pages is None else [each for page in pages for each in page[member]]


def _each(answers: Answers, operation: str, member: str, field: str) -> list[str] | None:
    found = _all(answers, operation, member)
    return None if found is None else sorted(each[field] for each in found)


def _pick(
    answers: Answers, operation: str, member: str, **fields: str
) -> list[dict[str, Any]] | None:
    found = _all(answers, operation, member)
    if found is None:
        return None
    return [{mine: each.get(theirs) for mine, theirs in fields.items()} for each in found]


def _documents(answers: Answers, listing: str, operation: str) -> dict[str, Any] | None:
    names = _all(answers, listing, "PolicyNames")
    if names is None:
        return None
    texts = {page["PolicyName"]: page["PolicyDocument"] for page in answers.get(operation, [])}
    return {name: texts.get(name) for name in names}


def _keys(answers: Answers) -> list[dict[str, Any]] | None:
    keys = _pick(
        answers,
        "list_access_keys",
        "AccessKeyMetadata",
        id="AccessKeyId",
        status="Status",
        created="CreateDate",
    )
    for key in keys or []:
        used = answers.get(f"get_access_key_last_used.{key['id']}")
        key["last_used"] = used[0]["AccessKeyLastUsed"] if used else None
    return keys


def _lost(record: Mapping[str, Any]) -> list[str]:
    return [
        f"unique id {record['unique_id']}: one made again under the name gets another",
        *(["console password: IAM tells it to nobody"] if record.get("login_profile") else []),
        *(
            f"access key {key['id']}: once deleted it cannot be made again"
            for key in record.get("access_keys") or []
        ),
        *(
            f"MFA device {device['serial']}: only its holder can enable it again"
            for device in record.get("mfa_devices") or []
        ),
        *(
            f"secret of {credential['id']} for {credential['service']}"
            for credential in record.get("service_credentials") or []
        ),
    ]
