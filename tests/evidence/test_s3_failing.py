"""An S3 that fails, lies or loses power: nothing is sealed on its word, and a retry goes on."""

import base64
import hashlib
import io
import os
import random

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from evidence import ledger
from evidence.custody import fixity
from evidence.custody.record import view
from evidence.deposit import KIND, Acquisition, Custody, deposit
from evidence.errors import LockerError, StoreRefusedError
from evidence.keys import WrapKey
from evidence.s3_stage import Stage
from tests import sample
from tests.evidence.bucket import PART, Crash, at, crash, die, refuse, rig, service
from tests.evidence.chamber import CASE, describe

__all__ = ["rig", "service"]

WRAP = WrapKey("file:wrap.key", bytes(range(32)))
WHOLE, PARTS = b"content", random.Random(3).randbytes(2 * PART + 9)


def lost(number, operation):
    raise ReadTimeoutError(endpoint_url="http://127.0.0.1")


def unreached(number, operation):
    raise EndpointConnectionError(endpoint_url="http://127.0.0.1")


def late(number, operation):
    raise ConnectTimeoutError(endpoint_url="http://127.0.0.1")


FAULTS = {
    "slow-down": (refuse(503, "SlowDown"), "SlowDown"),
    "internal": (refuse(500, "InternalError"), "InternalError"),
    "denied": (refuse(403, "AccessDenied"), "AccessDenied"),
    "digest": (refuse(400, "BadDigest"), "BadDigest"),
    "timeout": (lost, "ReadTimeoutError"),
    "connect": (late, "ConnectTimeoutError"),
    "unreached": (unreached, "EndpointConnectionError"),
}
# Requests of one put: three that ask whether the bucket is fit, then those for the object.
ASKED = {"whole": (WHOLE, 7), "in-parts": (PARTS, 14)}


def lying(rig, key):
    """Return the versions that lie under a key."""
    return [version for found, version in rig.objects() if found == key]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("size", ASKED)
def test_whatever_request_fails_the_put_fails_and_a_retry_finds_its_way(rig, size, fault):
    data, most = ASKED[size]
    spoil, code = FAULTS[fault]
    for number in sample.of_the_day(range(most), nth=list(FAULTS).index(fault)):
        rig.spoil, rig.sent = at(number, spoil), 0
        with pytest.raises(StoreRefusedError, match=f"S3 answered {code}") as error:
            rig.store().put(data)
        assert error.value.code == code
        assert "canary" not in str(error.value)
        # What was begun in parts is taken back, unless that request was the one that failed.
        assert rig.unfinished() == []
        rig.spoil = None
        stored = rig.store().put(data)
        assert lying(rig, stored.path) == [stored.version]
        assert rig.store().read(stored.sha256) == data
        data = data + b"+"


def test_a_bucket_that_never_answers_fails_closed(rig):
    rig.spoil = refuse(503, "SlowDown")
    for _ in range(2):
        with pytest.raises(StoreRefusedError):
            rig.store().put(WHOLE)
        with pytest.raises(StoreRefusedError):
            rig.store().open("ab" * 32)
    rig.spoil = None
    assert rig.objects() == []


@pytest.mark.parametrize("size", ASKED)
def test_a_process_that_dies_at_any_request_leaves_what_a_retry_takes_up(rig, size):
    data, most = ASKED[size]
    for number in sample.of_the_day(range(most), many=2):
        rig.spoil, rig.sent = at(number, crash), 0
        with pytest.raises(Crash):
            rig.store().put(data)
        rig.spoil = None
        stored = rig.store().put(data)
        assert lying(rig, stored.path) == [stored.version]
        data = data + b"+"


def test_an_answer_that_was_lost_is_no_second_object(rig):
    """The object is there, its answer is not: the repeated request finds it."""

    def twice(number, operation):
        if operation == "PutObject" and not seen:
            seen.append(operation)
            rig.raw.put_object(**asked)
        return None

    seen = []
    store = rig.store()
    stored = rig.store().put(WHOLE)
    again = b"another content"
    key = hashlib.sha256(again).hexdigest()
    asked = {"Bucket": rig.name, "Key": rig.key(key), "Body": again}
    rig.spoil = twice
    found = store.put(again)
    assert lying(rig, found.path) == [found.version]
    assert store.locks.retained(found.sha256)
    assert stored.path != found.path


