"""Logging in to a Vault: by AppRole or token, anew before the end, through the gate, unproxied."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hvac.exceptions import Forbidden
from pydantic import ValidationError

from playbooks.drills.range.vault.server import serve
from playbooks.drills.range.vault.world import VaultWorld
from playbooks.errors import FrozenError, SettingsError
from playbooks.wiring.gated import GatedAdapter, through
from playbooks.wiring.settings import Settings
from playbooks.wiring.vault_terms import VaultLogin
from playbooks.wiring.vaults import EARLY, Vaults
from tests.actions.vault import site

NOW = datetime(2026, 9, 21, tzinfo=UTC)
LASTS = 3600


@dataclass
class Place:
    """A Vault over HTTP, and what Stanch's settings say of it."""

    world: VaultWorld
    url: str
    login: site.Login
    at: list[datetime] = field(default_factory=lambda: [NOW])

    def vaults(self, **known: Any) -> Vaults:
        said = VaultLogin(url=self.url, **(known or BY_ROLE))
        return Vaults(Settings(vaults={"prod": said}), lambda: self.at[0])

    def logins(self) -> int:
        return len([c for c in self.world.calls if c.path == "auth/stanch/login"])


BY_ROLE = {"role_id": "env:VAULTS_ROLE", "secret_id": "env:VAULTS_SECRET"}


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    world = VaultWorld(seed=3, clock=NOW.timestamp)
    estate = site.build(world)
    estate.root.write("auth/approle/role/web", token_policies=["web"], token_ttl=LASTS)
    estate.root.write("auth/stanch/role/stanch", token_policies=["stanch"], token_ttl=LASTS)
    login = site.role(estate.root, "stanch", "stanch")
    estate.root.write("auth/stanch/role/stanch", token_policies=["stanch"], token_ttl=LASTS)
    monkeypatch.setenv("VAULTS_ROLE", login.role_id)
    monkeypatch.setenv("VAULTS_SECRET", login.secret_id)
    monkeypatch.setenv("VAULTS_TOKEN", world.root_token)
    with serve(world) as url:
        world.calls.clear()
        yield Place(world, url, login)


def test_it_logs_in_by_role_on_its_own_mount_and_goes_on_with_that(place: Place) -> None:
    vaults = place.vaults()
    told = vaults.client("prod").auth.token.lookup_self()["data"]
    assert told["path"] == "auth/stanch/login"
    assert vaults.client("prod") is vaults.client("prod")
    assert place.logins() == 1


def test_by_a_token_it_does_not_log_in_at_all(place: Place) -> None:
    vaults = place.vaults(token="env:VAULTS_TOKEN")
    assert vaults.client("prod").auth.token.lookup_self()["data"]["path"] == "auth/token/root"
    place.at[0] += timedelta(days=9)
    vaults.client("prod")
    assert place.logins() == 0


@pytest.mark.parametrize("early", [timedelta(seconds=1), timedelta(0), -timedelta(seconds=1)])
def test_it_logs_in_anew_before_the_token_ends(place: Place, early: timedelta) -> None:
    vaults = place.vaults()
    first = vaults.client("prod").token
    place.at[0] = NOW + timedelta(seconds=LASTS) - EARLY - early
    again = vaults.client("prod").token
    assert (again == first) == (early > timedelta(0))
    assert place.logins() == (1 if early > timedelta(0) else 2)


def test_a_wrong_secret_is_said_without_any_secret(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULTS_SECRET", "quite-wrong-secret")
    with pytest.raises(SettingsError, match="cannot log in to Vault prod") as caught:
        place.vaults().client("prod")
    text = repr(caught.value) + str(caught.value.__cause__)
    assert "quite-wrong-secret" not in text
    assert place.login.role_id not in text


def test_what_is_not_there_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="no Vault 'other'"):
        place.vaults().client("other")
    monkeypatch.delenv("VAULTS_SECRET")
    with pytest.raises(SettingsError, match=r"vaults\.prod\.secret_id"):
        place.vaults().client("prod")


def test_a_vault_that_is_away_is_said(place: Place) -> None:
    away = VaultLogin(url="http://127.0.0.1:9", **BY_ROLE)
    with pytest.raises(SettingsError, match="ConnectionError"):
        Vaults(Settings(vaults={"prod": away}), lambda: NOW).client("prod")


def test_only_what_changes_something_passes_the_gate(place: Place) -> None:
    client = place.vaults().client("prod")
    asked: list[str] = []

    def gate(operation: str) -> None:
        asked.append(operation)
        raise FrozenError("frozen")

    through(gate, lambda: client.read("secret/data/web/db"))
    through(gate, lambda: client.auth.token.lookup_self())
    assert asked == []
    before = place.world.digest()
    with pytest.raises(FrozenError):
        through(gate, lambda: client.sys.create_or_update_acl_policy("x", 'path "x" {}'))
    assert asked == ["PUT sys/policies/acl/x"]
    assert place.world.digest() == before
    assert all(isinstance(a, GatedAdapter) for a in client.session.adapters.values())


def test_logging_in_anew_is_nothing_that_a_freeze_stops(place: Place) -> None:
    def gate(operation: str) -> None:
        raise FrozenError(operation)

    assert through(gate, lambda: place.vaults().client("prod")).is_authenticated()


def test_no_proxy_and_no_netrc_of_the_machine_decides_where_a_token_goes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.delenv("no_proxy", raising=False)
    client = place.vaults().client("prod")
    assert client.is_authenticated()
    assert client.session.trust_env is False


def test_two_vaults_are_two_logins(place: Place) -> None:
    one = VaultLogin(url=place.url, **BY_ROLE)
    two = VaultLogin(url=place.url, token="env:VAULTS_TOKEN")
    vaults = Vaults(Settings(vaults={"prod": one, "lab": two}), lambda: NOW)
    assert vaults.client("prod").token != vaults.client("lab").token == os.environ["VAULTS_TOKEN"]


def test_a_token_of_less_may_less(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    web = site.role(place.world.client(place.world.root_token), "approle", "web")
    monkeypatch.setenv("VAULTS_ROLE", web.role_id)
    monkeypatch.setenv("VAULTS_SECRET", web.secret_id)
    client = place.vaults(**BY_ROLE, mount="approle").client("prod")
    with pytest.raises(Forbidden):
        client.sys.list_auth_methods()


@pytest.mark.parametrize("leaked", ["hvs.canary-secret", "", "vault:secret/data/x"])
def test_what_leaked_is_referred_to_and_never_told(leaked: str) -> None:
    with pytest.raises(ValidationError, match="never the secret itself"):
        VaultLogin(url="https://vault.example.org", leaked=(leaked,), **BY_ROLE)
