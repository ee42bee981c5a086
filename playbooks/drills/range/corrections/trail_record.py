"""One call as CloudTrail records it (AWS: CloudTrail record contents, userIdentity element)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.authorize import principal_arn
from playbooks.drills.range.targets import EC2_TYPES, is_read
from playbooks.drills.range.wire import result_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playbooks.drills.range.calls import Call
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.keys import Principal
    from playbooks.drills.range.wire import Answer, Asked

# EC2: CloudTrail hides user data; secrets of other services are hidden alike.
HIDDEN = {
    *("userData", "password", "secretString", "newPassword", "oldPassword"),
    *("secretAccessKey", "sessionToken", "servicePassword", "serviceCredentialSecret"),
}
TYPES = {"root": "Root", "user": "IAMUser", "federated": "FederatedUser"}
# Whose answers name what was made, by an id that is not in the request.
ANSWERING = {"iam", "sts", "lambda", "events", "rolesanywhere"}


def elements(asked: Asked, answer: Answer) -> Mapping[str, Any]:
    """What CloudTrail keeps of an answer as responseElements: none of a read's, or of a refusal's.

    AWS: CloudTrail record contents, responseElements.
    """
    made = asked.operation.endswith("Token") or not is_read(asked.operation)
    told = asked.service in ANSWERING and made
    return result_of(asked, answer) if told and answer.status < 300 else {}


def event(ground: Ground, call: Call, account: str) -> dict[str, Any]:
    """The event in LookupEvents' shape, as the account sees it; `call` has a principal."""
    assert call.principal is not None  # noqa: S101
    source = f"{call.service}.amazonaws.com"
    return {
        "EventId": call.request_id,
        "EventName": call.operation,
        "ReadOnly": "true" if is_read(call.operation) else "false",
        "AccessKeyId": call.access_key,
        "EventTime": call.at.replace(microsecond=0),
        "EventSource": source,
        "Username": call.principal.session_name or call.principal.name,
        "Resources": [
            {"ResourceType": kind, "ResourceName": name} for kind, name in _resources(call.params)
        ],
        "CloudTrailEvent": json.dumps(_record(ground, call, call.principal, source, account)),
    }


def _record(
    ground: Ground, call: Call, principal: Principal, source: str, account: str
) -> dict[str, Any]:
    record = {
        "eventVersion": "1.10",
        "userIdentity": _identity(ground, call, principal),
        "eventTime": call.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": source,
        "eventName": call.operation,
        "awsRegion": call.region,
        "sourceIPAddress": call.source_ip,
        "userAgent": call.user_agent,
        "requestParameters": _tagging(call) or _lower(_open(call)) or None,
        "responseElements": _lower(call.elements) or None,
        "requestID": call.request_id,
        "eventID": call.request_id,
        "readOnly": is_read(call.operation),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    if call.error:
        record["errorCode"] = f"Client.{call.error}" if call.service == "ec2" else call.error
    return record


def _identity(ground: Ground, call: Call, principal: Principal) -> dict[str, Any]:
    identity: dict[str, Any] = {
        "type": TYPES.get(principal.kind, "AssumedRole"),
        "principalId": principal.user_id,
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": call.access_key,
    }
    if principal.kind == "user":
        identity["userName"] = principal.name
    if principal.issued_at is not None:
        identity["sessionContext"] = {
            **_issuer(ground, principal),
            "attributes": {
                "creationDate": principal.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "mfaAuthenticated": str(principal.mfa).lower(),
            },
        }
        if principal.instance_arn:
            identity["sessionContext"]["ec2RoleDelivery"] = "2.0"
    return identity


def _issuer(ground: Ground, principal: Principal) -> dict[str, Any]:
    """Whose session it is; a user's own session (GetSessionToken) has no issuer."""
    if principal.kind == "role":
        unique_id, arn = principal.user_id.partition(":")[0], principal_arn(ground, principal)
        issuer = {"type": "Role", "principalId": unique_id, "arn": arn}
    elif principal.kind == "federated":
        users = ground.iam(principal.account).users
        arn = next((u.arn for u in users.values() if u.id == principal.holder_id), "")
        issuer = {"type": "IAMUser", "principalId": principal.holder_id, "arn": arn}
    else:
        return {}
    name = {"accountId": principal.account, "userName": principal.comes_from}
    return {"sessionIssuer": {**issuer, **name}}


def _tagging(call: Call) -> dict[str, Any]:
    """Tags as EC2 has them recorded: sets of items (AWS: CloudTrail log file examples, EC2)."""
    if call.operation not in ("CreateTags", "DeleteTags"):
        return {}
    resources = [{"resourceId": id} for id in call.params.get("Resources", [])]
    tags = [_lower(tag) for tag in call.params.get("Tags", [])]
    return {"resourcesSet": {"items": resources}, "tagSet": {"items": tags}}


def _open(call: Call) -> Mapping[str, Any]:
    """The parameters but for those of a command, which CloudTrail does not tell."""
    if call.operation != "SendCommand":
        return call.params
    return {**call.params, "Parameters": "HIDDEN_DUE_TO_SECURITY_REASONS"}


def _lower(value: Any, name: str = "") -> Any:
    """Parameters with CloudTrail's lower-camel names, secrets taken out, JSON values only."""
    if name in HIDDEN:
        return "<sensitiveDataRemoved>"
    if isinstance(value, dict):
        return {(low := k[:1].lower() + k[1:]): _lower(v, low) for k, v in value.items()}
    if isinstance(value, list):
        return [_lower(inner, name) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | None) else "<bytes>"


def _resources(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    names = {
        "RoleName": "AWS::IAM::Role",
        "RoleArn": "AWS::IAM::Role",
        "UserName": "AWS::IAM::User",
    }
    for key, value in params.items():
        if key in names and isinstance(value, str):
            yield names[key], value
        for text in value if isinstance(value, list) else [value]:
            prefix = text.split("-")[0] if isinstance(text, str) else ""
            if prefix in EC2_TYPES and key.endswith(("Id", "Ids", "Groups", "Resources")):
                kind = EC2_TYPES[prefix].title().replace("-", "")
                yield f"AWS::EC2::{kind}", str(text)
