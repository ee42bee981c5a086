"""Settings, keys and people: what would keep a deployment from acting, or from proving it."""

from pathlib import Path
from typing import Any

import pytest

from playbooks.desk.cli.init import make
from playbooks.desk.doctor import deployment
from playbooks.desk.doctor.place import Place
from playbooks.desk.doctor.running import run
from playbooks.wiring import people
from playbooks.wiring.parts import now
from playbooks.wiring.settings import Account, Settings
from tests.playbooks.desk.doctor.conftest import levels, the


@pytest.fixture
def place(tmp_path: Path, monkeypatch: Any) -> Place:
    config = tmp_path / "stanch.toml"
    config.write_text("")
    monkeypatch.setenv("STANCH_CONFIG", str(config))
    settings = Settings(home=tmp_path / "home", accounts={"111122223333": Account()})
    make(settings)
    return Place(settings, now)


def test_a_new_one_is_well_and_a_home_open_to_others_is_not(place: Place) -> None:
    assert levels(deployment.settings(place)) == [("settings", "ok")]
    place.settings.home.chmod(0o755)
    assert the(deployment.settings(place), "home").level == "bad"


@pytest.mark.parametrize("name", ["log.pem", "manifest.pem", "wrap.key"])
def test_a_key_that_is_gone_or_open_to_others(place: Place, name: str) -> None:
    assert levels(deployment.keys(place)) == [("keys", "ok")]
    path = place.settings.home / "keys" / name
    path.chmod(0o644)
    (found,) = run({"keys": lambda: deployment.keys(place)})
    assert (found.level, "chmod" in found.what) == ("bad", True)
    path.unlink()
    assert levels(run({"keys": lambda: deployment.keys(place)})) == [("keys", "bad")]


@pytest.mark.parametrize("content", [None, "", "{}", "not JSON"])
def test_what_auditors_were_given_is_not_these_keys(place: Place, content: str | None) -> None:
    given = place.settings.home / "keys" / "trust.json"
    given.unlink()
    if content is not None:
        given.write_text(content)
    assert levels(deployment.keys(place)) == [("keys", "bad")]


@pytest.mark.parametrize(
    ("count", "told"), [(0, ["bad"]), (1, ["bad"]), (2, ["ok", "warn"]), (3, ["ok"])]
)
def test_how_many_can_answer(place: Place, tmp_path: Path, count: int, told: list[str]) -> None:
    known = {name: people.make(tmp_path / name) for name in ("ann", "bob", "cem")[:count]}
    settings = place.settings.model_copy(update={"people": known})
    assert [f.level for f in deployment.who_answers(Place(settings, now))] == told
