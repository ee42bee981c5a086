"""What `[forensics]` asks for is opened where it says, and S3 never as a whole."""

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from playbooks.desk.cli.examining import examining
from playbooks.desk.cli.permissions import needed
from playbooks.respond import plays
from playbooks.wiring.forensics_terms import Forensics
from playbooks.wiring.settings import Settings

KEY = "arn:aws:kms:eu-west-1:999988887777:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def printed(**terms: Any) -> list[dict[str, Any]]:
    settings: Any = SimpleNamespace(forensics=Forensics(**terms), vaults={})
    return examining(settings, "111122223333", "eu-west-1", "aws")


def test_no_play_may_read_all_of_s3_or_every_snapshots_blocks() -> None:
    whole = needed(list(plays.names()), "111122223333", "eu-west-1", "aws")
    for statement in whole["Statement"]:
        actions = statement["Action"]
        wide = [a for a in actions if a.startswith(("s3:", "ebs:"))]
        assert not wide or statement["Resource"] != "*", wide


def test_only_the_named_buckets_are_opened_and_nothing_where_none_is_named() -> None:
    assert printed() == []
    logs, lists, reads, states = printed(buckets=("trails",), objects=("shop",))
    assert (logs["Action"], logs["Resource"]) == (["s3:GetObject"], ["arn:aws:s3:::trails/*"])
    assert (lists["Action"], lists["Resource"]) == (["s3:ListBucket"], ["arn:aws:s3:::trails"])
    assert reads["Resource"] == ["arn:aws:s3:::shop/*"]
    assert reads["Action"] == ["s3:GetObjectVersion"]
    assert states["Resource"] == ["arn:aws:s3:::shop"]
    assert states["Action"] == ["s3:GetBucketVersioning", "s3:ListBucketVersions"]


@pytest.mark.parametrize(
    ("accounts", "said"),
    [
        ({}, "is not among the accounts"),
        ({"999988887777": {"regions": ["us-west-2"]}}, "is not among the regions"),
        ({"999988887777": {"regions": ["eu-west-1"]}}, ""),
        ({"999988887777": {}}, ""),
    ],
    ids=["unknown", "elsewhere", "there", "anywhere"],
)
def test_copies_go_only_where_stanch_can_go(accounts: Any, said: str) -> None:
    terms = {"account": "999988887777", "account_keys": {"eu-west-1": KEY}}
    if not said:
        Settings(accounts=accounts, forensics=terms)  # type: ignore[arg-type]
        return
    with pytest.raises(ValidationError, match=said):
        Settings(accounts=accounts, forensics=terms)  # type: ignore[arg-type]
