"""`stanch vault baseline|permissions` at a terminal, against a Vault over HTTP."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playbooks.case.vault_known import Known, known, path_of
from playbooks.drills.range.vault.hcl import rules
from playbooks.drills.range.vault.server import serve
from playbooks.drills.range.vault.world import VaultWorld
from playbooks.errors import SettingsError
from playbooks.wiring.settings import Settings, load
from tests.actions.vault import site
from tests.playbooks.desk.console import stanch

PLAY = ("--play", "compromised-vault")


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[site.Estate]:
    world = VaultWorld(seed=2)
    made = site.build(world)
    made.root.sys.enable_audit_device("file", path="file", options={"file_path": "discard"})
    login = site.role(made.root, "stanch", "stanch")
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("OUR_ROLE", login.role_id)
    monkeypatch.setenv("OUR_SECRET", login.secret_id)
    with serve(world) as url:
        lines = ["[vaults.prod]", f'url = "{url}"', 'role_id = "env:OUR_ROLE"']
        lines += ['secret_id = "env:OUR_SECRET"']
        (tmp_path / "stanch.toml").write_text("\n".join(lines) + "\n")
        assert stanch("init").status == 0
        yield made


def test_what_is_printed_is_enough_for_a_baseline_and_keeps_stanchs_own(
    estate: site.Estate,
) -> None:
    printed = stanch("vault", "permissions", "prod", *PLAY)
    assert (printed.status, printed.err) == (0, "")
    estate.root.sys.create_or_update_acl_policy("stanch", printed.out)
    ran = stanch("vault", "baseline", "prod")
    assert (ran.status, ran.err) == (0, "")
    kept = known(load(), "prod")
    assert kept.policies["web"] == site.READS_ITS_SECRET.format("web")
    assert kept.audit["file"]["options"] == {"file_path": "discard"}
    assert set(json.loads(kept.sweep)) == {"auth", "policies", "audit", "logins"}
    text = path_of(load(), "prod").read_text()
    assert os.environ["OUR_SECRET"] not in text
    assert estate.stanch not in text
    granted = rules(printed.out)
    assert granted["sys/policies/acl/stanch"] == {"read"}
    assert granted["auth/stanch/*"] == {"deny"}
    assert "*" not in granted


def test_with_less_no_baseline_is_written_and_it_says_what_is_missing(
    estate: site.Estate,
) -> None:
    estate.root.sys.create_or_update_acl_policy(
        "stanch", 'path "sys/auth" { capabilities = ["read"] }'
    )
    ran = stanch("vault", "baseline", "prod")
    assert (ran.status, ran.out) == (1, "")
    assert "did not tell all" in ran.err
    assert not path_of(load(), "prod").exists()


@pytest.mark.parametrize("what", ["baseline", "permissions"])
def test_a_vault_that_is_not_in_the_settings_is_said(estate: site.Estate, what: str) -> None:
    ran = stanch("vault", what, "other")
    assert (ran.status, ran.out) == (1, "")
    assert "no Vault 'other'" in ran.err


@pytest.mark.parametrize("text", ["no json", '{"more": 1}', "[]", '"text"'])
def test_a_file_that_is_no_baseline_is_said(tmp_path: Path, text: str) -> None:
    settings = Settings(home=tmp_path)
    assert known(settings, "prod") == Known()
    path_of(settings, "prod").parent.mkdir()
    path_of(settings, "prod").write_text(text)
    with pytest.raises(SettingsError, match="is no baseline"):
        known(settings, "prod")


def test_a_baseline_comes_back_as_it_was_written(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    told: Any = Known("text", {"a": "b"}, {"file": {"type": "file"}})
    path_of(settings, "prod").parent.mkdir()
    path_of(settings, "prod").write_text(told.text())
    assert known(settings, "prod") == told
