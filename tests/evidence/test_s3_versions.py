"""Every version of an object comes into custody, with what S3 claims of it told apart from it."""

import base64
import hashlib
import json
import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from evidence import jws
from evidence.ingest import BLOCK
from evidence.manifest import TYP, Manifest, read_manifest
from evidence.sources.item import Item, Missed
from evidence.sources.object_stream import ATTEMPTS
from evidence.sources.s3_versions import S3Versions
from evidence.verify import verify_bundle
from tests.evidence.chamber import Chamber
from tests.evidence.cloud import ACCOUNT, REGION, client, moto_server
from tests.evidence.cut_off import breaking

BUCKET = "suspect"
PART = 5 << 20  # S3's smallest part but the last


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server() as url:
        s3 = client("s3", url)
        where = {"LocationConstraint": REGION}
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        s3.create_bucket(Bucket="plain", CreateBucketConfiguration=where)
        on = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=on)
        for text in (b"one", b"two", b"three"):
            s3.put_object(Bucket=BUCKET, Key="in/alice.txt", Body=text, ChecksumAlgorithm="SHA256")
        s3.delete_object(Bucket=BUCKET, Key="in/alice.txt")
        s3.put_object(Bucket=BUCKET, Key="out/other", Body=b"not asked for")
        yield url


class Kept:
    """What a source gave, each item deposited as it came, as `keep` does."""

    def __init__(self, chamber: Chamber, endpoint: str, **changes: Any) -> None:
        self.calls: list[str] = []
        s3 = client("s3", endpoint)
        s3.meta.events.register("before-call", lambda model, **_: self.calls.append(model.name))
        fields = {"bucket": BUCKET, "prefix": "in/", "owner": ACCOUNT} | changes
        source = S3Versions(**fields, account=ACCOUNT, region=REGION)
        self.chamber = chamber
        chamber.say("case.open", {})
        self.missed: list[Missed] = []
        self.bodies: dict[str, dict[str, Any]] = {}
        self.items: dict[str, Item] = {}
        for one in source.collect(SimpleNamespace(s3=s3)):
            if isinstance(one, Missed):
                self.missed.append(one)
                continue
            assert one.name not in self.items
            self.items[one.name] = one
            self.bodies[one.name] = chamber.keep(one)

    def manifest(self, name: str) -> Manifest:
        token = self.chamber.locker.read(self.bodies[name]["manifest_sha256"]).decode()
        key = self.chamber.signer
        return read_manifest(jws.verify(token, {key.kid: key.key.public_key()}, TYP))

    def content(self, name: str) -> bytes:
        found = self.manifest(name)
        assert found.encryption is not None
        locker, wrap = self.chamber.locker, self.chamber.wrap
        return locker.open_sensitive(found.stored_sha256, found.encryption, wrap)

    def said(self, name: str) -> dict[str, Any]:
        whole: dict[str, Any] = json.loads(self.items[name].data)
        return whole

    @property
    def outcome(self) -> dict[str, Any]:
        assert list(self.items)[-1] == "s3_versions.outcome"
        return self.said("s3_versions.outcome")

    @property
    def versions(self) -> list[str]:
        return [n for n in self.items if n.startswith("s3.get_object") and "claims" not in n]


def test_each_version_goes_into_the_locker_and_a_bundle_that_verifies(
    chamber: Chamber, endpoint: str
) -> None:
    kept = Kept(chamber, endpoint)
    assert sorted(map(kept.content, kept.versions)) == [b"one", b"three", b"two"]
    assert kept.outcome["state"] == "acquired"
    assert kept.outcome["counts"] == {
        "versions": 3,
        "listed": 3,
        "delete_markers": 1,
        "bytes": len(b"onetwothree"),
    }
    chamber.integrate()
    assert verify_bundle(chamber.export(), chamber.trust).exit_code == 3  # valid, unwitnessed


def test_what_s3_claims_is_kept_beside_and_a_full_checksum_agrees(
    chamber: Chamber, endpoint: str
) -> None:
    kept = Kept(chamber, endpoint)
    for name in kept.versions:
        claims = kept.said(f"{name}.claims")
        content = kept.content(name)
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        assert claims["claims"]["Checksums"] == {"SHA256": digest}
        assert claims["claims"]["compared"] == {"algorithm": "SHA256", "verdict": "agrees"}
        assert claims["claims"]["VersionId"] == claims["asked"]["VersionId"] != "null"
        assert claims["claims"]["ETag"].strip('"') == hashlib.md5(content).hexdigest()
        assert not kept.manifest(name).gaps
        assert kept.manifest(name).source_stable
    # A person's name stands in what can be withheld, not in the names that are in the ledger.
    assert "alice" not in json.dumps(kept.bodies)


def test_every_call_only_reads_and_is_among_the_permissions(
    chamber: Chamber, endpoint: str
) -> None:
    # Service authorization reference, "Actions, resources, and condition keys for Amazon S3".
    needs = {
        "GetBucketVersioning": "s3:GetBucketVersioning",
        "ListObjectVersions": "s3:ListBucketVersions",
        "GetObject": "s3:GetObjectVersion",
    }
    assert {needs[c] for c in Kept(chamber, endpoint).calls} == set(S3Versions.permissions)


