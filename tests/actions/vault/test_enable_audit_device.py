"""An audit device that was turned off, or pointed elsewhere, writes its lines again."""

import pytest

from actions.errors import NothingToDoError, UnfitError
from actions.vault.enable_audit_device import EnableAuditDevice
from tests.actions.vault import site
from tests.actions.vault.operating import Operator

LOG = "/var/log/vault/audit.log"
ACTION = EnableAuditDevice(site.NAME, "file", "file", (f"file_path={LOG}",), "what was asked")


def arrange(world, estate):
    nowhere = {"file_path": "/dev/null"}
    estate.root.sys.enable_audit_device("file", options=nowhere, path="file")
    return ACTION


def lines(op: Operator) -> int:
    return len(op.world.audit_lines("file"))


def test_one_that_was_off_is_on_and_writes(op: Operator) -> None:
    applied = op.apply(ACTION)
    assert applied.before == {"device": None}
    told = op.estate.root.sys.list_enabled_audit_devices()["data"]["file/"]
    assert (told["type"], told["options"]) == ("file", {"file_path": LOG})
    before = lines(op)
    site.works(op.world, op.estate.apps["web"])
    assert lines(op) > before
    op.back(ACTION)
    assert op.estate.root.sys.list_enabled_audit_devices()["data"] == {}


def test_one_that_was_pointed_elsewhere_loses_its_salt_and_that_is_said(op: Operator) -> None:
    plan = op.plan(arrange(op.world, op.estate))
    assert plan.before["device"]["options"] == {"file_path": "/dev/null"}
    assert "hashes" in plan.lost[0]


def test_one_that_is_on_or_cannot_be_is_said(op: Operator) -> None:
    op.apply(ACTION)
    with pytest.raises(NothingToDoError):
        op.plan(ACTION)
    with pytest.raises(UnfitError, match="name=value"):
        op.plan(EnableAuditDevice(site.NAME, "other", "file", ("file_path",)))
