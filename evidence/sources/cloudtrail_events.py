"""What was done with someone's access keys and names, as CloudTrail recorded it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from evidence.sources.ask import Client, Question, ask
from evidence.sources.item import Item, Missed

# Global services (IAM, STS, CloudFront) record here ("CloudTrail concepts", global service events).
GLOBAL_REGION = "us-east-1"


class TrailClients(Protocol):
    """boto3 CloudTrail clients of one account, by region."""

    @property
    def cloudtrails(self) -> Mapping[str, Client]: ...


@dataclass(frozen=True, slots=True)
class CloudTrailEvents:
    """Events by access key id and by user name between two aware times.

    Asked in the home region and in us-east-1. Events arrive minutes late ("CloudTrail log
    file delivery"; on average 5, sometimes more), so collect at once and again after `AGAIN_AFTER`.
    """

    access_key_ids: tuple[str, ...]
    user_names: tuple[str, ...]
    start: datetime
    end: datetime
    account: str
    region: str

    name: ClassVar[str] = "cloudtrail_events"
    permissions: ClassVar[tuple[str, ...]] = ("cloudtrail:LookupEvents",)
    AGAIN_AFTER: ClassVar[timedelta] = timedelta(minutes=20)

    def collect(self, clients: TrailClients) -> Iterator[Item | Missed]:
        """Yield an item or a miss for each region and each key or name."""
        wanted = [("AccessKeyId", key) for key in self.access_key_ids]
        wanted += [("Username", name) for name in self.user_names]
        for region in dict.fromkeys((self.region, GLOBAL_REGION)):
            for number, (attribute, value) in enumerate(wanted):
                # A person's name stands in the item, which can be withheld, not in its name.
                name = f"cloudtrail.lookup_events.{region}.{attribute}.{number}"
                question = Question(
                    name,
                    "cloudtrail",
                    "lookup_events",
                    {
                        "LookupAttributes": [{"AttributeKey": attribute, "AttributeValue": value}],
                        "StartTime": self.start,
                        "EndTime": self.end,
                    },
                )
                if client := clients.cloudtrails.get(region):
                    yield from ask(client, question)
                else:
                    yield Missed(name, question.call, "NoClientForRegion")