def test_a_composite_checksum_is_recorded_and_never_compared(
    chamber: Chamber, endpoint: str
) -> None:
    s3 = client("s3", endpoint)
    data = random.Random(3).randbytes(PART + 17)
    key = {"Bucket": BUCKET, "Key": "parts/large"}
    upload = s3.create_multipart_upload(**key, ChecksumAlgorithm="SHA256")["UploadId"]
    parts = []
    for number, part in enumerate((data[:PART], data[PART:]), 1):
        done = s3.upload_part(
            **key, UploadId=upload, PartNumber=number, Body=part, ChecksumAlgorithm="SHA256"
        )
        parts.append({"PartNumber": number, "ETag": done["ETag"]})
        parts[-1]["ChecksumSHA256"] = done["ChecksumSHA256"]
    s3.complete_multipart_upload(**key, UploadId=upload, MultipartUpload={"Parts": parts})
    kept = Kept(chamber, endpoint, prefix="parts/")
    (name,) = kept.versions
    assert hashlib.sha256(kept.content(name)).digest() == hashlib.sha256(data).digest()
    claims = kept.said(f"{name}.claims")["claims"]
    assert claims["ETag"].endswith('-2"')
    assert claims["compared"]["verdict"] == "not compared"
    assert "composite" in claims["compared"]["why"]
    assert kept.outcome["state"] == "acquired"


def test_an_empty_listing_and_a_bucket_without_versions_are_told(
    chamber: Chamber, endpoint: str
) -> None:
    kept = Kept(chamber, endpoint, bucket="plain", prefix="no/")
    assert kept.outcome["state"] == "acquired"
    assert kept.outcome["counts"]["versions"] == 0
    assert ["never turned on" in why for why in kept.outcome["why"]] == [True, False]
    assert "no version below 'no/'" in kept.outcome["why"][1]


def test_a_bucket_that_is_not_there_is_unsupported_and_missed(
    chamber: Chamber, endpoint: str
) -> None:
    kept = Kept(chamber, endpoint, bucket="nowhere")
    assert kept.outcome["state"] == "unsupported"
    assert [m.error_code for m in kept.missed] == ["NoSuchBucket"] * 2
    assert kept.versions == []


@pytest.mark.parametrize("limit", [{"most": 2}, {"most_bytes": 8}])
def test_a_limit_leaves_versions_out_and_says_so(
    chamber: Chamber, endpoint: str, limit: dict[str, int]
) -> None:
    kept = Kept(chamber, endpoint, **limit)
    assert kept.outcome["state"] == "partial"
    assert kept.outcome["counts"]["left_out"] == 1
    assert len(kept.versions) == 2
    assert "narrow the prefix" in kept.outcome["why"][0]


DATA = random.Random(1).randbytes(3 * BLOCK + 5)


def test_a_connection_that_breaks_is_taken_up_where_it_broke(chamber: Chamber) -> None:
    with breaking(DATA, [BLOCK + 7, 11, len(DATA)]) as (url, asked):
        kept = Kept(chamber, url)
    (name,) = kept.versions
    assert kept.content(name) == DATA
    assert asked[0] == (0, None)
    assert [match for _, match in asked[1:]] == ['"e"'] * (len(asked) - 1)
    assert (kept.manifest(name).gaps, kept.outcome["state"]) == ((), "acquired")


def test_content_that_stops_coming_is_kept_as_far_as_it_came(chamber: Chamber) -> None:
    with breaking(DATA, [2 * BLOCK] + [0] * ATTEMPTS) as (url, asked):
        kept = Kept(chamber, url)
    (name,) = kept.versions
    assert len(asked) == ATTEMPTS
    whole = kept.content(name)
    assert DATA.startswith(whole)
    (gap,) = kept.manifest(name).gaps
    assert (gap.start, gap.start + gap.size) == (len(whole), len(DATA))
    assert kept.outcome["state"] == "partial"
    assert kept.said(f"{name}.claims")["claims"]["read"] == len(whole)


def test_an_object_that_is_replaced_while_it_is_read_is_not_stitched(chamber: Chamber) -> None:
    with breaking(DATA, [2 * BLOCK, len(DATA)], ['"e"', '"new"']) as (url, _):
        kept = Kept(chamber, url)
    (name,) = kept.versions
    manifest = kept.manifest(name)
    assert not manifest.source_stable
    assert [gap.why for gap in manifest.gaps] == ["PreconditionFailed"]


def test_a_rest_that_begins_elsewhere_is_not_stitched(chamber: Chamber) -> None:
    with breaking(DATA, [2 * BLOCK, len(DATA)], ranges=False) as (url, _):
        kept = Kept(chamber, url)
    (name,) = kept.versions
    assert DATA.startswith(kept.content(name))
    assert [gap.why for gap in kept.manifest(name).gaps] == [
        "the rest was given from another place"
    ]
    assert kept.outcome["state"] == "partial"


def test_a_large_version_is_never_held_whole(chamber: Chamber) -> None:
    with breaking(DATA, [len(DATA)]) as (url, _):
        sizes = []
        source = S3Versions(BUCKET, "", ACCOUNT, ACCOUNT, REGION)
        for one in source.collect(SimpleNamespace(s3=client("s3", url))):
            if isinstance(one, Item) and one.stream:
                while block := one.stream.read():
                    sizes.append(len(block))
                assert one.stream.read() == b""
    assert (sum(sizes), max(sizes)) == (len(DATA), BLOCK)
