"""The throw-away server: private, empty at first, back after a kill, gone with who started it."""

import os
import select
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.postgres import programs, server

ROOT = Path(__file__).resolve().parents[1]

START_AND_WAIT = """
import sys
from tests.postgres import server
with server() as postgres:
    print(postgres.pid, postgres.folder, flush=True)
    sys.stdin.read()
"""


def test_each_test_gets_an_empty_database_of_its_own(postgres_server):
    names = [postgres_server.database(), postgres_server.database()]
    assert len(set(names)) == 2
    for name in names:
        engine = create_engine(postgres_server.url(name))
        with engine.begin() as conn:
            conn.execute(text("CREATE TABLE only_here (n integer)"))
        engine.dispose()
        postgres_server.drop(name)


def test_nobody_enters_without_the_password(postgres_url):
    wrong = postgres_url.replace("+psycopg", "").replace("stanch:", "stanch:x")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


@pytest.mark.parametrize("how", ["immediate", "kill"])
def test_what_was_committed_is_there_after_a_kill(postgres_server, how):
    with server() as postgres:
        url = postgres.url().replace("+psycopg", "")
        with psycopg.connect(url) as conn:
            conn.execute("CREATE TABLE kept (n integer)")
            conn.execute("INSERT INTO kept VALUES (7)")
        postgres.stop(how)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url)
        postgres.start()
        with psycopg.connect(url) as conn:
            assert conn.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_it_ends_with_the_process_that_started_it(postgres_server):
    command = [sys.executable, "-c", START_AND_WAIT]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        pid, folder = child.stdout.readline().split()
        watch = os.pidfd_open(int(pid))
        child.kill()
    ended, _, _ = select.select([watch], [], [], 30)
    os.close(watch)
    shutil.rmtree(folder)
    assert ended


def test_where_there_is_none_it_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(FileNotFoundError, match="apt-get install postgresql"):
        programs()