def test_parts_that_somebody_else_ended_meanwhile_are_no_second_object(rig):
    """Two hosts upload the same; one of them is told at the end that it is there."""

    def first(number, operation):
        if operation == "CompleteMultipartUpload":
            rig.spoil = None
            rig.raw.put_object(Bucket=rig.name, Key=key, Body=PARTS)

    key = rig.key(hashlib.sha256(PARTS).hexdigest())
    rig.spoil = first
    stored = rig.store().put(PARTS)
    assert lying(rig, key) == [stored.version]
    assert rig.unfinished() == []
    assert rig.store().locks.retained(stored.sha256)


def test_what_lies_there_already_is_not_sent_again_in_parts(rig):
    rig.store().put(PARTS)
    rig.calls.clear()
    rig.store().put(PARTS)
    assert "UploadPart" not in rig.calls


def test_a_conflict_is_tried_again_and_not_for_ever(rig):
    def conflict(number, operation):
        if operation == "PutObject" and len(seen) < 2:
            seen.append(operation)
            return refuse(409, "ConditionalRequestConflict")(number, operation)
        return None

    seen = []
    rig.spoil = conflict
    assert rig.store().put(WHOLE).size == len(WHOLE)
    rig.spoil = refuse(409, "ConditionalRequestConflict")
    store = rig.store()
    store._fit.append(True)
    with pytest.raises(StoreRefusedError, match="ConditionalRequestConflict"):
        store.put(b"other")


@pytest.mark.parametrize("size", ASKED)
def test_bytes_that_alter_between_hash_and_upload_are_not_taken(rig, monkeypatch, size):
    """S3 refuses them (BadDigest); a store that does not is found out by reading back."""
    real = Stage.read

    def spoilt(self, number):
        data = real(self, number)
        return bytes([data[0] ^ 1]) + data[1:]

    monkeypatch.setattr(Stage, "read", spoilt)
    with pytest.raises(LockerError, match=r"BadDigest|is another"):
        rig.store().put(ASKED[size][0])


def lie(rig, operation, change):
    """Change what S3's answers say."""
    rig.s3.meta.events.register(f"after-call.s3.{operation}", lambda parsed, **_: change(parsed))


OTHER = base64.b64encode(bytes(32)).decode()
LIES = {
    "checksum": ("HeadObject", lambda said: said.update(ChecksumSHA256=OTHER), "checksum"),
    "parts-counted": (
        "HeadObject",
        lambda said: said.update(ChecksumSHA256=said["ChecksumSHA256"].partition("-")[0] + "-7"),
        "checksum",
    ),
    "size": ("HeadObject", lambda said: said.update(ContentLength=7), "bytes, not"),
    "part": (
        "GetObjectAttributes",
        lambda said: said.update(ObjectParts={"Parts": [{"Size": 1, "ChecksumSHA256": OTHER}]}),
        "other parts",
    ),
    "unlocked": (
        "HeadObject",
        lambda said: said.pop("ObjectLockRetainUntilDate", None),
        "is not kept until",
    ),
    "open-mode": (
        "HeadObject",
        lambda said: said.update(ObjectLockMode="NONE"),
        "is not kept until",
    ),
    "not-held": (
        "HeadObject",
        lambda said: said.update(ObjectLockLegalHoldStatus="OFF"),
        "is not under legal hold",
    ),
    "gone": ("ListObjectVersions", lambda said: said.update(Versions=[]), "does not list it"),
    "bytes": (
        "GetObject",
        lambda said: said.update(Body=io.BytesIO(b"forged")),
        "is another",
    ),
}


@pytest.mark.parametrize("how", LIES)
def test_an_answer_that_is_not_as_it_should_be_seals_nothing(rig, how):
    operation, change, said = LIES[how]
    lie(rig, operation, change)
    with pytest.raises(LockerError, match=said):
        rig.store().locking(held=True, until=None).put(PARTS)


