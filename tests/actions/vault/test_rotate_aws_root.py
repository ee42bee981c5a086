"""The AWS engine works with another key than the one that was known."""

import json

import pytest

from actions.errors import NothingToDoError, TargetGoneError
from actions.vault.rotate_aws_root import RotateAwsRoot
from tests.actions.vault import engines, site
from tests.actions.vault.operating import Operator

ACTION = RotateAwsRoot(site.NAME, "aws", "AKIAEXAMPLEROOT")


def arrange(world, estate):
    engines.aws(estate)
    return ACTION


def test_the_key_is_another_and_its_secret_is_vaults(op: Operator) -> None:
    engines.aws(op.estate)
    new = op.apply(ACTION).after["access_key"]
    assert op.estate.root.read("aws/config/root")["data"]["access_key"] == new
    assert new != ACTION.key_id
    assert engines.credentials(op.estate, 1, "aws/creds/deploy")
    assert "canary-aws-secret" not in json.dumps(op.journal.rows)


def test_another_key_or_none_is_said(op: Operator) -> None:
    engines.aws(op.estate)
    with pytest.raises(NothingToDoError, match="AKIAEXAMPLEROOT, not AKIAOTHER"):
        op.plan(RotateAwsRoot(site.NAME, "aws", "AKIAOTHER"))
    op.estate.root.sys.enable_secrets_engine("aws", path="aws2")
    with pytest.raises(TargetGoneError, match="role of its host"):
        op.plan(RotateAwsRoot(site.NAME, "aws2", "AKIAEXAMPLEROOT"))
