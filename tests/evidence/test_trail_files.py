"""Each way to alter, hide or forge a trail's files is found under its own name."""

import base64
import gzip
import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from evidence import jws
from evidence.errors import SourceError
from evidence.manifest import TYP, read_manifest
from evidence.manifest_values import Gap
from evidence.sources.item import Item, Missed, Stream
from evidence.sources.trail_digest import Fault
from evidence.sources.trail_files import TrailFiles
from evidence.sources.trail_recheck import recheck
from tests.evidence.chamber import Chamber
from tests.evidence.cloud import ACCOUNT, REGION, client, moto_server
from tests.evidence.trail_bucket import HOUR, START, TRAIL, Trail, new_key, service

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return new_key()


@pytest.fixture
def trail(endpoint: str, key: rsa.RSAPrivateKey) -> Trail:
    """Four hours of a trail, over midnight, two log files an hour."""
    s3, bucket = client("s3", endpoint), f"trail-{next(NUMBERS)}"
    where = {"LocationConstraint": REGION}
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
    made = Trail(s3, bucket, key)
    for number in range(4):
        made.hour(number)
    return made


class Found:
    def __init__(
        self,
        trail: Trail,
        chamber: Chamber | None = None,
        most_bytes: int = 1 << 20,
        **changes: Any,
    ) -> None:
        answers = {
            "GetTrail": {"Trail": trail.described()},
            "GetTrailStatus": {"IsLogging": True},
            "ListPublicKeys": {"PublicKeyList": [trail.public()]},
        } | changes
        self.calls: list[str] = []
        self.items: dict[str, Item] = {}
        self.missed: list[Missed] = []
        self.bodies: list[dict[str, Any]] = []
        source = TrailFiles(TRAIL, START, START + 4 * HOUR, ACCOUNT, REGION, most_bytes=most_bytes)
        with service({k: v for k, v in answers.items() if v is not None}) as url:
            clients = SimpleNamespace(cloudtrail=client("cloudtrail", url), s3=trail.s3)
            clients.cloudtrail.meta.events.register("before-call", self.note)
            for one in source.collect(clients):
                if isinstance(one, Missed):
                    self.missed.append(one)
                    continue
                assert one.name not in self.items
                self.items[one.name] = one
                if chamber:
                    self.bodies.append(chamber.keep(one))
                elif one.stream:
                    while one.stream.read():
                        pass
        self.faults = source.findings(self.items.values())
        self.outcome = json.loads(list(self.items.values())[-1].data)
        self.kinds = [fault.kind for fault in self.faults]

    def note(self, model: Any, **_: Any) -> None:
        self.calls.append(model.name)

    def at(self, kind: str) -> list[str]:
        return [f.object for f in self.faults if f.kind == kind]


def rewrite(trail: Trail, key: str, change: Any) -> None:
    """Alter an object's content and put it back under the same metadata."""
    was = trail.s3.get_object(Bucket=trail.bucket, Key=key)
    text = change(gzip.decompress(was["Body"].read()))
    trail.s3.put_object(
        Bucket=trail.bucket, Key=key, Body=gzip.compress(text), Metadata=was["Metadata"]
    )


def test_files_that_nobody_touched_are_all_proven(trail: Trail, chamber: Chamber) -> None:
    chamber.say("case.open", {})
    found = Found(trail, chamber)
    assert found.faults == []
    assert found.outcome["state"] == "acquired"
    assert found.outcome["counts"].pop("bytes") > 8 * 50
    assert found.outcome["counts"] == {
        "digests": 4,
        "digests_valid": 4,
        "logs": 8,
        "logs_proven": 8,
    }
    assert found.missed == []
    assert len(found.bodies) == len(found.items)
    keys = json.loads(found.items["cloudtrail.list_public_keys"].data)["pages"][0]
    assert base64.b64decode(keys["PublicKeyList"][0]["Value"])[:1] == b"\x30"
    logs = [i for n, i in found.items.items() if ".log." in n]
    assert len(logs) == 8
    assert all(item.sensitive for item in logs)


def test_what_lies_hours_after_the_window_is_not_taken(trail: Trail) -> None:
    for number in range(4, 8):
        trail.hour(number)
    found = Found(trail)
    # Two more digests, for what came late; the rest of the day is not asked for.
    assert found.outcome["counts"]["digests"] == 6
    assert found.faults == []


def test_every_call_only_reads_and_is_among_the_permissions(trail: Trail) -> None:
    calls: list[str] = []
    trail.s3.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    found = Found(trail)
    # ListObjectsV2 and GetObject need s3:ListBucket and s3:GetObject.
    needs = {"ListObjectsV2": "s3:ListBucket", "GetObject": "s3:GetObject"}
    made = {f"cloudtrail:{call}" for call in found.calls} | {needs[call] for call in calls}
    assert made == set(TrailFiles.permissions)


