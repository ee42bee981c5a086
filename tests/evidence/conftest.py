import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.ledger import SignedCheckpoint
from evidence.tiles_folder import TilesFolder
from tests.evidence.chamber import Chamber, fill, make_chamber
from tests.evidence.publishing import grow, published, restored
from tests.evidence.whole import Whole, whole


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


@pytest.fixture(scope="module")
def grown(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Chamber, Path, list[str]]]:
    """A log, and what it published at several sizes, one past two full tiles."""
    chamber = make_chamber(tmp_path_factory.mktemp("chamber"))
    folder = chamber.folder / "public"
    place = TilesFolder(folder)
    notes = []
    for count in (1, 1, 200, 54, 3, 250, 91):
        signed = grow(chamber, count)
        assert published(chamber, place, signed)
        assert not published(chamber, place, signed)
        notes.append(signed.note)
    yield chamber, folder, notes
    chamber.engine.dispose()


@pytest.fixture
def forked(tmp_path: Path) -> Iterator[tuple[Chamber, Chamber, Path, SignedCheckpoint]]:
    """A log that was published, a copy of its past that went on otherwise, and the folder."""
    chamber = make_chamber(tmp_path)
    grow(chamber, 20)
    past = restored(chamber)
    signed = grow(chamber, 300)
    folder = tmp_path / "public"
    published(chamber, TilesFolder(folder), signed)
    yield chamber, past, folder, signed
    past.engine.dispose()
    chamber.engine.dispose()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """A deployment that is witnessed, stamped and counted, and a bundle with all that one has."""
    found = whole(tmp_path_factory.mktemp("whole"))
    yield found
    found.chamber.engine.dispose()
