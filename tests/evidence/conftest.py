from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evidence.chamber import Chamber, fill, make_chamber


@pytest.fixture
def chamber(tmp_path: Path) -> Iterator[Chamber]:
    made = make_chamber(tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def filled(chamber: Chamber) -> Chamber:
    fill(chamber)
    return chamber
