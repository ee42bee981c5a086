"""The database as a person meets it: made, refused, brought up to date, and never told in full."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from evidence import ledger
from playbooks.case import migrating
from tests.playbooks.case.test_migrating import upgrade
from tests.playbooks.desk.console import stanch

# A command's pool keeps its connections as long as its process lives, and here it is this one.
pytestmark = pytest.mark.filterwarnings("ignore:<evidence.ledger_postgres:ResourceWarning")


@pytest.fixture(autouse=True)
def _all_closed() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STANCH_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def on_server(here: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """A folder whose stanch.toml refers to an empty PostgreSQL database."""
    monkeypatch.setenv("OUR_DATABASE", postgres_url)
    (here / "stanch.toml").write_text('home = "data"\ndatabase = "env:OUR_DATABASE"\n')
    return here, postgres_url


def told(*args: str) -> str:
    """Run a command that fails; return its one line."""
    ran = stanch(*args)
    assert (ran.status, ran.err.count("\n")) == (1, 1), (ran.out, ran.err)
    return ran.err


def test_a_server_takes_the_place_of_the_file(on_server: tuple[Path, str]) -> None:
    folder, url = on_server
    ran = stanch("init")
    assert ran.status == 0, ran.err
    assert not list(folder.rglob("*.db"))
    assert stanch("show", "--json").json == []
    engine = ledger.postgres_engine(url)
    with engine.connect() as conn:
        assert migrating.version(conn) == migrating.HEAD
    engine.dispose()


def test_a_server_that_is_used_is_not_made_anew(
    on_server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = on_server
    assert stanch("init").status == 0
    (folder / "other").mkdir()
    monkeypatch.chdir(folder / "other")
    (folder / "other" / "stanch.toml").write_text((folder / "stanch.toml").read_text())
    assert "already" in told("init")
    # Not even keys are left, which nothing would be signed with.
    assert not (folder / "other" / "data").exists()


def test_a_server_without_a_stanch_says_so(on_server: tuple[Path, str]) -> None:
    _, url = on_server
    assert stanch("init").status == 0
    engine = ledger.postgres_engine(url)
    with engine.begin() as conn:
        conn.execute(text("DROP SCHEMA public CASCADE"))
        conn.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    assert "stanch init" in told("show")


def test_an_older_database_waits_for_stanch_migrate(here: Path) -> None:
    assert stanch("init").status == 0
    path = here / "stanch-data" / "stanch.db"
    path.unlink()
    engine = ledger.sqlite_engine(path)
    upgrade(engine, "0001")
    engine.dispose()
    assert "stanch migrate" in told("show")
    assert "stanch migrate" in told("show")
    ran = stanch("migrate")
    assert (ran.status, f"0001 to {migrating.HEAD}" in ran.out) == (0, True)
    assert stanch("show", "--json").json == []
    assert "nothing was changed" in stanch("migrate").out


def test_what_needs_a_database_says_when_there_is_none(here: Path) -> None:
    for command in ("show", "migrate"):
        assert "stanch init" in told(command)


@pytest.mark.parametrize(
    ("setting", "url", "said"),
    [
        ("postgresql://u:hunter2@localhost/x", "", "never the URL itself"),
        ("env:OUR_DATABASE", "mysql://u:hunter2@localhost/x", "wrong URL"),
        ("env:OUR_DATABASE", "postgresql://u:hunter2@db.example/x?sslmode=prefer", "verify-full"),
        ("env:NOT_SET_AT_ALL", "", "cannot be resolved"),
        ("env:OUR_DATABASE", "postgresql://u:hunter2@127.0.0.1:1/x", "refused"),
    ],
)
def test_a_password_is_never_told(
    here: Path, monkeypatch: pytest.MonkeyPatch, setting: str, url: str, said: str
) -> None:
    assert stanch("init").status == 0
    monkeypatch.setenv("OUR_DATABASE", url)
    config = here / "stanch.toml"
    config.write_text(f'database = "{setting}"\n' + config.read_text())
    for command in ("show", "migrate"):
        line = told(command)
        assert said in line
        assert "hunter2" not in line
