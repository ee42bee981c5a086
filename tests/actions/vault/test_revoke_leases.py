"""Leases are revoked one by one until none is left, whatever the backend does meanwhile."""

import pytest

from actions.errors import NotEffectiveError, NothingToDoError, UnfitError
from actions.vault.revoke_leases import RevokeLeases
from playbooks.drills.range.vault.faults import Ignore
from tests.actions.vault import engines, site
from tests.actions.vault.operating import Operator

DATABASE = RevokeLeases(site.NAME, "database/creds/web")
AWS = RevokeLeases(site.NAME, "aws/creds/deploy")


def arrange(world, estate):
    engines.database(estate)
    engines.credentials(estate, 3)
    return DATABASE


def users(op: Operator) -> set[str]:
    return {n for n in op.world.database(engines.URL).accounts if n.startswith("v-")}


def test_what_the_leases_stand_for_is_gone_from_the_database(op: Operator) -> None:
    engines.database(op.estate)
    engines.credentials(op.estate, 50)
    assert len(users(op)) == 50
    assert op.plan(DATABASE).before == {"leases": 50, "irrevocable": []}
    assert op.apply(DATABASE).after == {"irrevocable": []}
    assert users(op) == set()


def test_five_thousand_leases_finish_while_aws_throttles(op: Operator) -> None:
    engines.aws(op.estate)
    engines.credentials(op.estate, 5_000, "aws/creds/deploy")
    op.world.throttle_aws(capacity=100, refill=30)
    start = op.world.seconds()
    applied = op.apply(AWS)
    assert (applied.verdict, applied.after) == ("verified", {"irrevocable": []})
    assert op.world.core.iam.users == {}
    # No faster than AWS lets it be, and not much slower.
    assert 160 <= op.world.seconds() - start <= 260


def test_what_vault_gives_up_on_is_reported_and_the_others_are_revoked(op: Operator) -> None:
    engines.aws(op.estate)
    leases = engines.credentials(op.estate, 5, "aws/creds/deploy")
    # A login profile on the user makes IAM refuse to delete it; an attacker may add one for that.
    user = sorted(op.world.core.iam.users)[2]
    op.world.core.iam.broken.add(user)
    applied = op.apply(AWS)
    assert set(op.world.core.iam.users) == {user}
    [lost] = applied.after["irrevocable"]
    assert lost in leases
    assert applied.verdict == "verified"


def test_a_204_that_did_nothing_is_not_believed(op: Operator, monkeypatch) -> None:
    monkeypatch.setattr(RevokeLeases, "limit", 20.0)
    engines.database(op.estate)
    engines.credentials(op.estate, 3)
    op.world.inject(Ignore(), "POST", "sys/leases/revoke", times=100_000)
    with pytest.raises(NotEffectiveError, match="3 left"):
        op.apply(DATABASE)
    assert len(users(op)) == 3


def test_a_revocation_that_was_only_queued_is_waited_for(op: Operator) -> None:
    engines.database(op.estate)
    engines.credentials(op.estate, 3)
    op.world.delay_revocations(30)
    op.estate.root.sys.revoke_prefix("database/creds/web")
    assert len(users(op)) == 3
    op.apply(DATABASE)
    assert users(op) == set()


def test_a_prefix_above_finds_the_leases_of_every_role_below(op: Operator) -> None:
    engines.database(op.estate)
    op.estate.root.secrets.database.create_role("batch", "shop", ["CREATE ROLE"])
    engines.credentials(op.estate, 2)
    engines.credentials(op.estate, 2, "database/creds/batch")
    op.apply(RevokeLeases(site.NAME, "database/"))
    assert users(op) == set()


def test_logins_are_revoked_by_their_leases_too(op: Operator) -> None:
    tokens = [site.log_in(op.world, op.estate.apps["web"]) for _ in range(3)]
    op.apply(RevokeLeases(site.NAME, "auth/approle/login"))
    assert not any(op.reads(t, "secret/data/web/db") for t in tokens)


@pytest.mark.parametrize("prefix", ["", "/", "auth", "auth/", "auth/stanch", "auth/stanch/login"])
def test_a_prefix_that_covers_stanch_is_refused(op: Operator, prefix: str) -> None:
    site.log_in(op.world, op.estate.apps["web"])
    with pytest.raises(UnfitError, match="covers Stanch itself"):
        op.plan(RevokeLeases(site.NAME, prefix))


def test_a_prefix_that_only_begins_alike_is_not_refused_for_that(op: Operator) -> None:
    with pytest.raises(NothingToDoError, match="no lease under auth/stan"):
        op.plan(RevokeLeases(site.NAME, "auth/stan"))
