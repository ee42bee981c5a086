"""A trail's log files as CloudTrail delivered them, with the digests that prove them unaltered."""

import json
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from evidence.errors import SourceError
from evidence.sources.ask import JSON, Client, Question, as_json, ask, code_of
from evidence.sources.inflated import Inflated
from evidence.sources.item import Item, Missed
from evidence.sources.object_stream import object_stream
from evidence.sources.outcome import Tally, counted, ended, unsupported
from evidence.sources.paged import paged
from evidence.sources.touched import Touches
from evidence.sources.trail_digest import (
    MOST,
    Digest,
    Fault,
    Log,
    PublicKey,
    chain_faults,
    read_digest,
    signature_fault,
    uncovered,
)
from evidence.sources.trail_place import LATE, Place, place_of, stamp_of

GZIP = "application/gzip"
GET = "s3.get_object"


class TrailFileClients(Protocol):
    """boto3 clients: CloudTrail in the trail's account and region, S3 for its bucket."""

    @property
    def cloudtrail(self) -> Client: ...
    @property
    def s3(self) -> Client: ...


@dataclass(slots=True)
class _Seen:
    """What was found so far: digests, those that count, faults, and what S3 said of each file."""

    tally: Tally
    readable: list[Digest] = field(default_factory=list)
    digests: list[Digest] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    claims: list[dict[str, Any]] = field(default_factory=list)


def _touched(name: str, touches: Touches, seen: _Seen) -> None:
    """Note the objects that a log file says were touched, each once."""
    known = {fault.object for fault in seen.faults if fault.kind == "object_touched"}
    for one, event in touches.found():
        if one not in known:
            seen.faults.append(Fault("object_touched", one, f"{event}, says {name}"))
    if touches.over:
        seen.tally.notes.append(f"{name} is too large to look for touched objects in")