def test_an_altered_log_file_is_found(trail: Trail) -> None:
    rewrite(trail, trail.logs[3], lambda t: t.replace(b"RunInstances", b"GetCallerId "))
    found = Found(trail)
    assert found.at("log_altered") == [f"{trail.bucket}/{trail.logs[3]}"]
    assert found.kinds == ["log_altered"]
    assert found.outcome["counts"]["logs_proven"] == 7


def test_a_log_file_that_is_no_gzip_any_more_is_altered_and_kept(trail: Trail) -> None:
    trail.s3.put_object(Bucket=trail.bucket, Key=trail.logs[0], Body=b"not gzip")
    found = Found(trail)
    assert found.kinds == ["log_altered"]
    assert found.outcome["counts"]["logs"] == 8


def test_a_deleted_log_file_is_found(trail: Trail) -> None:
    trail.s3.delete_object(Bucket=trail.bucket, Key=trail.logs[5])
    found = Found(trail)
    assert found.at("log_missing") == [f"{trail.bucket}/{trail.logs[5]}"]
    assert [m.error_code for m in found.missed] == ["NoSuchKey"]
    assert found.outcome["state"] == "partial"


def test_a_log_file_that_no_digest_names_is_found(trail: Trail) -> None:
    trail.log(START + timedelta(minutes=5), 99)
    found = Found(trail)
    assert found.at("log_unlisted") == [f"{trail.bucket}/{trail.logs[-1]}"]


def test_an_altered_digest_fails_by_its_signature_and_by_the_next(trail: Trail) -> None:
    rewrite(trail, trail.digests[1], lambda t: t.replace(b'"awsAccountId"', b'"AWSAccountId"'))
    found = Found(trail)
    at = [f"{trail.bucket}/{trail.digests[1]}"]
    assert found.at("digest_altered") == at
    assert found.at("chain_broken") == at
    # What an altered digest says counts for nothing: its files are unproven, its hour uncovered.
    assert found.outcome["counts"]["logs_proven"] == 6
    assert found.kinds.count("time_uncovered") == 1


def test_a_deleted_digest_is_named_by_the_next(trail: Trail) -> None:
    trail.s3.delete_object(Bucket=trail.bucket, Key=trail.digests[2])
    found = Found(trail)
    assert found.at("digest_missing") == [f"{trail.bucket}/{trail.digests[2]}"]
    assert "time_uncovered" in found.kinds
    assert found.outcome["state"] == "partial"


def test_the_newest_digest_deleted_leaves_time_that_none_covers(trail: Trail) -> None:
    trail.s3.delete_object(Bucket=trail.bucket, Key=trail.digests[3])
    found = Found(trail)
    assert set(found.kinds) == {"time_uncovered"}
    assert found.outcome["state"] == "partial"
    assert "2 log files are not proven" in found.outcome["why"][-1]


def test_a_digest_signed_by_another_key_is_altered(trail: Trail) -> None:
    trail.key = new_key()
    real = Trail(trail.s3, trail.bucket, trail.key).public()
    trail.hour(4)
    found = Found(trail, ListPublicKeys={"PublicKeyList": [real]})
    assert found.kinds.count("digest_altered") == 4


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Fingerprint": "cd" * 16}, "is not among the public keys"),
        ({"ValidityEndTime": (START - HOUR).timestamp()}, "was not valid at its time"),
    ],
)
def test_a_key_that_is_not_there_or_was_not_valid_proves_nothing(
    trail: Trail, change: dict[str, Any], why: str
) -> None:
    found = Found(trail, ListPublicKeys={"PublicKeyList": [trail.public(**change)]})
    assert found.kinds.count("digest_key_unknown") == 4
    assert all(why in f.why for f in found.faults if f.kind == "digest_key_unknown")
    assert found.outcome["counts"]["logs_proven"] == 0


def test_without_public_keys_the_files_are_kept_and_unproven(trail: Trail) -> None:
    found = Found(trail, ListPublicKeys=None)
    assert [m.call for m in found.missed] == ["cloudtrail.list_public_keys"]
    counts = found.outcome["counts"]
    assert (counts["logs"], counts["logs_proven"]) == (8, 0)
    assert found.outcome["state"] == "partial"


def test_a_digest_without_its_signature_is_unsigned(trail: Trail) -> None:
    was = trail.s3.get_object(Bucket=trail.bucket, Key=trail.digests[0])["Body"].read()
    trail.s3.put_object(Bucket=trail.bucket, Key=trail.digests[0], Body=was)
    found = Found(trail)
    assert found.at("digest_unsigned") == [f"{trail.bucket}/{trail.digests[0]}"]


