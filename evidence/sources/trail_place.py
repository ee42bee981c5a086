"""Where a trail's files of one account and region lie in its bucket, day by day. Pure.

CloudTrail User Guide, "Getting and viewing your CloudTrail log files", "CloudTrail digest file
structure": `[prefix/]AWSLogs/[organization/]account/CloudTrail[-Digest]/region/YYYY/MM/DD/`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

# A digest is delivered within the hour after its end, a log file some 5 minutes after its events.
LATE = timedelta(hours=2)
_STAMP = re.compile(r"_(\d{8}T\d{4}(?:\d{2})?Z)_?")


@dataclass(frozen=True, slots=True)
class Place:
    """A trail's bucket, and its folder of an account; `trail` is the trail's name."""

    bucket: str
    folder: str
    trail: str
    region: str

    def days(self, kind: str, start: datetime, end: datetime) -> Iterator[str]:
        """Yield the prefixes of each day between two aware times; `kind` is the folder's name."""
        day = start.astimezone(UTC).date()
        while day <= end.astimezone(UTC).date():
            yield f"{self.folder}/{kind}/{self.region}/{day:%Y/%m/%d}/"
            day += timedelta(days=1)

    def own_digest(self, key: str) -> bool:
        """Return whether a digest's name is this trail's: others may share the bucket."""
        return f"_CloudTrail-Digest_{self.region}_{self.trail}_" in key


def place_of(trail: Mapping[str, Any], account: str, region: str, organization: str) -> Place:
    """Return the place from what GetTrail says; `organization` is for a trail of one."""
    parts = [trail.get("S3KeyPrefix", ""), "AWSLogs", organization, account]
    folder = "/".join(part for part in parts if part)
    return Place(trail["S3BucketName"], folder, trail["Name"], region)


def stamp_of(key: str) -> datetime | None:
    """Return the time in a file's name: a digest's end, or when a log file was begun."""
    found = _STAMP.findall(key.rpartition("/")[2])
    if not found:
        return None
    text = found[-1]
    form = "%Y%m%dT%H%M%SZ" if len(text) == 16 else "%Y%m%dT%H%MZ"
    return datetime.strptime(text, form).replace(tzinfo=UTC)
