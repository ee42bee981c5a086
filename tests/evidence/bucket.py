"""A bucket for artifacts over real HTTP: moto's server, or LocalStack where one is running.

moto takes a wrong checksum and shortens a COMPLIANCE retention; LocalStack refuses both, as AWS
does. What is marked `oracle` is run against it where STANCH_ORACLE names its endpoint.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from evidence.erasable import ErasableKeys
from evidence.s3_bucket import Bucket
from evidence.s3_locks import GOVERNANCE
from evidence.s3_store import S3Store, Terms
from tests.evidence.cloud import ACCOUNT, REGION, moto_server

ORACLE = os.environ.get("STANCH_ORACLE", "")
GET_IT = (
    "needs LocalStack 4.14.0 on Python 3.13, and STANCH_ORACLE=http://127.0.0.1:PORT; how to get "
    "it: docs/operations/storage.md"
)
PART = 5 << 20  # the least that S3 takes for a part that is not the last
CLOSED = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)
# LocalStack's own, where no other account is named.
LOCALSTACK = "000000000000"


@dataclass
class Service:
    """A running S3: its endpoint, and the account that its buckets belong to."""

    endpoint: str
    account: str
    made: int = 0

    def client(self) -> Any:
        return boto3.client(
            "s3",
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="AKIAEXAMPLE" if self.account == ACCOUNT else "test",
            aws_secret_access_key="not-a-secret",
            config=Config(
                retries={"mode": "standard", "total_max_attempts": 1},
                connect_timeout=5,
                read_timeout=30,
                response_checksum_validation="when_required",
            ),
        )

    def bucket(self, *, lock: bool = True, closed: bool = True) -> str:
        """Make a bucket, as docs/operations/storage.md says, or less."""
        self.made += 1
        name = f"evidence-{os.getpid()}-{os.urandom(4).hex()}-{self.made}"
        s3 = self.client()
        place = {"LocationConstraint": REGION}
        s3.create_bucket(
            Bucket=name, ObjectLockEnabledForBucket=lock, CreateBucketConfiguration=place
        )
        if closed:
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=CLOSED)
        else:
            s3.delete_public_access_block(Bucket=name)
        return name


class Crash(BaseException):
    """As it is when the process dies: nothing below catches it."""


@dataclass
class Rig:
    """A store in a bucket of its own; `calls` are the operations that it asked S3 for.

    Where `spoil` is set, it is asked before each request goes out, with the number of the request
    and its operation, and may answer in S3's place, raise, or kill.
    """

    service: Service
    folder: Path
    name: str
    terms: Terms
    calls: list[str] = field(default_factory=list)
    spoil: Callable[[int, str], Any] | None = None
    sent: int = 0

    def __post_init__(self) -> None:
        self.s3 = self.service.client()
        self.s3.meta.events.register("before-call", self._note)
        self.s3.meta.events.register("before-send", self._send)
        # The same bucket as anybody else sees it.
        self.raw = self.service.client()

    @property
    def bucket(self) -> Bucket:
        return Bucket(self.name, "case/", self.service.account, lambda: self.s3)

    def store(self, randomness: Callable[[int], bytes] = os.urandom, **more: Any) -> S3Store:
        terms = self.terms
        keys = ErasableKeys(self.folder / "evidence-keys")
        staging = self.folder / "staging"
        return S3Store(self.bucket, keys, staging, terms, now, randomness, **more)

    def key(self, sha256: str) -> str:
        return self.bucket.key(sha256)

    def objects(self) -> list[tuple[str, str]]:
        """Return key and version id of all that lies in the bucket."""
        found = self.raw.list_object_versions(Bucket=self.name).get("Versions", [])
        return [(one["Key"], one["VersionId"]) for one in found]

    def unfinished(self) -> list[Any]:
        return self.raw.list_multipart_uploads(Bucket=self.name).get("Uploads", [])

    def head(self, sha256: str, version: str) -> Any:
        return self.raw.head_object(Bucket=self.name, Key=self.key(sha256), VersionId=version)

    def _note(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)

    def _send(self, request: Any, event_name: str, **_: Any) -> Any:
        number, self.sent = self.sent, self.sent + 1
        if self.spoil is None:
            return None
        return self.spoil(number, event_name.rpartition(".")[2])


def now() -> datetime:
    return datetime.now(UTC)


def refuse(status: int, code: str) -> Callable[[int, str], Any]:
    """Return a spoiler that answers every request with this error."""
    body = f"<Error><Code>{code}</Code><Message>canary</Message></Error>".encode()
    return lambda number, operation: Answer(status, body)


def at(number: int, spoil: Callable[[int, str], Any]) -> Callable[[int, str], Any]:
    """Return a spoiler of one request alone."""
    return lambda n, operation: spoil(n, operation) if n == number else None


def die(number: int, operation: str) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def crash(number: int, operation: str) -> Any:
    raise Crash


class Answer(AWSResponse):
    """What S3 would have answered, as botocore's transport hands it over."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("http://127.0.0.1", status, {}, None)
        self._content = body


def oracle() -> Service:
    """Return LocalStack where it is running, or skip."""
    if not ORACLE:
        pytest.skip(GET_IT)
    assert urlsplit(ORACLE).hostname in ("127.0.0.1", "localhost", "::1"), "loopback only"
    return Service(ORACLE, LOCALSTACK)


@contextmanager
def running(which: str) -> Iterator[Service]:
    if which == "localstack":
        yield oracle()
        return
    with moto_server() as endpoint:
        yield Service(endpoint, ACCOUNT)


BOTH = ["moto", pytest.param("localstack", marks=pytest.mark.oracle)]


@pytest.fixture(scope="module", params=BOTH)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with running(request.param) as made:
        yield made


@pytest.fixture
def rig(service: Service, tmp_path: Path) -> Rig:
    # GOVERNANCE: what tests leave behind, somebody can clear away.
    terms = Terms(timedelta(days=1), GOVERNANCE, part=PART)
    return Rig(service, tmp_path, service.bucket(), terms)
