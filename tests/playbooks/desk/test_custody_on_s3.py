"""`stanch` with its artifacts in a bucket: kept, held, checked, exported; over HTTP, by command."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from evidence import ledger
from evidence.__main__ import main
from evidence.deposit import KIND, Acquisition, deposit
from evidence.sources.item import Item
from playbooks.case import locking
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.desk.doctor.checks import checks
from playbooks.desk.doctor.finding import Finding
from playbooks.desk.doctor.place import Place
from playbooks.desk.doctor.running import run
from playbooks.wiring import stores
from playbooks.wiring.gated import through
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import load
from tests.evidence.bucket import Service, service
from tests.evidence.cloud import REGION
from tests.evidence.test_s3_calls import NEEDS
from tests.playbooks.desk.console import Ran, stanch

__all__ = ["service"]

CASE = "INC-0001"
PLAIN = Item("ec2.describe", "application/json", b'{"state": "running"}', False, "ec2.describe")
SECRET = Item("ec2.user_data", "text/plain", b"TOKEN=hunter2", True, "ec2.user_data")
TERMS = """
[accounts."{account}"]
regions = ["{region}"]

[storing]
account = "{account}"
region = "{region}"
retention_days = 2
mode = "governance"
"""
ONCE = Config(connect_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})
ALICE, BOB = ("--key", "alice.key"), ("--key", "bob.key")


@pytest.fixture
def bucket(service: Service) -> str:
    return service.bucket()


@pytest.fixture
def parts(
    service: Service, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Parts]:
    monkeypatch.chdir(tmp_path)
    for name in ("STANCH_CONFIG", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "COLUMNS": "250",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE" if service.account != "0" * 12 else "test",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "STANCH_AWS_ENDPOINT": service.endpoint,
    }.items():
        monkeypatch.setenv(name, value)
    assert stanch("init").status == 0
    with (tmp_path / "stanch.toml").open("a") as file:
        file.write(TERMS.format(account=service.account, region=REGION))
        for name in ("alice", "bob"):
            file.write(stanch("person", name, "--key", f"{name}.key").out)
    monkeypatch.setenv("STANCH_STORE", f"s3://{bucket}/prod")
    made = assemble(load())
    yield made
    made.engine.dispose()


def keep(parts: Parts, *items: Item) -> None:
    """Take items into custody as a play does."""
    db, record = Store(parts.engine), Record("stanch", parts.now, parts.random)
    db.commit(lambda conn: record.note(conn, CASE, "case.open", {"finding": "x"}))
    name = db.read(lambda conn: ledger.pseudonym(conn, CASE))
    for item in items:
        custody = locking.custody(parts, db, CASE)
        about = Acquisition("facts", "i-1", name, parts.now(), parts.now())
        body = deposit(custody, item, about)
        db.commit(lambda conn, body=body: record.note(conn, CASE, KIND, body))


def custody(*args: str) -> Ran:
    return stanch("custody", *args)


def shown() -> list[dict[str, Any]]:
    return custody("show", CASE, "--json").json["artifacts"]  # type: ignore[no-any-return]


def heads(service: Service, bucket: str, *names: str) -> list[dict[str, Any]]:
    """Return what S3 says of the objects of these artifacts and of their manifests."""
    digests = [
        one[member]
        for one in shown()
        if not names or one["name"] in names
        for member in ("stored_sha256", "manifest_sha256")
    ]
    s3 = service.client()
    return [s3.head_object(Bucket=bucket, Key=f"prod/{d[:2]}/{d}") for d in digests]


def held(found: list[dict[str, Any]]) -> list[bool]:
    return [one.get("ObjectLockLegalHoldStatus") == "ON" for one in found]


def test_a_hold_and_its_release_reach_objects_and_manifests(
    service: Service, bucket: str, parts: Parts
) -> None:
    keep(parts, PLAIN)
    assert held(heads(service, bucket)) == [False, False]
    assert custody("hold", CASE, "--reason", "litigation", *ALICE).status == 0
    assert held(heads(service, bucket)) == [True, True]
    # What comes later is held from the first moment.
    keep(parts, SECRET)
    assert held(heads(service, bucket)) == [True] * 4
    [hold] = custody("show", CASE, "--json").json["holds"]
    said = ("release-hold", CASE, hold["id"], "--reason", "settled", *ALICE, "-o", "paper.json")
    assert custody(*said).status == 0
    assert held(heads(service, bucket)) == [True] * 4
    assert custody("sign", "paper.json", *BOB, "--yes").status == 0
    assert held(heads(service, bucket)) == [False] * 4


def test_a_retention_reaches_the_store_and_is_never_shorter_there(
    service: Service, bucket: str, parts: Parts
) -> None:
    keep(parts, PLAIN, SECRET)
    before = [one["ObjectLockRetainUntilDate"] for one in heads(service, bucket)]
    said = ("--reason", "policy", *ALICE)
    assert custody("retain", CASE, "--until", "2031-12-31", *said).status == 0
    after = [one["ObjectLockRetainUntilDate"] for one in heads(service, bucket)]
    assert [time.isoformat()[:10] for time in after] == ["2032-01-01"] * 4
    assert all(old < new for old, new in zip(before, after, strict=True))
    assert "only extends" in custody("retain", CASE, "--until", "2030-12-31", *said).err


def test_a_case_is_checked_exported_and_verified(
    service: Service, bucket: str, parts: Parts, tmp_path: Path
) -> None:
    keep(parts, PLAIN, SECRET)
    ran = custody("check")
    assert (ran.status, "2 of 2 read are intact" in ran.out) == (0, True)
    assert stanch("export", CASE, "-o", "bundle").status == 0
    assert main(["verify", "bundle", "--trust", str(parts.settings.home / "keys/trust.json")]) == 3
    [secret] = [one for one in shown() if one["name"] == SECRET.name]
    said = ("read", CASE, secret["artifact_id"], "-o", "copy", "--reason", "triage", *ALICE)
    assert custody(*said).status == 0
    assert Path("copy").read_bytes() == SECRET.data
    assert not list(parts.settings.home.glob("evidence/*"))
    assert [p.name for p in parts.settings.home.glob("evidence-keys/*/*")] == [
        secret["stored_sha256"]
    ]


def test_what_is_disposed_of_stays_as_ciphertext_and_is_read_by_nobody(
    service: Service, bucket: str, parts: Parts
) -> None:
    keep(parts, PLAIN, SECRET)
    [secret] = [one for one in shown() if one["name"] == SECRET.name]
    said = ("--reason", "over", *ALICE)
    assert custody("dispose", CASE, secret["artifact_id"], *said, "-o", "paper.json").status == 0
    assert custody("sign", "paper.json", *BOB, "--yes").status == 0
    assert not parts.locker.keys.there(secret["stored_sha256"])
    assert len(heads(service, bucket, SECRET.name)) == 2
    assert custody("check").status == 0
    assert stanch("export", CASE, "-o", "bundle").status == 0


def test_a_check_notices_what_was_laid_over_and_what_nobody_entered(
    service: Service, bucket: str, parts: Parts
) -> None:
    keep(parts, PLAIN, SECRET)
    plain, secret = shown()
    s3 = service.client()
    key = plain["stored_sha256"]
    s3.delete_object(Bucket=bucket, Key=f"prod/{key[:2]}/{key}")
    key = secret["stored_sha256"]
    s3.put_object_legal_hold(Bucket=bucket, Key=f"prod/{key[:2]}/{key}", LegalHold={"Status": "ON"})
    ran = custody("check")
    assert ran.status == 1
    assert "covered: 1 delete marker" in ran.out
    assert "is under a hold that no entry set" in ran.out
    assert [one["last_found"] for one in shown()] == ["covered", "intact"]


def test_a_store_that_is_away_is_told_later(
    service: Service, bucket: str, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(parts, PLAIN)
    monkeypatch.setattr(stores, "PATIENT", stores.PATIENT.merge(ONCE))
    with monkeypatch.context() as away:
        away.setenv("STANCH_STORING__ENDPOINT", "http://127.0.0.1:9")
        ran = custody("hold", CASE, "--reason", "litigation", *ALICE)
        assert ran.status == 1
        assert "is recorded" in ran.err
        assert "EndpointConnectionError" in ran.err
        assert f"`stanch custody check {CASE}`" in ran.err
        down = custody("check")
        assert (down.status, "unreadable" in down.out) == (1, True)
    assert held(heads(service, bucket)) == [False, False]
    assert custody("check").status == 0
    assert held(heads(service, bucket)) == [True, True]


def test_the_doctor_says_whether_the_bucket_is_fit(
    service: Service, bucket: str, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> Finding:
        place = Place(load(), parts.now)
        [one] = run({"store": checks(place)["store"]})
        return one

    assert found().level == "ok"
    assert "keeps versions, locks them (2 days at least, governance mode)" in found().what
    service.client().delete_public_access_block(Bucket=bucket)
    assert found().level == "bad"
    assert "public access is not blocked" in found().what
    monkeypatch.setenv("STANCH_STORE", "file")
    assert found().level == "ok"


def test_evidence_is_kept_in_a_freeze(service: Service, bucket: str, parts: Parts) -> None:
    def frozen(operation: str) -> None:
        raise AssertionError(f"{operation} came to the gate")

    stored = through(frozen, lambda: parts.locker.put(b"content"))
    assert parts.locker.read(stored.sha256) == b"content"


def test_serving_refuses_a_bucket_that_is_not_fit(
    service: Service, bucket: str, parts: Parts
) -> None:
    service.client().delete_public_access_block(Bucket=bucket)
    for command in ("serve", "worker"):
        ran = stanch(command, "--without-prefect")
        assert ran.status == 1
        assert "is not fit for evidence: public access is not blocked" in ran.err


def test_the_permissions_are_those_of_the_calls_and_no_more(
    service: Service, bucket: str, parts: Parts
) -> None:
    """What a whole life of a case asks of S3 is what the policy allows, on that bucket alone."""
    granted = [
        one
        for one in stanch("permissions", "--account", service.account).json["Statement"]
        if bucket in str(one["Resource"])
    ]
    allowed = {action for one in granted for action in one["Action"]}
    assert allowed == {f"s3:{action}" for names in NEEDS.values() for action in names}
    assert not [a for a in allowed if "Delete" in a or "Bypass" in a or "PutBucket" in a]
    arn = f"arn:aws:s3:::{bucket}"
    assert {str(one["Resource"]) for one in granted} == {arn, f"{arn}/prod/*"}
    [listing] = [one for one in granted if "Condition" in one]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "prod/*"}}
