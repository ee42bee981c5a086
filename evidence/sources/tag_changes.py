"""Who changed an instance's tags since a time, as CloudTrail recorded it.

An attacker may tag a host so that it looks protected, or like another team's.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from evidence.sources.ask import Question, ask
from evidence.sources.cloudtrail_events import CloudTrailEvents, TrailClients
from evidence.sources.item import Item, Missed

CHANGES = {"CreateTags": "set", "DeleteTags": "removed"}


@dataclass(frozen=True, slots=True)
class TagChanges:
    """Events that name the instance, between two aware times; late ones as in CloudTrailEvents."""

    instance_id: str
    start: datetime
    end: datetime
    account: str
    region: str

    name: ClassVar[str] = "tag_changes"
    permissions: ClassVar[tuple[str, ...]] = ("cloudtrail:LookupEvents",)
    AGAIN_AFTER: ClassVar[timedelta] = CloudTrailEvents.AGAIN_AFTER

    def collect(self, clients: TrailClients) -> Iterator[Item | Missed]:
        """Yield the events, or a miss. EC2 records them in the instance's own region."""
        name = f"cloudtrail.lookup_events.{self.region}.ResourceName.0"
        question = Question(
            name,
            "cloudtrail",
            "lookup_events",
            {
                "LookupAttributes": [
                    {"AttributeKey": "ResourceName", "AttributeValue": self.instance_id}
                ],
                "StartTime": self.start,
                "EndTime": self.end,
            },
        )
        if client := clients.cloudtrails.get(self.region):
            yield from ask(client, question)
        else:
            yield Missed(name, question.call, "NoClientForRegion")

    def indicators(self, item: Item) -> Iterator[dict[str, Any]]:
        """Yield each tag of the instance that was changed: `what`, `by` (an ARN), `at`, `event`."""
        for page in json.loads(item.data)["pages"]:
            for event in page["Events"]:
                record = json.loads(event["CloudTrailEvent"])
                if event["EventName"] in CHANGES and "errorCode" not in record:
                    yield from self._changes(event, record)

    def _changes(
        self, event: Mapping[str, Any], record: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        asked = record["requestParameters"]
        if self.instance_id not in [r["resourceId"] for r in asked["resourcesSet"]["items"]]:
            return
        for tag in asked["tagSet"]["items"]:
            yield {
                "what": f"tag {tag['key']} was {CHANGES[event['EventName']]}",
                "tag": tag["key"],
                "by": record["userIdentity"].get("arn", ""),
                "at": record["eventTime"],
                "event": f"{event['EventId']}/{tag['key']}",
            }