@dataclass(frozen=True, slots=True)
class TrailFiles:
    """Log files and digests of one trail, account and region between two aware times.

    `trail` is its name or ARN; `account` and `region` are those whose events are wanted, and the
    clients' own. A trail of an organization needs the organization's id, as o-abc. Log files are
    sensitive: requests in them may hold secrets. A file that would bring them over `most_bytes`
    is left out, and that is said. What an altered file was before may still be an
    older version of it: `S3Versions` gets those. `actors` (names, ids, access key ids) are those
    of whom it is told which objects of S3 they wrote or deleted, as far as the trail has it.
    """

    trail: str
    start: datetime
    end: datetime
    account: str
    region: str
    organization: str = ""
    most_bytes: int = 64 << 30
    actors: tuple[str, ...] = ()

    name: ClassVar[str] = "trail_files"
    permissions: ClassVar[tuple[str, ...]] = (
        "cloudtrail:GetTrail",
        "cloudtrail:GetTrailStatus",
        "cloudtrail:ListPublicKeys",
        "s3:GetObject",
        "s3:ListBucket",
    )
    AGAIN_AFTER: ClassVar[timedelta] = LATE

    def collect(self, clients: TrailFileClients) -> Iterator[Item | Missed]:
        """Yield the trail, the keys, digests, log files, what S3 said of them, and the outcome."""
        trails, s3 = clients.cloudtrail, clients.s3
        tally = Tally({"digests": 0, "digests_valid": 0, "logs": 0, "logs_proven": 0, "bytes": 0})
        seen = _Seen(tally)
        found = yield from self._trail(trails, tally)
        if isinstance(found, str):
            yield unsupported(found, tally).item(self.name)
            return
        keys = yield from self._keys(trails, tally)
        yield from self._digests(s3, found, keys, seen)
        seen.faults += chain_faults(seen.readable)
        seen.faults += uncovered(seen.digests, self.start, self.end)
        yield from self._logs(s3, found, seen)
        told = as_json(seen.claims)
        yield Item(f"{self.name}.claims", JSON, told, False, GET)
        if not tally.counts["logs"]:
            tally.notes.append("no digest names a log file, and none else was found")
        # Time that no digest covers yet is lacking; the rest is about what was acquired.
        tally.lacking += [f.why for f in seen.faults if f.kind == "time_uncovered"]
        yield ended(tally, [fault.json() for fault in seen.faults]).item(self.name)

    def findings(self, items: Iterable[Item]) -> list[Fault]:
        """Return what is wrong with the files: altered, missing, unsigned, uncovered."""
        last = [one for one in items if one.name == f"{self.name}.outcome"]
        return [Fault(**found) for one in last for found in json.loads(one.data)["findings"]]

    def _trail(self, trails: Client, tally: Tally) -> Generator[Item | Missed, None, Place | str]:
        states = []
        for operation in ("get_trail", "get_trail_status"):
            asked = {"Name": self.trail}
            question = Question(f"cloudtrail.{operation}", "cloudtrail", operation, asked)
            pages = yield from counted(ask(trails, question), tally)
            states.append(pages[0] if pages else {})
        known = states[0].get("Trail")
        if not known:
            return f"trail {self.trail} is not known in {self.account}/{self.region}"
        if known.get("IsOrganizationTrail") and not self.organization:
            return f"trail {self.trail} is an organization's; give the organization's id"
        if not known.get("LogFileValidationEnabled"):
            tally.notes.append("the trail's log file validation is off now")
        if states[1] and not states[1].get("IsLogging"):
            tally.notes.append("the trail is not logging now")
        return place_of(known, self.account, self.region, self.organization)

    def _keys(
        self, trails: Client, tally: Tally
    ) -> Generator[Item | Missed, None, list[PublicKey]]:
        operation = "list_public_keys"
        asked = {"StartTime": self.start - LATE, "EndTime": self.end + LATE}
        question = Question(f"cloudtrail.{operation}", "cloudtrail", operation, asked)
        pages = yield from counted(ask(trails, question), tally)
        return [
            PublicKey(
                key["Fingerprint"],
                key["Value"],
                key["ValidityStartTime"],
                key["ValidityEndTime"],
            )
            for page in pages
            for key in page["PublicKeyList"]
        ]

    def _digests(
        self, s3: Client, place: Place, keys: list[PublicKey], seen: _Seen
    ) -> Iterator[Item | Missed]:
        listed = yield from self._listed(s3, place, "CloudTrail-Digest", seen.tally)
        # One that ends after the window still covers its last hour.
        near = [key for key, at in listed.items() if self.start <= at <= self.end + LATE]
        wanted = [key for key in near if place.own_digest(key)]
        for number, key in enumerate(sorted(wanted, key=lambda k: (listed[k], k))):
            name = f"{GET}.digest.{number:06d}"
            question = Question(name, "s3", "get_object", {"Bucket": place.bucket, "Key": key})
            try:
                stream = object_stream(s3, question)
            except (ClientError, BotoCoreError) as error:
                yield seen.tally.miss(Missed(name, question.call, code_of(error)))
                continue
            small = stream.size <= MOST
            body = b"".join(iter(stream.read, b"")) if small else b""
            yield Item(name, GZIP, body, False, question.call, None if small else stream)
            seen.tally.add("digests")
            if stream.gaps:
                seen.tally.lacking.append(f"{name} ends {stream.gaps[0].size} bytes early")
            claims = {"item": name, "asked": question.parameters, "claims": stream.claims()}
            seen.claims.append(claims)
            at = f"{place.bucket}/{key}"
            try:
                digest = read_digest(at, body, stream.response.get("Metadata", {}))
            except SourceError as error:
                seen.faults.append(Fault("digest_unreadable", at, str(error)))
                continue
            seen.readable.append(digest)
            if fault := signature_fault(digest, keys):
                seen.faults.append(fault)
            else:
                seen.tally.add("digests_valid")
                seen.digests.append(digest)

    def _logs(self, s3: Client, place: Place, seen: _Seen) -> Iterator[Item | Missed]:
        listed = yield from self._listed(s3, place, "CloudTrail", seen.tally)
        named = {log.object: log for digest in seen.digests for log in digest.logs}
        proven_to = max((d.end for d in seen.digests if not d.backfill), default=self.start)
        for key, at in listed.items():
            place_of_log = f"{place.bucket}/{key}"
            if place_of_log not in named and self.start <= at <= self.end:
                named[place_of_log] = Log(place_of_log, "")
                if at + timedelta(minutes=30) < proven_to:
                    why = "no valid digest of this trail names it"
                    seen.faults.append(Fault("log_unlisted", place_of_log, why))
        for number, log in enumerate(named.values()):
            yield from self._log(s3, f"{GET}.log.{number:08d}", log, seen)
        if loose := seen.tally.counts["logs"] - seen.tally.counts["logs_proven"]:
            seen.tally.notes.append(f"{loose} log files are not proven by a digest")

    def _log(self, s3: Client, name: str, log: Log, seen: _Seen) -> Iterator[Item | Missed]:
        bucket, _, key = log.object.partition("/")
        question = Question(name, "s3", "get_object", {"Bucket": bucket, "Key": key})
        try:
            stream = object_stream(s3, question)
        except (ClientError, BotoCoreError) as error:
            code = code_of(error)
            if code in ("NoSuchKey", "NoSuchBucket", "404"):
                seen.faults.append(
                    Fault("log_missing", log.object, "a digest names it; it is gone")
                )
            yield seen.tally.miss(Missed(name, question.call, code))
            return
        seen.tally.add("bytes", stream.size)
        if seen.tally.counts["bytes"] > self.most_bytes:
            stream.response["Body"].close()
            seen.tally.add("bytes", -stream.size)
            yield seen.tally.miss(Missed(name, question.call, f"over {self.most_bytes} bytes"))
            return
        touches = Touches(frozenset(self.actors))
        inflated = Inflated(stream, touches.take)
        yield Item(name, GZIP, b"", True, question.call, inflated)
        seen.tally.add("logs")
        _touched(name, touches, seen)
        claims = {"item": name, "asked": question.parameters, "claims": stream.claims()}
        found = inflated.sha256()
        seen.claims.append(claims | {"content_sha256": found, "digest_says": log.sha256})
        if stream.gaps:
            seen.tally.lacking.append(f"{name} ends {stream.gaps[0].size} bytes early")
        elif log.sha256 and found != log.sha256:
            content = f"has SHA-256 {found}" if found else "is no gzip file"
            why = f"its content {content}, its digest says {log.sha256}"
            seen.faults.append(Fault("log_altered", log.object, why))
        elif log.sha256:
            seen.tally.add("logs_proven")

    def _listed(
        self, s3: Client, place: Place, kind: str, tally: Tally
    ) -> Generator[Item | Missed, None, dict[str, datetime]]:
        """Yield the listings of the days; return the keys with the times in their names."""
        found: dict[str, datetime] = {}
        for prefix in place.days(kind, self.start, self.end + LATE):
            operation, day = "list_objects_v2", "".join(prefix.split("/")[-4:-1])
            asked = {"Bucket": place.bucket, "Prefix": prefix}
            question = Question(f"s3.{operation}.{kind}.{day}", "s3", operation, asked)
            for page in paged(s3, question):
                if isinstance(page, Missed):
                    yield tally.miss(page)
                    continue
                yield from page.items
                keys = [one["Key"] for one in page.found.get("Contents", [])]
                found |= {key: at for key in keys if (at := stamp_of(key))}
        return found
