"""A drill keeps to itself, whatever deployment the environment names."""

import os
from pathlib import Path

import pytest

from playbooks.drills.acts.compromised_instance import SCENARIO
from playbooks.drills.drill import prepared
from playbooks.drills.range.estate import build_estate
from playbooks.drills.range.world import World


def test_a_drill_touches_no_deployment_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = {
        "STANCH_HOME": str(tmp_path / "real"),
        "STANCH_DATABASE": "env:REAL_DATABASE",
        "STANCH_CONFIG": str(tmp_path / "real.toml"),
    }
    for name, value in real.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REAL_DATABASE", "postgresql://u:p@127.0.0.1:1/x")
    folder = tmp_path / "drill"
    folder.mkdir(mode=0o700)
    world = World()
    with prepared(SCENARIO, folder, world, build_estate(world), prefect=False) as drill:
        assert drill.deployment.settings.database is None
        assert drill.deployment.settings.home.is_relative_to(folder)
        assert os.environ.keys().isdisjoint({"STANCH_HOME", "STANCH_DATABASE"})
        assert os.environ["STANCH_CONFIG"] != real["STANCH_CONFIG"]
    assert not (tmp_path / "real").exists()
    assert {name: os.environ[name] for name in real} == real
