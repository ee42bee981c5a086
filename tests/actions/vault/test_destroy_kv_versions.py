"""What was destroyed cannot be undeleted, and what is current is never destroyed."""

import pytest

from actions.errors import NothingToDoError, TargetGoneError, UnfitError
from actions.vault.destroy_kv_versions import DestroyKvVersions
from tests.actions.vault import site
from tests.actions.vault.operating import Operator


def arrange(world, estate):
    for n in (2, 3):
        estate.root.secrets.kv.v2.create_or_update_secret("web/db", {"password": f"new-{n}"})
    return DestroyKvVersions(site.NAME, "secret", "web/db", (1, 2))


def test_they_are_gone_for_good_and_the_current_one_is_read(op: Operator) -> None:
    action, kv = arrange(op.world, op.estate), op.estate.root.secrets.kv.v2
    kv.delete_secret_versions("web/db", [1])
    assert op.plan(action).before == {"current": 3, "left": [1, 2]}
    assert op.apply(action).after == {"destroyed": [1, 2]}
    kv.undelete_secret_versions("web/db", [1, 2])
    versions = kv.read_secret_metadata("web/db")["data"]["versions"]
    assert [versions[n]["destroyed"] for n in ("1", "2", "3")] == [True, True, False]
    assert site.works(op.world, op.estate.apps["web"])


def test_the_current_version_what_is_empty_and_what_is_gone_are_refused(op: Operator) -> None:
    with pytest.raises(UnfitError, match="is current"):
        op.plan(DestroyKvVersions(site.NAME, "secret", "web/db", (1,)))
    with pytest.raises(NothingToDoError):
        op.plan(DestroyKvVersions(site.NAME, "secret", "web/db", (9,)))
    with pytest.raises(TargetGoneError):
        op.plan(DestroyKvVersions(site.NAME, "secret", "none", (1,)))
