"""The objects below a prefix of a bucket, in every version that is still there."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from evidence.sources.ask import JSON, Client, Question, as_json, ask, code_of
from evidence.sources.item import Item, Missed
from evidence.sources.object_stream import object_stream
from evidence.sources.outcome import Tally, counted, ended, unsupported
from evidence.sources.paged import Page, paged

OBJECT = "application/octet-stream"


class BucketClients(Protocol):
    """A boto3 S3 client in the account that may read the bucket."""

    @property
    def s3(self) -> Client: ...


@dataclass(frozen=True, slots=True)
class S3Versions:
    """ListObjectVersions, then GetObject of each version, in the order of the listing.

    `owner` is the account the bucket must belong to: bucket names are global, and one that was
    deleted can be another's today. Of a version there are two items: the content (sensitive, for
    nobody knows what it is) and, named `.claims`, what S3 says of it. Reading stops, and says so,
    before the version that would bring it over `most` versions or `most_bytes`.
    """

    bucket: str
    prefix: str
    owner: str
    account: str
    region: str
    most: int = 10_000
    most_bytes: int = 64 << 30

    name: ClassVar[str] = "s3_versions"
    permissions: ClassVar[tuple[str, ...]] = (
        "s3:GetBucketVersioning",
        "s3:GetObjectVersion",
        "s3:ListBucketVersions",
    )

    def collect(self, clients: BucketClients) -> Iterator[Item | Missed]:
        """Yield the bucket's state, the listing page by page, each version, and the outcome."""
        s3, tally = clients.s3, Tally({"versions": 0, "bytes": 0, "delete_markers": 0})
        of_bucket = {"Bucket": self.bucket, "ExpectedBucketOwner": self.owner}
        operation = "get_bucket_versioning"
        asked = Question(f"s3.{operation}", "s3", operation, of_bucket)
        states = yield from counted(ask(s3, asked), tally)
        if not any(page.get("Status") for page in states):
            told = "is not known" if not states else "was never turned on"
            tally.notes.append(f"versioning {told}: what was overwritten or deleted may be gone")
        operation = "list_object_versions"
        below = of_bucket | {"Prefix": self.prefix}
        listing = Question(f"s3.{operation}", "s3", operation, below)
        pages = 0
        for page in paged(s3, listing):
            if isinstance(page, Missed):
                yield tally.miss(page)
                continue
            pages += 1
            yield from page.items
            yield from self._versions(s3, page, tally)
        if not pages:
            why = f"bucket {self.bucket} could not be listed"
            yield unsupported(why, tally).item(self.name)
            return
        if not tally.counts["versions"] and not tally.lacking:
            tally.notes.append(f"the listing has no version below {self.prefix!r}")
        yield ended(tally).item(self.name)

    def _versions(self, s3: Client, page: Page, tally: Tally) -> Iterator[Item | Missed]:
        tally.add("delete_markers", len(page.found.get("DeleteMarkers", [])))
        for version in page.found.get("Versions", []):
            tally.add("listed")
            over = tally.counts["bytes"] + version["Size"] > self.most_bytes
            if over or tally.counts["versions"] >= self.most:
                limit = f"{self.most_bytes} bytes" if over else f"{self.most} versions"
                why = f"left out, for {limit} were reached; narrow the prefix or raise it"
                tally.add("left_out")
                if why not in tally.lacking:
                    tally.lacking.append(why)
                continue
            yield from self._version(s3, version, tally)

    def _version(
        self, s3: Client, version: dict[str, Any], tally: Tally
    ) -> Iterator[Item | Missed]:
        # A key may hold a person's name: it stands in the claims, which can be withheld.
        name = f"s3.get_object.{tally.counts['listed']:08d}"
        asked = {
            "Bucket": self.bucket,
            "Key": version["Key"],
            "VersionId": version["VersionId"],
            "ExpectedBucketOwner": self.owner,
            "ChecksumMode": "ENABLED",
        }
        question = Question(name, "s3", "get_object", asked)
        try:
            stream = object_stream(s3, question)
        except (ClientError, BotoCoreError) as error:
            # InvalidObjectState: archived, to be restored first; InvalidRequest: a customer's key.
            yield tally.miss(Missed(name, question.call, code_of(error)))
            return
        # A null version is replaced in place, and may have been since it was listed.
        stream.changed = stream.response.get("ETag") != version["ETag"]
        yield Item(name, OBJECT, b"", True, question.call, stream)
        claims = {"listed": version, "asked": asked, "claims": stream.claims()}
        yield Item(f"{name}.claims", JSON, as_json(claims), False, question.call)
        tally.add("versions")
        tally.add("bytes", stream.at)
        if stream.gaps:
            tally.add("cut_short")
            tally.lacking.append(f"{name} ends {stream.gaps[0].size} bytes early")
        if claims["claims"]["compared"]["verdict"] == "differs":
            tally.add("differing")
            tally.notes.append(
                f"{name} is not what its {stream.check and stream.check.algorithm} says"
            )
