"""Where a flow log's files lie, from what DescribeFlowLogs says of it. Pure.

Amazon VPC User Guide, "Flow log files": the folders by day, with Hive's names where that is chosen.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any


def place_of(log: Mapping[str, Any]) -> tuple[str, str]:
    """Return bucket and prefix (empty, or ending in a slash) of a flow log that goes to S3."""
    path = str(log["LogDestination"]).partition(":::")[2]
    bucket, _, prefix = path.partition("/")
    prefix = prefix.strip("/")
    return bucket, f"{prefix}/" if prefix else ""


def days(
    log: Mapping[str, Any], account: str, region: str, start: datetime, end: datetime
) -> Iterator[str]:
    """Yield the prefixes of each day between two aware times."""
    prefix = place_of(log)[1]
    hive = log.get("DestinationOptions", {}).get("HiveCompatiblePartitions")
    day = start.astimezone(UTC).date()
    while day <= end.astimezone(UTC).date():
        if hive:
            of = f"aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}"
            yield f"{prefix}AWSLogs/{of}/year={day:%Y}/month={day:%m}/day={day:%d}/"
        else:
            yield f"{prefix}AWSLogs/{account}/vpcflowlogs/{region}/{day:%Y/%m/%d}/"
        day += timedelta(days=1)


def doubts(log: Mapping[str, Any], start: datetime) -> Iterator[str]:
    """Yield what a flow log cannot tell of the time since an aware time."""
    name = log["FlowLogId"]
    if log["CreationTime"] > start:
        yield f"{name} was made at {log['CreationTime'].isoformat()}: before, it recorded nothing"
    if (kind := log.get("TrafficType", "ALL")) != "ALL":
        yield f"{name} records {kind} traffic only"
    if log.get("DeliverLogsStatus") == "FAILED":
        yield f"{name} could not deliver: {log.get('DeliverLogsErrorMessage', 'no reason told')}"
