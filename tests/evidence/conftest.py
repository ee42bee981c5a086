import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evidence.chamber import Chamber, fill, make_chamber


@pytest.fixture
def chamber(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Chamber]:
    """On SQLite, or on the engine that a test's parameter names."""
    postgres = getattr(request, "param", "sqlite") == "postgresql"
    made = make_chamber(tmp_path, request.getfixturevalue("postgres_url") if postgres else None)
    yield made
    made.engine.dispose()


@pytest.fixture
def filled(chamber: Chamber) -> Chamber:
    fill(chamber)
    return chamber


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Chamber, Path]]:
    """A deployment and a bundle of it that nobody touched."""
    made = make_chamber(tmp_path_factory.mktemp("chamber"))
    fill(made)
    yield made, made.export()
    made.engine.dispose()


@pytest.fixture
def copy(original: tuple[Chamber, Path], tmp_path: Path) -> Path:
    """A copy of the bundle, to be altered."""
    return Path(shutil.copytree(original[1], tmp_path / "copy"))
