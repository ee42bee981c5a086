"""Artifacts in a bucket: put once, as they are, locked from the first moment, read by version."""

import base64
import hashlib
import io
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evidence.chunked import decrypt
from evidence.errors import LockerError
from evidence.ingest import from_stream
from evidence.keys import WrapKey
from evidence.leaf import stamp
from evidence.manifest_values import Part
from evidence.s3_upload import composite
from evidence.sealed import data_key_of
from tests.evidence.bucket import PART, now, rig, service

__all__ = ["rig", "service"]

WRAP = WrapKey("file:wrap.key", bytes(range(32)))
SIZES = {"empty": 0, "small": 5, "one-part": PART, "two-parts": PART + 1, "three": 2 * PART + 7}


def some(size, seed=1):
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_what_is_put_comes_back_under_its_hash_and_locked(rig, size):
    data, before = some(size), now()
    stored = rig.store().put(io.BytesIO(data))
    assert (stored.sha256, stored.size) == (hashlib.sha256(data).hexdigest(), size)
    assert rig.objects() == [(stored.path, stored.version)]
    parts = [data[n : n + PART] for n in range(0, size, PART)] if size > PART else []
    assert stored.parts == tuple(Part(len(p), hashlib.sha256(p).hexdigest()) for p in parts)
    assert rig.store().read(stored.sha256) == data
    assert rig.store().read(stored.sha256, stored.version) == data
    head = rig.head(stored.sha256, stored.version)
    if not stored.parts:
        # Locked by the very request that put it; moto forgets that of an object in parts.
        assert "PutObjectRetention" not in rig.calls
    assert head["ObjectLockMode"] == "GOVERNANCE"
    assert head["ObjectLockRetainUntilDate"] >= before + timedelta(days=1)
    assert head.get("ObjectLockLegalHoldStatus", "OFF") == "OFF"
    assert head["ServerSideEncryption"] == "AES256"
    assert list((rig.folder / "staging").iterdir()) == []


@pytest.mark.parametrize("size", [5, PART + 1], ids=["whole", "in-parts"])
def test_the_same_content_is_put_once_and_its_locks_only_grow(rig, size):
    data = some(size)
    first = rig.store().put(data)
    until = stamp(datetime(2099, 1, 1, 0, 0, 0, 1, tzinfo=UTC))
    assert rig.store().locking(held=True, until=until).put(data) == first
    locks = rig.store().locks
    assert (locks.hold(first.sha256), locks.retained(first.sha256)) == (
        True,
        "2099-01-01T00:00:01.000000Z",
    )
    assert rig.store().put(data) == first
    locks.retain(first.sha256, stamp(now()))
    assert (locks.hold(first.sha256), locks.retained(first.sha256)) == (
        True,
        "2099-01-01T00:00:01.000000Z",
    )
    assert rig.objects() == [(first.path, first.version)]
    assert rig.unfinished() == []


def test_what_is_put_under_a_hold_is_held_from_the_first_request(rig):
    stored = rig.store().locking(held=True, until=None).put(b"held")
    assert rig.store().locks.hold(stored.sha256)
    assert "PutObjectLegalHold" not in rig.calls
    rig.store().locks.set_hold(stored.sha256, False)
    assert not rig.store().locks.hold(stored.sha256)


def test_a_sealed_artifact_lies_encrypted_and_its_keys_are_not_in_the_bucket(rig):
    secret = b"TOKEN=hunter2" * 1000
    store = rig.store()
    sealed, found = store.put_sealed(from_stream(io.BytesIO(secret)), WRAP)
    assert found.plain_sha256 == hashlib.sha256(secret).hexdigest()
    ((key, version),) = rig.objects()
    lies = rig.raw.get_object(Bucket=rig.name, Key=key, VersionId=version)["Body"].read()
    assert b"hunter2" not in lies
    assert hashlib.sha256(lies).hexdigest() == sealed.stored.sha256
    erasable = store.keys.get(sealed.stored.sha256)
    assert erasable not in lies
    assert store.keys.root.is_relative_to(rig.folder)
    key = data_key_of(sealed.encryption, WRAP, lambda: erasable)
    with store.open(sealed.stored.sha256, sealed.stored.version) as file:
        assert b"".join(decrypt(file, key)) == secret


@pytest.mark.parametrize("size", [4, PART + 4], ids=["whole", "in-parts"])
def test_another_content_under_the_name_is_never_taken_for_the_artifact(rig, size):
    data = some(size)
    sha256 = hashlib.sha256(data).hexdigest()
    rig.raw.put_object(Bucket=rig.name, Key=rig.key(sha256), Body=data[:-1] + b"!")
    with pytest.raises(LockerError, match="is another"):
        rig.store().put(data)
    with pytest.raises(LockerError, match="is altered"):
        rig.store().read(sha256)


