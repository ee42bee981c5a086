"""CloudTrail's event history, made from the requests that were really received.

AWS: LookupEvents: management events of the last 90 days in this region, newest first, one lookup
attribute at most, pages of up to 50; AWS: Global service events: IAM's are recorded in us-east-1;
AWS: How CloudTrail works: "within an average of about 5 minutes", no promise below 15. moto has
no LookupEvents.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections.trail_record import event
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.calls import Call
    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

GLOBAL_SERVICES = {"iam", "organizations", "route53", "cloudfront"}
HISTORY = timedelta(days=90)
# CloudTrail: Logging data events: object-level calls and messages are not management events.
DATA_EVENTS = {
    "s3": ("GetObject", "PutObject", "DeleteObject", "HeadObject", "CopyObject", "UploadPart"),
    "sqs": ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"),
}
ATTRIBUTES = {
    "EventId": "EventId",
    "EventName": "EventName",
    "ReadOnly": "ReadOnly",
    "Username": "Username",
    "EventSource": "EventSource",
    "AccessKeyId": "AccessKeyId",
}


def lookup(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """LookupEvents."""
    wanted = asked.params.get("LookupAttributes", [])
    if len(wanted) > 1:
        raise AwsError("InvalidLookupAttributesException", "You can only specify one attribute.")
    size = asked.params.get("MaxResults", 50)
    if not 1 <= size <= 50:
        raise AwsError("InvalidMaxResultsException", "MaxResults must be between 1 and 50.")
    start, end = _moment(asked, "StartTime"), _moment(asked, "EndTime")
    if start and end and start > end:
        raise AwsError("InvalidTimeRangeException", "StartTime is after EndTime.")
    events = [
        made
        for call in reversed(ground.calls)
        if _visible(ground, asked, call)
        and (start is None or call.at >= start)
        and (end is None or call.at <= end)
        and _matches(made := event(ground, call, asked.account), wanted)
    ]
    offset = _offset(asked, len(events))
    page: dict[str, Any] = {"Events": events[offset : offset + size]}
    if offset + size < len(events):
        # Counted from the oldest, so that new events do not shift the pages.
        page["NextToken"] = f"from-{len(events) - offset - size}"
    return page


def _visible(ground: Ground, asked: Asked, call: Call) -> bool:
    operation = call.operation.removesuffix("Batch")
    if call.principal is None or operation in DATA_EVENTS.get(call.service, ()):
        return False
    region = "us-east-1" if call.service in GLOBAL_SERVICES else call.region
    accounts = {call.principal.account}
    if call.operation == "AssumeRole" and not call.error:
        # STS: a cross-account AssumeRole is recorded on both sides.
        accounts.add(str(call.params["RoleArn"]).split(":")[4])
    age = ground.now() - call.at
    lag = timedelta(seconds=ground.trail_lag_seconds)
    return asked.account in accounts and region == asked.region and lag <= age <= HISTORY


def _matches(made: Mapping[str, Any], wanted: list[Mapping[str, str]]) -> bool:
    for attribute in wanted:
        key, value = attribute["AttributeKey"], attribute["AttributeValue"]
        if key in ("ResourceName", "ResourceType"):
            if value not in [resource[key] for resource in made["Resources"]]:
                return False
        elif key not in ATTRIBUTES:
            raise AwsError("InvalidLookupAttributesException", f"Unknown attribute {key}.")
        elif made.get(ATTRIBUTES[key]) != value:
            return False
    return True


def _moment(asked: Asked, name: str) -> datetime | None:
    value: datetime | None = asked.params.get(name)
    if value is None:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _offset(asked: Asked, count: int) -> int:
    token = asked.params.get("NextToken")
    if token is None:
        return 0
    left = str(token).removeprefix("from-")
    if not left.isdigit():
        raise AwsError("InvalidNextTokenException", "The token is not valid.")
    return max(0, count - int(left))


CORRECTIONS: Corrections = {("cloudtrail", "LookupEvents"): lookup}
