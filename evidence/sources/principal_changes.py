"""What a principal changed, and whoever it made or became, as CloudTrail recorded it.

An attacker who feels a denial coming makes another way in: a key, a user, a trust, a function. All
of it is to be found and closed, until nothing new comes up.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, ClassVar

from evidence.sources.ask import Question, ask
from evidence.sources.cloudtrail_events import GLOBAL_REGION, CloudTrailEvents, TrailClients
from evidence.sources.following import (
    Actor,
    Event,
    Finding,
    event_of,
    findings,
    followed,
)
from evidence.sources.item import Item, Missed

# LookupEvents takes two requests a second (AWS CloudTrail User Guide, "Quotas"), so an attacker who
# makes thousands of users could hold the sweep up for hours: beyond this it says what it left out.
LIMIT = 200
CALL = "cloudtrail.lookup_events"

Lookup = tuple[str, str]  # attribute, value


@dataclass(frozen=True, slots=True)
class PrincipalChanges:
    """Follow users and keys (ids), roles (ARNs; every session of theirs) and single sessions.

    `sessions` are session ARNs, for a role that others use as well. Asked between two aware times
    in `region`, in us-east-1, where IAM's events are, and in `elsewhere`; what was done in other
    regions (a function, a rule) is not seen. Only events of this account: what a session did in
    another one is recorded there. Late events as in CloudTrailEvents.
    """

    users: tuple[str, ...]
    roles: tuple[str, ...]
    access_key_ids: tuple[str, ...]
    start: datetime
    end: datetime
    account: str
    region: str
    sessions: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()

    name: ClassVar[str] = "principal_changes"
    permissions: ClassVar[tuple[str, ...]] = ("cloudtrail:LookupEvents",)
    AGAIN_AFTER: ClassVar[timedelta] = CloudTrailEvents.AGAIN_AFTER

    def collect(self, clients: TrailClients) -> Iterator[Item | Missed]:
        """Yield an item or a miss for each region and each name, key and role that comes up."""
        events: dict[str, Event] = {}
        done: dict[Lookup, None] = {}
        while todo := [one for one in self._lookups(events.values()) if one not in done]:
            for lookup in todo:
                if len(done) >= LIMIT:
                    yield Missed(f"{CALL}.{len(todo)}", CALL, "TooManyToFollow")
                    return
                done[lookup] = None
                for region in dict.fromkeys((self.region, GLOBAL_REGION, *self.elsewhere)):
                    pages = yield from self._ask(clients, region, lookup, len(done) - 1)
                    events |= {e.id: e for page in pages for e in map(event_of, page["Events"])}

    def findings(self, items: Iterable[Item]) -> tuple[Finding, ...]:
        """Return what was changed, from the items that were kept, in the order it was done."""
        pages = chain.from_iterable(json.loads(item.data)["pages"] for item in items)
        events = [event_of(event) for page in pages for event in page["Events"]]
        return findings(followed(self._start(), events), events)

    def _start(self) -> dict[Actor, datetime]:
        actors: list[Actor] = [("user", name) for name in self.users]
        actors += [("role", arn.rpartition("/")[2]) for arn in self.roles]
        actors += [("key", id) for id in self.access_key_ids]
        actors += [("session", arn) for arn in self.sessions]
        # Events have whole seconds.
        return dict.fromkeys(actors, self.start.replace(microsecond=0))

    def _lookups(self, events: Iterable[Event]) -> Iterator[Lookup]:
        """Yield what to ask for, given what is known: a role's sessions by the role's ARN."""
        known = list(events)
        actors = followed(self._start(), known)
        for kind, value in actors:
            if kind == "key":
                yield ("AccessKeyId", value)
            elif kind in ("user", "console"):
                yield ("Username", value)
            elif kind in ("session", "host"):
                yield ("Username", value.rpartition("/")[2])
        yield from (("ResourceName", arn) for arn in self.roles)
        for event in known:
            # A role that was made or opened; its sessions name it by its ARN.
            if event.name in ("CreateRole", "UpdateAssumeRolePolicy"):
                name = str(event.asked.get("roleName", ""))
                if ("role", name) in actors or ("trust", name) in actors:
                    yield ("ResourceName", self._arn(event, name))

    def _arn(self, event: Event, name: str) -> str:
        made = (event.answered.get("role") or {}).get("arn")
        partition = str(event.identity.get("arn", "arn:aws")).split(":")[1]
        return str(made or f"arn:{partition}:iam::{self.account}:role/{name}")

    def _ask(self, clients: TrailClients, region: str, lookup: Lookup, number: int) -> Any:
        attribute, value = lookup
        # A person's name stands in the item, which can be withheld, not in its name.
        name = f"{CALL}.{region}.{attribute}.{number}"
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
            return (yield from ask(client, question))
        yield Missed(name, question.call, "NoClientForRegion")
        return []


def quiet(found: Iterable[Finding], now: datetime, last_mark: datetime) -> bool:
    """Return whether a sweep may end.

    `last_mark` is when the last thing that was found was closed, or the last deny showed effect.
    Quiet: nothing was done after it, and it is long enough past for CloudTrail to have told of it.
    What `found` holds that is not closed yet must be closed first, which moves the mark.
    """
    if now - last_mark < PrincipalChanges.AGAIN_AFTER:
        return False
    return all(datetime.fromisoformat(one.at) <= last_mark for one in found)
