"""The doctor says whether a Vault takes Stanch in, and what an incident there would lack."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from playbooks.case.vault_known import path_of
from playbooks.desk.doctor.place import Place
from playbooks.desk.doctor.vaults import latch, vault
from playbooks.drills.range.vault.server import serve
from playbooks.drills.range.vault.world import VaultWorld
from playbooks.errors import SettingsError
from playbooks.wiring.latch_part import Latch
from playbooks.wiring.parts import now
from playbooks.wiring.settings import Account, Settings
from playbooks.wiring.vault_terms import VaultLogin
from tests.actions.vault import site
from tests.playbooks.desk.doctor.conftest import levels

BY_ROLE = {"role_id": "env:DOCTOR_ROLE", "secret_id": "env:DOCTOR_SECRET"}


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    world = VaultWorld(seed=3)
    login = site.role(site.build(world).root, "stanch", "stanch")
    monkeypatch.setenv("DOCTOR_ROLE", login.role_id)
    monkeypatch.setenv("DOCTOR_SECRET", login.secret_id)
    monkeypatch.setenv("DOCTOR_TOKEN", world.root_token)
    with serve(world) as served:
        yield served


def place(folder: Path, url: str, **login: str) -> Place:
    known = VaultLogin(url=url, **(login or BY_ROLE))
    return Place(Settings(home=folder, vaults={"prod": known}), now)


def test_a_login_of_its_own_is_well_and_a_baseline_is_missed_until_there_is_one(
    tmp_path: Path, url: str
) -> None:
    here = place(tmp_path, url)
    assert levels(vault(here, "prod")) == [("vault prod", "ok"), ("baseline of prod", "warn")]
    path = path_of(here.settings, "prod")
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    assert levels(vault(here, "prod"))[1] == ("baseline of prod", "ok")


def test_a_root_token_is_bad(tmp_path: Path, url: str) -> None:
    here = place(tmp_path, url, token="env:DOCTOR_TOKEN")
    assert levels(vault(here, "prod"))[0] == ("vault prod", "bad")


def test_a_login_that_is_refused_is_told_without_what_was_sent(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCTOR_SECRET", "not-the-secret")
    with pytest.raises(SettingsError, match="cannot log in") as refused:
        list(vault(place(tmp_path, url), "prod"))
    assert "not-the-secret" not in str(refused.value)


def test_an_account_without_a_latch_is_warned_of() -> None:
    def told(**more: object) -> list[tuple[str, str]]:
        accounts = {"111122223333": Account()}
        return levels(latch(Place(Settings(accounts=accounts, **more), now)))  # type: ignore[arg-type]

    part = Latch(admin="444455556666", management="999988887777", organization="o-exampleorgid")
    made = part.model_copy(update={"policy": "p-examplelatch"})
    assert [told(), told(latch=part), told(latch=made)] == [
        [("latch", "warn")],
        [("latch", "warn")],
        [("latch", "ok")],
    ]
    assert levels(latch(Place(Settings(), now))) == []