def test_a_store_without_checksums_is_believed_by_its_bytes_alone(rig):
    lie(rig, "HeadObject", lambda said: said.pop("ChecksumSHA256", None))
    stored = rig.store().put(PARTS)
    read = [name for name in rig.calls if name == "GetObject"]
    assert (stored.size, len(read)) == (len(PARTS), 1)
    lie(rig, "GetObject", lambda said: said.update(Body=io.BytesIO(PARTS[:-1] + b"!")))
    with pytest.raises(LockerError, match="is another"):
        rig.store().put(PARTS)


def test_an_artifact_that_breaks_off_while_it_is_read_is_an_error_of_ours(rig):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise ReadTimeoutError(endpoint_url="http://127.0.0.1")

    stored = rig.store().put(WHOLE)
    lie(rig, "GetObject", lambda said: said.update(Body=Broken()))
    with pytest.raises(LockerError, match="cannot be read to its end: ReadTimeoutError"):
        rig.store().read(stored.sha256)


def custody(chamber, rig):
    return Custody(rig.store(), chamber.signer, chamber.wrap, "0.1.0", chamber.chance.randbytes)


def kept(chamber):
    with chamber.begin() as conn:
        return list(view(conn, CASE).artifacts.values())


@pytest.mark.parametrize("number", sample.each_of_the_day(range(3, 11), many=2))
def test_a_process_killed_while_it_deposits_leaves_nothing_that_is_shown_sealed(
    chamber, rig, number
):
    chamber.say("case.open", {"finding": "x"})
    about = Acquisition("facts", "i-1", chamber_case(chamber), chamber.now, chamber.now)
    child = os.fork()
    if child == 0:
        rig.spoil = at(number, die)
        deposit(custody(chamber, rig), describe(1), about)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    assert list((rig.folder / "staging").glob("*")) == []
    assert kept(chamber) == []
    # Nothing but the entry makes it evidence: what lies in the bucket has no name in the case.
    body = deposit(custody(chamber, rig), describe(1), about)
    chamber.say(KIND, body)
    (artifact,) = kept(chamber)
    assert fixity.check(rig.store(), artifact).found == "intact"
    assert len(lying(rig, rig.key(artifact.stored_sha256))) == 1
    assert len(lying(rig, rig.key(artifact.manifest_sha256))) == 1


def chamber_case(chamber):
    with chamber.begin() as conn:
        return ledger.pseudonym(conn, CASE)


def test_a_check_tells_covered_altered_and_unreadable_apart(chamber, rig):
    chamber.say("case.open", {"finding": "x"})
    about = Acquisition("facts", "i-1", chamber_case(chamber), chamber.now, chamber.now)
    for n in range(3):
        chamber.say(KIND, deposit(custody(chamber, rig), describe(n), about))
    one, two, three = kept(chamber)
    rig.raw.delete_object(Bucket=rig.name, Key=rig.key(one.stored_sha256))
    rig.raw.put_object(Bucket=rig.name, Key=rig.key(two.manifest_sha256), Body=b"forged")
    store = rig.store()
    assert fixity.check(store, one).found == "covered"
    assert "1 delete marker" in fixity.check(store, one).why
    assert fixity.check(store, two).found == "covered"
    assert fixity.check(store, three).found == "intact"
    rig.spoil = refuse(503, "SlowDown")
    assert fixity.check(store, three).found == "unreadable"


def test_a_version_that_another_took_the_place_of_is_not_the_one_of_the_manifest(chamber, rig):
    """As it may be once its retention is over: the same bytes, and yet not what was stored."""
    chamber.say("case.open", {"finding": "x"})
    about = Acquisition("facts", "i-1", chamber_case(chamber), chamber.now, chamber.now)
    chamber.say(KIND, deposit(custody(chamber, rig), describe(1), about))
    (artifact,) = kept(chamber)
    key = rig.key(artifact.stored_sha256)
    where = {"Bucket": rig.name, "Key": key}
    rig.raw.delete_object(**where, VersionId=lying(rig, key)[0], BypassGovernanceRetention=True)
    assert fixity.check(rig.store(), artifact).found == "missing"
    rig.raw.put_object(**where, Body=describe(1).data)
    assert rig.store().read(artifact.stored_sha256) == describe(1).data
    assert fixity.check(rig.store(), artifact).found == "unreadable"
