"""A store over each kind of database, and a deployment around it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from evidence import ledger
from playbooks.case import migrating
from playbooks.case.store import Store
from playbooks.desk.doctor.finding import Finding
from playbooks.desk.doctor.place import Place
from playbooks.wiring.parts import now
from playbooks.wiring.settings import Settings


@dataclass(frozen=True)
class At(Place):
    """A place whose database is given."""

    given: Any = None

    def engine(self) -> Engine:
        return self.given


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        engine = ledger.sqlite_engine(tmp_path / "stanch.db")
    else:
        engine = ledger.postgres_engine(request.getfixturevalue("postgres_url"))
    migrating.create(engine)
    yield Store(engine)
    engine.dispose()


@pytest.fixture
def place(db: Store, tmp_path: Path) -> At:
    return At(Settings(home=tmp_path), now, given=db.engine)


def moved(place: At, at: datetime) -> At:
    """Return the place with this host's clock at a time."""
    return replace(place, now=lambda: at)


def levels(found: Any) -> list[tuple[str, str]]:
    """Return check and level of each finding."""
    return [(one.check, one.level) for one in found]


def the(found: Any, check: str) -> Finding:
    """Return the one finding of a check."""
    (one,) = [f for f in found if f.check == check]
    return one
