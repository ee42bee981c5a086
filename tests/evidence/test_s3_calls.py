"""Which operations of S3 the store of artifacts calls in all that it does, and none besides."""

import io
import random
from datetime import timedelta

import pytest

from evidence.errors import LockerError
from evidence.ingest import from_stream
from evidence.keys import WrapKey
from evidence.leaf import stamp
from tests.evidence.bucket import PART, at, now, refuse, rig, service

__all__ = ["rig", "service"]

# What IAM wants for each (Amazon S3 User Guide, "Required permissions for Amazon S3 API
# operations"): with a version id, GetObject and HeadObject want GetObjectVersion, and locks stand
# in HeadObject's answer only for who may get them.
NEEDS = {
    "GetBucketVersioning": {"GetBucketVersioning"},
    "GetObjectLockConfiguration": {"GetBucketObjectLockConfiguration"},
    "GetPublicAccessBlock": {"GetBucketPublicAccessBlock"},
    "ListObjectVersions": {"ListBucketVersions"},
    "PutObject": {"PutObject", "PutObjectRetention", "PutObjectLegalHold"},
    "CreateMultipartUpload": {"PutObject", "PutObjectRetention", "PutObjectLegalHold"},
    "UploadPart": {"PutObject"},
    "CompleteMultipartUpload": {"PutObject"},
    "AbortMultipartUpload": {"AbortMultipartUpload"},
    "HeadObject": {"GetObjectVersion", "GetObjectRetention", "GetObjectLegalHold"},
    "GetObject": {"GetObjectVersion"},
    "GetObjectAttributes": {"GetObjectVersion", "GetObjectVersionAttributes"},
    "PutObjectRetention": {"PutObjectRetention"},
    "PutObjectLegalHold": {"PutObjectLegalHold"},
}


def test_the_store_calls_these_operations_and_no_others(rig):
    store = rig.store()
    wrap = WrapKey("file:wrap.key", bytes(32))
    large = random.Random(9).randbytes(PART + 1)
    stored = store.put(large)
    store.put_sealed(from_stream(io.BytesIO(b"secret")), wrap)
    store.locking(held=True, until=stamp(now() + timedelta(days=9))).put(large)
    store.locks.set_hold(stored.sha256, False)
    assert store.read(stored.sha256, stored.version) == large
    assert (store.there(stored.sha256), store.over(stored.sha256)) == (True, "")
    rig.spoil, rig.sent = at(2, refuse(503, "SlowDown")), 0
    with pytest.raises(LockerError):
        store.put(large + b"+")
    assert set(rig.calls) == NEEDS.keys()