@pytest.mark.parametrize("how", ["marker", "version"])
def test_what_is_laid_over_an_artifact_is_noticed_and_never_read(rig, how):
    stored = rig.store().put(b"content")
    if how == "marker":
        rig.raw.delete_object(Bucket=rig.name, Key=stored.path)
    else:
        rig.raw.put_object(Bucket=rig.name, Key=stored.path, Body=b"forged!")
    store = rig.store()
    assert store.read(stored.sha256) == store.read(stored.sha256, stored.version) == b"content"
    assert store.over(stored.sha256) == (
        "1 delete marker" if how == "marker" else "1 later version"
    )
    # S3 takes it where a marker lies on top; the artifact is the version below.
    again = store.put(b"content")
    assert again.version == stored.version
    assert store.over(stored.sha256)


def test_s3_encrypts_under_the_key_that_the_terms_name(rig):
    key = "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"
    rig.terms = replace(rig.terms, kms_key=key)
    for data in (b"content", some(PART + 1)):
        stored = rig.store().put(data)
        head = rig.head(stored.sha256, stored.version)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_what_is_gone_is_missing(rig):
    with pytest.raises(LockerError, match="is not in bucket"):
        rig.store().open("ab" * 32)
    assert not rig.store().there("ab" * 32)
    for reach in (rig.store().open, rig.store().read, rig.store().there):
        with pytest.raises(LockerError, match="no artifact name"):
            reach("../etc/passwd")


def test_artifacts_whose_names_begin_alike_are_not_confused(rig):
    stored = rig.store().put(b"content")
    rig.raw.put_object(Bucket=rig.name, Key=stored.path + "x", Body=b"other")
    assert rig.store().over(stored.sha256) == ""


UNFIT = {
    "no-lock": ({"lock": False}, "does not keep versions; Object Lock is off"),
    "open": ({"closed": False}, "public access is not blocked"),
}


@pytest.mark.parametrize("why", UNFIT)
def test_a_bucket_that_is_not_fit_is_refused_and_nothing_put_there(service, rig, why):
    how, said = UNFIT[why]
    other = replace(rig, name=service.bucket(**how))
    for refused in (other.store().refuse_unfit, lambda: other.store().put(b"content")):
        with pytest.raises(LockerError, match=said) as error:
            refused()
        assert "docs/operations/storage.md" in str(error.value)
    assert other.objects() == []


def test_a_source_that_breaks_off_leaves_nothing(rig):
    def broken():
        raise OSError("the source broke off")

    with pytest.raises(OSError, match="broke off"):
        rig.store().put(broken)
    with pytest.raises(OSError, match="broke off"):
        rig.store().put_sealed(broken, WRAP)
    assert rig.objects() == []
    assert list((rig.folder / "staging").iterdir()) == []


def test_an_artifact_of_too_many_parts_is_refused_while_it_is_taken_in(rig, monkeypatch):
    monkeypatch.setattr("evidence.s3_stage.MOST_PARTS", 2)
    with pytest.raises(LockerError, match="larger than 2 parts"):
        rig.store().put(some(2 * PART + 1))
    assert rig.objects() == []
    assert rig.store().put(some(2 * PART)).size == 2 * PART


def test_the_stores_checksum_of_parts_is_over_their_digests_not_over_the_bytes():
    parts = [b"a" * PART, b"b"]
    listed = [Part(len(p), hashlib.sha256(p).hexdigest()) for p in parts]
    over = hashlib.sha256(b"".join(hashlib.sha256(p).digest() for p in parts)).digest()
    assert composite(listed) == base64.b64encode(over).decode()


def test_every_request_names_the_account_that_the_bucket_must_belong_to(rig):
    """Neither moto nor LocalStack compares it; AWS refuses another account's bucket."""
    owners = []

    def look(request, **_):
        owners.append(request.headers["x-amz-expected-bucket-owner"])

    rig.s3.meta.events.register("before-send", look)
    store = rig.store()
    stored = store.put(some(PART + 1))
    store.put(b"content")
    store.locks.set_hold(stored.sha256, True)
    store.locks.retain(stored.sha256, stamp(now() + timedelta(days=9)))
    store.read(stored.sha256)
    assert set(owners) == {rig.service.account.encode()}
    assert len(owners) == len(rig.calls)
