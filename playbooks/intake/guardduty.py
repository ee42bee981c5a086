"""Read one GuardDuty finding, in either of AWS's spellings, with or without its envelope."""

import hashlib
import ipaddress
from datetime import UTC, datetime, timedelta
from typing import Final

from playbooks.intake.alert import Alert, severity_id
from playbooks.intake.errors import FieldError
from playbooks.intake.fields import pick, required, shaped
from playbooks.intake.guardduty_resource import read_resource
from playbooks.intake.guardduty_sample import is_sample
from playbooks.intake.identifiers import identifier, key_part
from playbooks.intake.printable import printable
from playbooks.intake.strict_json import Json

_SKEW: Final = timedelta(minutes=5)
_MAX_IPS: Final = 64
_ACTIONS: Final = (
    "networkConnectionAction",
    "awsApiCallAction",
    "kubernetesApiCallAction",
    "rdsLoginAttemptAction",
)


def read_guardduty(document: dict[str, Json], data: bytes, *, received: datetime) -> Alert:
    """Return the finding in `document`, which was read from the bytes `data`.

    `received` is aware. What is odd but understood is listed in `Alert.problems`. Raises
    FieldError when a field that identifies the finding is missing, HostileTextError when one
    is made to be misread.
    """
    problems: list[str] = []
    finding = _finding(document, problems)
    service = shaped(finding, "service", dict)
    severity = _severity(finding)
    finding_type = identifier("finding type", required(finding, "type"), problems)
    account = key_part("account", required(finding, "accountId"), problems)
    region = key_part("region", required(finding, "region"), problems)
    uid = key_part("finding id", required(finding, "id"), problems)
    title = printable("title", shaped(finding, "title", str) or finding_type, limit=4096)
    resource = read_resource(finding, problems)
    remote_ips = _remote_ips(service, problems)
    first_seen, last_seen = _seen(finding, service, received, problems)
    return Alert(
        source="guardduty",
        uid=uid,
        finding_type=finding_type,
        title=title,
        severity=severity,
        severity_id=severity_id(severity),
        account=account,
        region=region,
        partition=_partition(finding, account, region, uid, problems),
        resource=resource,
        first_seen=first_seen,
        last_seen=last_seen,
        received=received,
        count=_count(service),
        sample=is_sample(service, title, resource, remote_ips, problems),
        archived=bool(shaped(service, "archived", bool)),
        resource_role=_word(service, "resourceRole"),
        connection_direction=_word(service, "action.networkConnectionAction.connectionDirection"),
        remote_ips=remote_ips,
        raw_sha256=hashlib.sha256(data).hexdigest(),
        problems=tuple(dict.fromkeys(problems)),
    )


def _finding(document: dict[str, Json], problems: list[str]) -> dict[str, Json]:
    """Take the EventBridge envelope, or the list that GetFindings answers with, off."""
    listed = shaped(document, "findings", list)
    if listed is not None:
        if len(listed) != 1 or not isinstance(listed[0], dict):
            raise FieldError(
                f"The answer lists {len(listed)} findings; one was expected."
                " Send each finding by itself."
            )
        return listed[0]
    detail = shaped(document, "detail", dict)
    if detail is None:
        return document
    # A delegated administrator's envelope names its own account, so it need not be the same;
    # but what AWS could not have sent, AWS did not send.
    envelope = shaped(document, "account", str)
    if envelope is not None:
        identifier("account", envelope, problems)
    return detail


def _severity(finding: Json) -> float:
    number = pick(finding, "severity")
    if isinstance(number, bool) or not isinstance(number, int | float) or not 1 <= number <= 10:
        raise FieldError(
            f"The finding's severity is {ascii(number)[:40]}; a number from 1.0 to 10.0 was"
            " expected. Send the finding as GuardDuty gave it."
        )
    return float(number)


def _count(service: Json) -> int:
    count = shaped(service, "count", int)
    if count is not None and not 1 <= count < 2**53:
        raise FieldError(f"The finding's count is {str(count)[:40]}; 1 or more was expected.")
    return 1 if count is None else count


def _word(service: Json, path: str) -> str | None:
    word = shaped(service, path, str)
    return None if not word else printable(path, word, limit=40).upper()


def _partition(finding: Json, account: str, region: str, uid: str, problems: list[str]) -> str:
    stated = shaped(finding, "partition", str)
    by_region = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
    expected = next((p for r, p in by_region.items() if region.startswith(f"{r}-")), "aws")
    partition = identifier("partition", stated, problems) if stated else expected
    arn = shaped(finding, "arn", str)
    start, end = f"arn:{partition}:guardduty:{region}:{account}:", f"/finding/{uid}"
    if arn is not None and not (arn.startswith(start) and arn.endswith(end)):
        problems.append(f"arn {ascii(arn)[:200]} names another finding than {start}...{end}")
    return partition


def _seen(
    finding: Json, service: Json, received: datetime, problems: list[str]
) -> tuple[datetime, datetime]:
    first = _moment(service, "eventFirstSeen") or _moment(finding, "createdAt")
    last = _moment(service, "eventLastSeen") or _moment(finding, "updatedAt") or first
    if first is None or last is None:
        raise FieldError(
            "The finding has neither service.eventFirstSeen nor createdAt; a time was expected."
            " Send the whole finding as GuardDuty gave it."
        )
    if last < first:
        problems.append("last seen lies before first seen")
    if last > received + _SKEW:
        problems.append("last seen lies in the future")
    return first, last


def _moment(thing: Json, path: str) -> datetime | None:
    text = shaped(thing, path, str)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise FieldError(
            f"The finding's {path} is {ascii(text)[:60]} ({error}); a time such as"
            " 2026-01-31T23:59:59Z was expected. Send the finding as GuardDuty gave it."
        ) from error


def _remote_ips(service: Json, problems: list[str]) -> tuple[str, ...]:
    action = shaped(service, "action", dict)
    peers = [pick(action, f"{name}.remoteIpDetails") for name in _ACTIONS]
    probes = shaped(action, "portProbeAction.portProbeDetails", list) or []
    peers += [pick(probe, "remoteIpDetails") for probe in probes]
    texts = [shaped(peer, at, str) for peer in peers for at in ("ipAddressV4", "ipAddressV6")]
    endpoints = shaped(service, "detection.sequence.endpoints", list) or []
    texts += [shaped(endpoint, "ip", str) for endpoint in endpoints]
    found: dict[str, None] = {}
    for text in filter(None, texts):
        try:
            found[str(ipaddress.ip_address(text))] = None
        except ValueError:
            problems.append(f"remote address {ascii(text)[:60]} is no IP address")
    if len(found) > _MAX_IPS:
        problems.append(f"{len(found)} remote addresses are named; the first {_MAX_IPS} are kept")
    return tuple(found)[:_MAX_IPS]
