"""Findings of our own in GuardDuty's shape: EventBridge's camelCase, respelled on demand."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from playbooks.intake.alert import Alert
from playbooks.intake.read import read_alert

RECEIVED = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
ACCOUNT, REGION, UID = "111122223333", "eu-west-1", "a0c1d2e3f405162738495a6b7c8d9e0f"
Finding = dict[str, Any]

HOST = {
    "instanceId": "i-0a1b2c3d4e5f60718",
    "instanceType": "t3.large",
    "iamInstanceProfile": {
        "arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/web/front",
        "id": "AIPAQQQQWWWWEEEERRRRT",
    },
    "networkInterfaces": [{"networkInterfaceId": "eni-0f", "publicIp": "203.0.113.7"}],
    "tags": [{"key": "team", "value": "shop"}],
}
KEY = {
    "accessKeyId": "AKIAQQQQWWWWEEEERRRR",
    "principalId": "AIDAQQQQWWWWEEEERRRRT",
    "userName": "deploy",
    "userType": "IAMUser",
}
ROLE = {
    "accessKeyId": "ASIAQQQQWWWWEEEERRRR",
    "principalId": "AROAQQQQWWWWEEEERRRRT:i-0a1b2c3d4e5f60718",
    "userName": "front",
    "userType": "AssumedRole",
}
PEER = {"ipAddressV4": "203.0.113.99", "country": {"countryName": "Nowhere"}}
FLOW = {
    "actionType": "NETWORK_CONNECTION",
    "networkConnectionAction": {
        "connectionDirection": "OUTBOUND",
        "protocol": "TCP",
        "remoteIpDetails": PEER,
        "remotePortDetails": {"port": 9001},
    },
}
CALL = {"actionType": "AWS_API_CALL", "awsApiCallAction": {"remoteIpDetails": PEER}}


def finding(finding_type: str, resource: Finding, action: Finding) -> Finding:
    """A real-looking finding of 8.0, seen twice, in camelCase and without its envelope."""
    arn = f"arn:aws:guardduty:{REGION}:{ACCOUNT}:detector/0d/finding/{UID}"
    return {
        "schemaVersion": "2.0",
        "accountId": ACCOUNT,
        "region": REGION,
        "partition": "aws",
        "id": UID,
        "arn": arn,
        "type": finding_type,
        "title": "Something happened.",
        "severity": 8,
        "createdAt": "2026-03-04T10:00:00.000Z",
        "updatedAt": "2026-03-04T11:00:00.000Z",
        "resource": copy.deepcopy(resource),
        "service": {
            "serviceName": "guardduty",
            "action": copy.deepcopy(action),
            "archived": False,
            "count": 2,
            "eventFirstSeen": "2026-03-04T10:00:00.000Z",
            "eventLastSeen": "2026-03-04T11:00:00.000Z",
            "resourceRole": "TARGET",
            "additionalInfo": {"threatListName": "tor", "sample": False},
        },
    }


def tor_client() -> Finding:
    """A host that enters Tor: the one finding here on which Stanch may act by default."""
    where = {"resourceType": "Instance", "instanceDetails": HOST}
    return finding("UnauthorizedAccess:EC2/TorClient", where, FLOW)


def bad_caller() -> Finding:
    """A long-term key used from a bad address."""
    where = {"resourceType": "AccessKey", "accessKeyDetails": KEY}
    return finding("UnauthorizedAccess:IAMUser/MaliciousIPCaller", where, CALL)


def stolen_role() -> Finding:
    """An instance's role used outside AWS."""
    where = {"resourceType": "AccessKey", "accessKeyDetails": ROLE, "instanceDetails": HOST}
    outside = "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"
    return finding(outside, where, CALL)


def read_bucket() -> Finding:
    """A bucket read from a bad address."""
    where = {
        "resourceType": "S3Bucket",
        "s3BucketDetails": [{"name": "shop-orders", "arn": "arn:aws:s3:::shop-orders"}],
        "accessKeyDetails": KEY,
    }
    return finding("Exfiltration:S3/MaliciousIPCaller", where, CALL)


def probed_host() -> Finding:
    """A host with a port that outsiders probe."""
    where = {"resourceType": "Instance", "instanceDetails": HOST}
    probes = {"portProbeDetails": [{"localPortDetails": {"port": 22}, "remoteIpDetails": PEER}]}
    return finding("Recon:EC2/PortProbeUnprotectedPort", where, {"portProbeAction": probes})


def sequence() -> Finding:
    """An attack sequence: no resource block, addresses among its endpoints."""
    found = finding(
        "AttackSequence:EC2/CompromisedInstanceGroup", {"resourceType": "AttackSequence"}, {}
    )
    endpoints = [{"id": "1", "ip": "203.0.113.99"}, {"id": "2", "domain": "example.net"}]
    found["service"]["detection"] = {"sequence": {"uid": "s", "endpoints": endpoints}}
    return found


FINDINGS: tuple[Callable[[], Finding], ...] = (
    tor_client,
    bad_caller,
    stolen_role,
    read_bucket,
    probed_host,
    sequence,
)


def respelled(thing: Any, pascal: Callable[[], bool]) -> Any:
    """`thing` with each name in PascalCase when `pascal` says so for it."""
    if isinstance(thing, list):
        return [respelled(inner, pascal) for inner in thing]
    if not isinstance(thing, dict):
        return thing
    return {
        (name[0].upper() + name[1:] if pascal() else name): respelled(inner, pascal)
        for name, inner in thing.items()
    }


def as_api(found: Finding) -> Finding:
    """`found` as the API gives it: PascalCase, additional information hidden in a text."""
    changed = copy.deepcopy(found)
    info = changed["service"]["additionalInfo"]
    changed["service"]["additionalInfo"] = {"type": "default", "value": json.dumps(info)}
    return respelled(changed, lambda: True)


def enveloped(found: Finding, account: str = ACCOUNT) -> Finding:
    """`found` as EventBridge delivers it."""
    return {
        "version": "0",
        "id": "8f5e6e6a-0000-4000-8000-000000000001",
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": account,
        "time": "2026-03-04T11:00:02Z",
        "region": REGION,
        "resources": [],
        "detail": found,
    }


def read(found: object) -> Alert:
    """The alert that the door makes of `found`."""
    return read_alert(json.dumps(found).encode(), received=RECEIVED)
