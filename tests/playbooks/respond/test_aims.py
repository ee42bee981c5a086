"""What a finding or a person names becomes a target that some play acts on, or none at all."""

import pytest

from playbooks.errors import SettingsError
from playbooks.respond import plays
from playbooks.respond.aims import ACTS_ON, aim_by_hand
from playbooks.wiring.settings import Account, Settings
from playbooks.wiring.vault_terms import VaultLogin

HERE = "111122223333"
SETTINGS = Settings(
    accounts={HERE: Account(regions=("eu-west-1",))},
    vaults={"prod": VaultLogin(url="https://vault.internal:8200", token="env:T")},
)
# For each kind, how a person writes it.
WRITTEN = {
    "instance": "i-0123456789abcdef0",
    "user": "user/ci",
    "role": "role/deployer",
    "sso": "sso/90677d6e0a-1f0e2d3c-4b5a-4678-9abc-def012345678",
    "access_key": "AKIA" + "A" * 16,
    "secret": "secret/shop/ci",
    "database": "database/orders",
    "account": "account",
    "vault": "prod",
    "login": "prod/approle/web",
    "incident": "INC-0001",
}


def test_every_play_says_what_it_acts_on() -> None:
    assert {*ACTS_ON} == {*plays.names()}
    assert {kind for kinds in ACTS_ON.values() for kind in kinds} <= {*WRITTEN}


@pytest.mark.parametrize("play", ACTS_ON)
@pytest.mark.parametrize("kind", WRITTEN)
def test_a_play_takes_its_own_kinds_of_target_and_refuses_all_others(play: str, kind: str) -> None:
    def aimed() -> dict[str, str]:
        return aim_by_hand(SETTINGS, play, WRITTEN[kind], HERE, "eu-west-1")

    if kind not in ACTS_ON[play]:
        with pytest.raises(SettingsError, match="acts on"):
            aimed()
        return
    found = aimed()
    assert found["kind"] == kind
    # A target is place/region/id, and each part is there.
    assert all(found[part] for part in ("account", "region", "id"))


@pytest.mark.parametrize("written", ["", "user/", "user/a b", "AKIA1", "elsewhere", "i-1", "x/y/z"])
def test_what_nobody_can_read_is_refused_with_what_was_expected(written: str) -> None:
    with pytest.raises(SettingsError, match="Expected"):
        aim_by_hand(SETTINGS, "leaked-access-key", written, HERE, "eu-west-1")


def test_an_account_or_region_that_is_not_ours_is_refused() -> None:
    with pytest.raises(SettingsError, match="not in the settings"):
        aim_by_hand(SETTINGS, "leaked-access-key", "user/ci", "999988887777", "")
    with pytest.raises(SettingsError, match="no region"):
        aim_by_hand(SETTINGS, "compromised-instance", WRITTEN["instance"], HERE, "here")
