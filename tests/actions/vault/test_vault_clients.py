"""Errors of hvac and of the network come out as ours: what passes, what did nothing, no secret."""

import pytest
import requests
from hvac import exceptions

from actions.vault.clients import Vault
from playbooks.drills.range.vault.faults import Refuse
from tests.actions.vault.operating import Operator

STATUSES = {
    400: (False, True),
    403: (False, True),
    404: (False, True),
    429: (True, True),
    500: (True, False),
    502: (True, False),
    503: (True, False),
}


@pytest.mark.parametrize(("status", "told"), STATUSES.items())
def test_a_status_says_whether_it_passes_and_whether_it_did_nothing(
    op: Operator, status: int, told: tuple[bool, bool]
) -> None:
    op.world.inject(Refuse(status, "why not"), "GET", "sys/auth")
    with pytest.raises(exceptions.VaultError) as caught:
        op.p.client.sys.list_auth_methods()
    ours = op.p.translate(caught.value)
    assert ours is not None
    assert (ours.passing, ours.refused) == told
    assert str(ours) == f"get /v1/sys/auth: {status}: why not"


def test_a_status_that_hvac_does_not_know_may_have_done_something(op: Operator) -> None:
    op.world.inject(Refuse(418), "GET", "sys/auth")
    with pytest.raises(exceptions.UnexpectedError) as caught:
        op.p.client.sys.list_auth_methods()
    ours = op.p.translate(caught.value)
    assert ours is not None
    assert (ours.passing, ours.refused) == (False, False)


def test_the_network_is_waited_for_and_its_text_is_not_told() -> None:
    vault = Vault("prod", lambda: None)
    ours = vault.translate(requests.ConnectionError("https://vault.example.org/v1/x?token=canary"))
    assert ours is not None
    assert (ours.passing, ours.refused) == (True, False)
    assert "canary" not in str(ours)
    assert vault.translate(ValueError("another's")) is None


def test_the_client_is_made_once_and_late() -> None:
    made = []
    vault = Vault("prod", lambda: made.append(1) or object())
    assert made == []
    assert vault.client is vault.client
    assert made == [1]


def test_what_is_not_there_is_nothing_and_a_mount_that_is_not_there_is_an_error(
    op: Operator,
) -> None:
    assert op.p.get("secret/metadata/none") is None
    assert op.p.names("secret/metadata/none") == []
    for read in (op.p.get, op.p.names):
        with pytest.raises(exceptions.InvalidPath):
            read("nowhere/at/all")


def test_chance_is_long_enough_and_never_the_same() -> None:
    vault = Vault("prod", lambda: None)
    drawn = {vault.chance(24) for _ in range(100)}
    assert len(drawn) == 100
    assert min(map(len, drawn)) >= 32