def test_a_digest_copied_to_another_hour_is_misplaced(trail: Trail) -> None:
    source = {"Bucket": trail.bucket, "Key": trail.digests[0]}
    trail.s3.copy_object(Bucket=trail.bucket, Key=trail.digests[1], CopySource=source)
    found = Found(trail)
    assert found.at("digest_misplaced") == [f"{trail.bucket}/{trail.digests[1]}"]
    assert found.at("digest_missing") == [f"{trail.bucket}/{trail.digests[1]}"]


def test_logging_that_was_turned_off_shows_as_a_new_chain_and_a_gap(trail: Trail) -> None:
    for name in (trail.digests[3], *trail.logs[6:]):
        trail.s3.delete_object(Bucket=trail.bucket, Key=name)
    trail.last = None
    begin = START + 3 * HOUR + timedelta(minutes=20)
    trail.digest(begin, START + 4 * HOUR, [trail.log(begin, 1)])
    found = Found(trail)
    assert found.kinds == ["chain_restarted", "time_uncovered"]


def test_a_late_file_is_proven_by_a_backfill_digest_outside_the_chain(trail: Trail) -> None:
    late = trail.log(START + timedelta(minutes=15), 7)
    trail.digest(START, START + HOUR, [late], backfill=START + 3 * HOUR)
    found = Found(trail)
    assert found.faults == []
    assert found.outcome["counts"]["logs_proven"] == 9


def test_a_file_over_the_limit_is_left_out_and_told(trail: Trail) -> None:
    found = Found(trail, most_bytes=300)
    assert {m.error_code for m in found.missed} == {"over 300 bytes"}
    assert found.outcome["counts"]["logs"] == 8 - len(found.missed) > 0
    assert found.outcome["counts"]["bytes"] <= 300
    assert found.outcome["state"] == "partial"


def test_bytes_that_are_no_digest_are_kept_and_told(trail: Trail) -> None:
    trail.s3.put_object(Bucket=trail.bucket, Key=trail.digests[0], Body=b"junk")
    found = Found(trail)
    assert "digest_unreadable" in found.kinds
    assert found.outcome["counts"]["digests"] == 4


def again(found: Found, chamber: Chamber) -> list[Fault]:
    """Check once more what lies in the locker, opened with the wrapping key."""
    kept: dict[str, bytes] = {}
    logs: dict[str, Stream] = {}
    key = chamber.signer
    for body in found.bodies:
        token = chamber.locker.read(body["manifest_sha256"]).decode()
        manifest = read_manifest(jws.verify(token, {key.kid: key.key.public_key()}, TYP))
        if manifest.encryption is None:
            kept[body["name"]] = chamber.locker.read(body["stored_sha256"])
            continue
        sealed = (manifest.stored_sha256, manifest.encryption)
        logs[body["name"]] = Whole(chamber.locker.open_sensitive(*sealed, chamber.wrap))
    return recheck(kept, logs, START, START + 4 * HOUR)


class Whole:
    def __init__(self, data: bytes) -> None:
        self.left = data

    def read(self) -> bytes:
        block, self.left = self.left[:100], self.left[100:]
        return block

    def stable(self) -> bool:
        return True

    def all_gaps(self) -> tuple[Gap, ...]:
        return ()


def test_what_was_kept_leads_to_the_same_faults_without_a_provider(
    trail: Trail, chamber: Chamber
) -> None:
    chamber.say("case.open", {})
    assert again(Found(trail, chamber), chamber) == []
    trail.s3.delete_object(Bucket=trail.bucket, Key=trail.logs[0])
    rewrite(trail, trail.logs[1], lambda t: t + b" ")
    rewrite(trail, trail.digests[2], lambda t: t + b" ")
    found = Found(trail, chamber)
    kinds = {"log_missing", "log_altered", "digest_altered", "chain_broken", "time_uncovered"}
    # The files of the altered digest are named by none that counts.
    assert {fault.kind for fault in found.faults} - {"log_unlisted"} == kinds
    assert [(f.kind, f.object) for f in again(found, chamber)] == [
        (f.kind, f.object) for f in found.faults if f.kind in kinds
    ]
    with pytest.raises(SourceError, match=r"expected cloudtrail\.list_public_keys"):
        recheck({}, {}, START, START + HOUR)


def test_an_unknown_trail_and_an_organizations_are_unsupported(trail: Trail) -> None:
    unknown = Found(trail, GetTrail=None)
    assert unknown.outcome["state"] == "unsupported"
    shared = Found(trail, GetTrail={"Trail": trail.described() | {"IsOrganizationTrail": True}})
    assert "organization's id" in shared.outcome["why"][0]


def test_a_bucket_that_may_not_be_read_is_missed_and_nothing_looks_proven(trail: Trail) -> None:
    found = Found(trail, GetTrail={"Trail": trail.described() | {"S3BucketName": "nowhere"}})
    assert {m.error_code for m in found.missed} == {"NoSuchBucket"}
    assert found.outcome["state"] == "partial"
    assert "time_uncovered" in found.kinds
