"""Follows a principal through CloudTrail: what it did, and whoever it made or became. Pure.

The result depends on the events alone, not on their order or on how often one was seen.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from evidence.sources.change_kinds import Kind, kind_of, names_of, plain

# ("user", name), ("role", name), ("key", access key id), ("session", ARN of a role session),
# ("console", user whose password was set), ("host", instance id), ("trust", role that was opened).
Actor = tuple[str, str]
Actors = Mapping[Actor, datetime]  # since when what it does counts

ISSUES = ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot")
TOKENS = (*ISSUES, "GetFederationToken", "GetSessionToken")
_READS = ("BatchGet", "Describe", "Get", "Head", "List", "Lookup")


@dataclass(frozen=True, slots=True)
class Event:
    """One event of CloudTrail, with what is needed of its record."""

    id: str
    at: datetime
    service: str
    name: str
    account: str
    identity: Mapping[str, Any] = field(repr=False)
    asked: Mapping[str, Any] = field(repr=False)
    answered: Mapping[str, Any] = field(repr=False)
    failed: bool
    reads: bool

    @property
    def issuer(self) -> Mapping[str, Any]:
        """Whose session it was done with, if it was."""
        return dict((self.identity.get("sessionContext") or {}).get("sessionIssuer") or {})


@dataclass(frozen=True, slots=True)
class Finding:
    """One change: what kind, on what (`name`, `id`), by whom (an ARN), when (RFC 3339, UTC).

    `what` is the event's name, `event` its id.
    """

    kind: Kind
    name: str
    id: str
    by: str
    at: str
    event: str
    what: str

    def json(self) -> dict[str, str]:
        """Return it as JSON values."""
        return asdict(self)


def event_of(found: Mapping[str, Any]) -> Event:
    """Return an event as LookupEvents gives it."""
    record = json.loads(found["CloudTrailEvent"])
    name = plain(record["eventName"])
    at = datetime.fromisoformat(record["eventTime"]).astimezone(UTC)
    told = record.get("readOnly")
    return Event(
        id=found["EventId"],
        at=at,
        service=record["eventSource"].partition(".")[0],
        name=name,
        account=record.get("recipientAccountId", ""),
        identity=record.get("userIdentity") or {},
        asked=record.get("requestParameters") or {},
        answered=record.get("responseElements") or {},
        failed="errorCode" in record,
        reads=name.startswith(_READS) if told is None else str(told).lower() == "true",
    )


def followed(start: Actors, events: Iterable[Event]) -> dict[Actor, datetime]:
    """Return these actors and all that they became, each with the earliest time of that."""
    ordered, known = _ordered(events), dict(start)
    while True:
        before = dict(known)
        for event in ordered:
            for actor in _opened(event, known):
                known[actor] = min(known.get(actor, event.at), event.at)
        if known == before:
            return known


def findings(actors: Actors, events: Iterable[Event]) -> tuple[Finding, ...]:
    """Return what the actors changed, in the order in which they did."""
    return tuple(
        Finding(
            kind=kind_of(e.service, e.name),
            name=(names := names_of(e.service, e.name, e.asked, e.answered))[0] or _self(e),
            id=names[1],
            by=str(e.identity.get("arn") or e.identity.get("principalId") or ""),
            at=e.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            event=e.id,
            what=e.name,
        )
        for e in _ordered(events)
        if _changes(e) and (is_by(e, actors) or _by_the_door(e, actors))
    )


def is_by(event: Event, actors: Actors) -> bool:
    """Return whether one of these actors did it."""
    return any(actor in actors and actors[actor] <= event.at for actor in _who(event))


def _who(event: Event) -> Iterator[Actor]:
    """Yield every actor that the one who did this may be known as."""
    who = event.identity
    key = str(who.get("accessKeyId", ""))
    if key:
        yield ("key", key)
    if who.get("accountId") != event.account:
        return
    name = str(who.get("userName", ""))
    if who.get("type") == "IAMUser":
        yield ("user", name)
        if key.startswith("ASIA"):
            yield ("console", name)
    elif who.get("type") == "AssumedRole":
        arn = str(who.get("arn", ""))
        yield ("session", arn)
        yield ("host", arn.rpartition("/")[2])
        yield ("role", str(event.issuer.get("userName", "")))
    elif who.get("type") == "FederatedUser":
        yield ("user", str(event.issuer.get("userName", "")))


def _opened(event: Event, known: Actors) -> Iterator[Actor]:
    """Yield whom this event lets somebody act as, if it is by one of those known."""
    if event.failed:
        return
    mine = is_by(event, known)
    if event.service == "sts" and event.name in TOKENS:
        if mine or _into(event, "role", known) or _by_the_door(event, known):
            yield from _session(event)
    elif mine:
        yield from _made(event, known)


def _into(event: Event, kind: str, known: Actors) -> bool:
    """Return whether it begins a session of a role that is known as this kind."""
    door = (kind, str(event.asked.get("roleArn", "")).rpartition("/")[2])
    return event.name in ISSUES and door in known and known[door] <= event.at


def _by_the_door(event: Event, known: Actors) -> bool:
    """Return whether somebody from outside came in by a trust that one of those known edited."""
    who = event.identity
    outside = who.get("accountId") != event.account and who.get("type") != "AWSService"
    return event.service == "sts" and outside and _into(event, "trust", known)


def _session(event: Event) -> Iterator[Actor]:
    if key := (event.answered.get("credentials") or {}).get("accessKeyId"):
        yield ("key", str(key))
    elif arn := (event.answered.get("assumedRoleUser") or {}).get("arn"):
        yield ("session", str(arn))


def _made(event: Event, known: Actors) -> Iterator[Actor]:
    asked, answered = event.asked, event.answered
    if event.service == "iam":
        yield from _credential(event, known)
    elif event.service == "lambda" and event.name.startswith(("Create", "Update")):
        role = str(answered.get("role") or asked.get("role") or "")
        name = str(answered.get("functionName") or asked.get("functionName") or "")
        if role.count(":") == 5 and name:
            partition, account = role.split(":")[1], role.split(":")[4]
            short = role.rpartition("/")[2]
            yield ("session", f"arn:{partition}:sts::{account}:assumed-role/{short}/{name}")
    elif event.service == "ec2" and event.name == "RunInstances":
        items = (answered.get("instancesSet") or {}).get("items") or ()
        yield from (("host", str(one["instanceId"])) for one in items if "instanceId" in one)


def _credential(event: Event, known: Actors) -> Iterator[Actor]:
    asked, answered = event.asked, event.answered
    match event.name:
        case "CreateUser":
            yield ("user", str(asked.get("userName", "")))
        case "UpdateUser" if ("user", asked.get("userName")) in known:
            yield ("user", str(asked.get("newUserName") or asked["userName"]))
        case "CreateRole":
            yield ("role", str(asked.get("roleName", "")))
        case "CreateAccessKey" if made := answered.get("accessKey"):
            yield ("key", str(made.get("accessKeyId", "")))
        case "UpdateAccessKey" if asked.get("status") == "Active":
            yield ("key", str(asked.get("accessKeyId", "")))
        case "CreateLoginProfile" | "UpdateLoginProfile":
            yield ("console", str(asked.get("userName") or _self(event)))
        case "UpdateAssumeRolePolicy":
            yield ("trust", str(asked.get("roleName", "")))


def _changes(event: Event) -> bool:
    if event.failed:
        return False
    return not event.reads or (event.service == "sts" and event.name in TOKENS)


def _self(event: Event) -> str:
    return str(event.identity.get("userName", ""))


def _ordered(events: Iterable[Event]) -> list[Event]:
    once = {event.id: event for event in events}
    return sorted(once.values(), key=lambda event: (event.at, event.id))
