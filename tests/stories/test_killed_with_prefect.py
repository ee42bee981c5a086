"""`stanch serve` is killed while the one server of Prefect that it shows its plays in stays up."""

import json
import random
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from playbooks.wiring.prefect_server import running
from tests.sample import FULL, SAYS, of_the_day
from tests.stories.kindling import kindled
from tests.stories.restless import contained, lived, restless

KILLS, ROUNDS = (5, 2) if FULL else (2, 1)
# One day Stanch is killed beside a Prefect that stays, the next Prefect under a Stanch that stays.
# A server of Prefect's takes a quarter of a minute to get up.
STANCH, PREFECT = (
    pytest.mark.skipif(
        whose not in of_the_day(("Stanch", "Prefect")), reason=f"another day's: {SAYS}"
    )
    for whose in ("Stanch", "Prefect")
)


def runs(url: str) -> list[dict[str, Any]]:
    """Return all flow runs that the server knows."""
    request = urllib.request.Request(
        f"{url}/flow_runs/filter", b"{}", {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


@STANCH
def test_killed_again_and_again_beside_one_server_there_is_one_effect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PREFECT_API_URL", "PREFECT_HOME"):
        monkeypatch.setenv(name, "")  # Given back at the end, whatever `running` makes of it.
        monkeypatch.delenv(name)
    with running(tmp_path, 90.0) as url:
        assert url is not None, "Prefect's server did not get up"
        with kindled(tmp_path / "fire", PREFECT_API_URL=url) as fire:
            where: list[str] = []
            for n in range(ROUNDS):
                with restless(tmp_path / f"round-{n}", fire) as here:
                    where += lived(here, random.Random(f"31/{n}"), KILLS, prefect=True)
                    contained(here)
        found = runs(url)
    # What Prefect was told: which incident, and nothing else.
    assert found
    assert all(set(run["parameters"]) == {"incident_id"} for run in found)
    with capsys.disabled():
        print(f"\n{len(where)} SIGKILLs, {where.count('at work')} at work; {len(found)} flow runs")
    assert "at work" in where
