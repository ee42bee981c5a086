"""What only a store that does as AWS does can show: LocalStack, where it is running.

moto takes a wrong checksum, shortens a COMPLIANCE retention and cannot be asked for one.
"""

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from evidence.errors import StoreRefusedError
from evidence.leaf import stamp
from evidence.s3_locks import COMPLIANCE
from evidence.s3_stage import Stage
from evidence.s3_upload import composite
from tests.evidence.bucket import PART, Rig, Service, now, oracle, rig

__all__ = ["rig"]

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def service() -> Service:
    return oracle()


@pytest.fixture
def strict(rig: Rig) -> Rig:
    """A store as production has it. Its objects stay until LocalStack is stopped."""
    return replace(rig, terms=replace(rig.terms, mode=COMPLIANCE))


def code(refused):
    return refused.value.response["Error"]["Code"]


@pytest.mark.parametrize("size", [7, PART + 7], ids=["whole", "in-parts"])
def test_bytes_unlike_their_checksum_are_refused_by_the_store(rig, monkeypatch, size):
    real = Stage.read
    monkeypatch.setattr(Stage, "read", lambda *a: b"!" + real(*a)[1:])
    with pytest.raises(StoreRefusedError) as refused:
        rig.store().put(bytes(size))
    assert refused.value.code == "BadDigest"
    assert rig.objects() == rig.unfinished() == []


@pytest.mark.parametrize("size", [7, PART + 7], ids=["whole", "in-parts"])
def test_a_retention_in_compliance_mode_is_never_cut_short(strict, size):
    store = strict.store()
    stored = store.put(bytes(size))
    where = {"Bucket": strict.name, "Key": stored.path, "VersionId": stored.version}
    kept = strict.raw.get_object_retention(**where)["Retention"]
    assert (kept["Mode"], stamp(kept["RetainUntilDate"])) == (
        COMPLIANCE,
        store.locks.retained(stored.sha256),
    )
    shorter = {"Mode": COMPLIANCE, "RetainUntilDate": now() + timedelta(hours=1)}
    for how in (shorter, {"Mode": "GOVERNANCE", "RetainUntilDate": now() + timedelta(days=9)}):
        with pytest.raises(ClientError) as refused:
            strict.raw.put_object_retention(**where, Retention=how, BypassGovernanceRetention=True)
        assert code(refused) == "AccessDenied"
    with pytest.raises(ClientError) as refused:
        strict.raw.delete_object(**where, BypassGovernanceRetention=True)
    assert code(refused) == "AccessDenied"
    strict.raw.delete_object(Bucket=strict.name, Key=stored.path)
    assert store.read(stored.sha256) == bytes(size)
    later = stamp(now() + timedelta(days=30))
    store.locks.retain(stored.sha256, later)
    assert store.locks.retained(stored.sha256) >= later


def test_what_is_only_governed_is_not_kept_where_compliance_is_wanted(rig, strict):
    stored = rig.store().put(b"content")
    assert rig.store().locks.retained(stored.sha256)
    assert strict.store().locks.retained(stored.sha256) is None


def test_a_legal_hold_alone_keeps_a_version(rig):
    stored = rig.store().locking(held=True, until=None).put(b"content")
    where = {"Bucket": rig.name, "Key": stored.path, "VersionId": stored.version}
    with pytest.raises(ClientError) as refused:
        rig.raw.delete_object(**where, BypassGovernanceRetention=True)
    assert code(refused) == "AccessDenied"
    assert rig.raw.get_object_legal_hold(**where)["LegalHold"]["Status"] == "ON"
    rig.store().locks.set_hold(stored.sha256, False)
    assert rig.raw.get_object_legal_hold(**where)["LegalHold"]["Status"] == "OFF"


def test_the_stores_checksum_of_parts_is_the_composite_of_the_manifest_and_no_other(rig):
    data = bytes(2 * PART + 1)
    stored = rig.store().put(data)
    head = rig.raw.head_object(
        Bucket=rig.name, Key=stored.path, VersionId=stored.version, ChecksumMode="ENABLED"
    )
    assert head["ChecksumSHA256"] == f"{composite(stored.parts)}-3"
    whole = base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert head["ChecksumSHA256"].partition("-")[0] != whole
    for number, part in enumerate(stored.parts, 1):
        answer = rig.raw.get_object(
            Bucket=rig.name, Key=stored.path, VersionId=stored.version, PartNumber=number
        )
        assert hashlib.sha256(answer["Body"].read()).hexdigest() == part.sha256
