"""The root password is new; that it is, Vault alone says, so it is never called verified."""

import json

import pytest

from actions.errors import ProviderError, TargetGoneError
from actions.vault.rotate_database_root import RotateDatabaseRoot
from playbooks.drills.range.vault.faults import Refuse
from tests.actions.scene import apart, crashes, scene
from tests.actions.vault import engines, site
from tests.actions.vault.operating import Operator

ACTION = RotateDatabaseRoot(site.NAME, "database", "shop")
STEP = f"rotate_database_root/{ACTION.target}"


def arrange(world, estate):
    engines.database(estate)
    return ACTION


def test_the_old_password_fails_and_vault_still_works(op: Operator) -> None:
    engines.database(op.estate)
    applied = op.apply(ACTION)
    assert (applied.verdict, applied.after) == ("unverified", {"username": engines.ROOT})
    server = op.world.database(engines.URL)
    assert not server.log_in(engines.ROOT, engines.FIRST)
    assert engines.credentials(op.estate, 1)
    for password in (engines.FIRST, server.accounts[engines.ROOT]):
        assert password not in json.dumps(op.journal.rows)


def test_a_call_that_failed_is_told_and_made_again_when_it_is_entered_again(op: Operator) -> None:
    engines.database(op.estate)
    op.world.inject(Refuse(500), "POST", "database/rotate-root/*")
    with pytest.raises(ProviderError):
        op.apply(ACTION)
    assert op.journal[STEP].phase == "intended"
    assert op.apply(ACTION).verdict == "unverified"
    assert not op.world.database(engines.URL).log_in(engines.ROOT, engines.FIRST)


@pytest.mark.parametrize("name", ["rotate_database_root"])
@apart
def test_after_a_crash_it_is_done_again_and_vault_still_works(name: str) -> None:
    found = scene(name)

    def in_the_end() -> str:
        found.run(found.enter())
        assert found.intent.phase == "done"
        assert engines.credentials(found.estate, 1)
        return ""

    assert list(crashes(found, found.enter(), in_the_end)) == [""]


def test_what_is_gone_is_said(op: Operator) -> None:
    engines.database(op.estate)
    with pytest.raises(TargetGoneError):
        op.plan(RotateDatabaseRoot(site.NAME, "database", "none"))
