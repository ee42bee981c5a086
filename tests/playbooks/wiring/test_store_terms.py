"""Where artifacts lie is said in one place, wholly or not at all, and asked for little."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from evidence.errors import StoreRefusedError
from evidence.locker import Locker
from evidence.s3_store import S3Store
from playbooks.desk.cli.permissions import beyond_plays
from playbooks.errors import SettingsError
from playbooks.wiring import store_terms
from playbooks.wiring.sessions import Sessions
from playbooks.wiring.settings import Account, Settings, load
from playbooks.wiring.stores import open_store
from tests.playbooks.desk.console import desk
from tests.playbooks.scene import Scene, apart

ACCOUNT, OTHER = "222233334444", "111122223333"
SAID: dict[str, Any] = {"account": ACCOUNT, "region": "eu-west-1", "retention_days": 365}
KMS = "arn:aws:kms:eu-west-1:222233334444:key/1234abcd"


def now() -> datetime:
    return datetime.now(UTC)


def settings(store: str = "s3://evidence-bucket/prod", **storing: Any) -> Settings:
    accounts = {ACCOUNT: Account(), OTHER: Account()}
    return Settings(home=Path("home"), accounts=accounts, store=store, storing=SAID | storing)


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("file", None),
        ("s3://evidence-bucket", ("evidence-bucket", "")),
        ("s3://evidence-bucket/", ("evidence-bucket", "")),
        ("s3://evidence-bucket/a/b", ("evidence-bucket", "a/b/")),
        ("s3://evidence-bucket/a/b/", ("evidence-bucket", "a/b/")),
    ],
)
def test_a_store_is_a_folder_or_a_bucket_with_a_prefix(uri: str, found: object) -> None:
    assert store_terms.place(uri) == found


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "folder",
        "https://bucket",
        "s3:",
        "s3://",
        "s3://UPPER",
        "s3://a",
        "s3://bucket/a b",
        "s3://evidence-bucket/a//b",
        "s3://evidence-bucket/*",
        "s3://user:secret@bucket/x",
    ],
)
def test_what_is_neither_is_refused_and_not_quoted(uri: str) -> None:
    with pytest.raises(ValidationError, match="must be file, or s3://BUCKET") as error:
        settings(uri)
    assert "secret@" not in error.value.errors()[0]["msg"]


@pytest.mark.parametrize("lacks", SAID)
def test_a_bucket_wants_its_terms_said(lacks: str) -> None:
    with pytest.raises(ValidationError, match=f"store is a bucket, so storing needs {lacks}"):
        settings(**{lacks: None})


@pytest.mark.parametrize(
    ("storing", "said"),
    [
        ({"account": "999988887777"}, "is not among the accounts"),
        ({"mode": "governance"}, "is for drills on loopback"),
        ({"endpoint": "http://s3.example.org"}, "must be https, or http on loopback"),
        ({"retention_days": 0}, "greater than or equal to 1"),
        ({"kms_key": "alias/mine"}, "match pattern"),
        ({"part_mebibytes": 4}, "greater than or equal to 5"),
        ({"mode": "none"}, "'compliance' or 'governance'"),
    ],
)
def test_terms_that_cannot_be_are_refused(storing: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        settings(**storing)
    assert said in str(error.value)


def test_what_can_be_lifted_is_for_loopback_alone() -> None:
    assert settings(mode="governance", endpoint="http://127.0.0.1:4566").storing.mode
    with pytest.raises(ValidationError, match="loopback"):
        settings(mode="governance", endpoint="https://s3.eu-west-1.amazonaws.com")


def test_the_environment_names_a_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STANCH_CONFIG", raising=False)
    (tmp_path / "stanch.toml").write_text(f'[accounts."{ACCOUNT}"]\n')
    assert load().store == "file"
    monkeypatch.setenv("STANCH_STORE", "s3://evidence-bucket/prod")
    with pytest.raises(SettingsError, match="storing needs account, region, retention_days"):
        load()
    for name, value in SAID.items():
        monkeypatch.setenv(f"STANCH_STORING__{name.upper()}", str(value))
    assert (load().storing.account, load().storing.retention_days) == (ACCOUNT, 365)


def test_keys_that_can_be_erased_lie_beside_the_folder_whatever_the_store() -> None:
    both = (settings("file"), settings(kms_key=KMS))
    folder, bucket = (open_store(one, Sessions(one, now), now, os.urandom) for one in both)
    assert isinstance(folder, Locker)
    assert isinstance(bucket, S3Store)
    assert folder.keys == bucket.keys
    assert bucket.terms.mode == "COMPLIANCE"
    assert (bucket.terms.retention.days, bucket.terms.kms_key) == (365, KMS)
    assert (bucket.bucket.owner, bucket.bucket.prefix) == (ACCOUNT, "prod/")


def test_a_store_that_cannot_be_logged_in_to_is_an_error_of_the_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A keep that fails so is partial, as with a full disk, and holds nothing up."""

    class NoSession(Sessions):
        def storing(self, *_: Any) -> Any:
            raise SettingsError("no usable credentials for account 222233334444")

    one = settings()
    store = open_store(one, NoSession(one, now), now)
    with pytest.raises(StoreRefusedError, match="no usable credentials"):
        store.put(b"content")


def statements(one: Settings, account: str) -> list[dict[str, Any]]:
    return [s for s in beyond_plays(one, account, "aws") if "s3:::" in str(s) or "kms" in str(s)]


def test_permissions_grow_by_the_bucket_and_its_key_in_its_account_alone() -> None:
    assert statements(settings("file"), ACCOUNT) == statements(settings(), OTHER) == []
    plain, keyed = statements(settings(), "*"), statements(settings(kms_key=KMS), ACCOUNT)
    assert keyed[:-1] == plain
    assert keyed[-1]["Resource"] == KMS
    assert {s["Effect"] for s in keyed} == {"Allow"}
    assert [s["Resource"] for s in plain] == [
        "arn:aws:s3:::evidence-bucket",
        "arn:aws:s3:::evidence-bucket",
        "arn:aws:s3:::evidence-bucket/prod/*",
    ]
    whole = statements(settings("s3://evidence-bucket"), ACCOUNT)
    assert whole[-1]["Resource"] == "arn:aws:s3:::evidence-bucket/*"
    assert all("Condition" not in s for s in whole)


@apart
def test_a_drill_keeps_its_artifacts_in_a_folder(scene: Scene) -> None:
    """What a drill stored in COMPLIANCE mode would stay for good."""
    os.environ["STANCH_STORE"] = "s3://evidence-bucket/prod"
    with desk(scene):
        assert load().store == "file"
