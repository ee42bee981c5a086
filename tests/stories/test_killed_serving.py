"""`stanch serve` is killed by SIGKILL again and again, with alerts coming by both ways in."""

import random
from pathlib import Path
from typing import Any

import pytest

from tests.sample import FULL
from tests.stories.kindling import Kindled, kindled
from tests.stories.restless import contained, lived, restless

# So often one deployment is killed, before it is let live.
KILLS = 4


@pytest.fixture(scope="module")
def fire(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with kindled(tmp_path_factory.mktemp("fire")) as made:
        yield made


@pytest.mark.parametrize("seed", range(6 if FULL else 1))
def test_killed_again_and_again_there_is_one_effect(
    seed: int, fire: Kindled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with restless(tmp_path, fire) as here:
        where = lived(here, random.Random(f"29/{seed}"), KILLS)
        contained(here)
        assert "at work" in where
        with capsys.disabled():
            print(
                f"\nseed {seed}: {len(where)} SIGKILLs, {where.count('at work')} at work; "
                f"{len(here.accepted)} alerts accepted, {len(here.alerts())} recorded; "
                f"{here.refused} posts met nobody"
            )
