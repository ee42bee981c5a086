"""Prefect's server: a child that dies with us, or one that is named; never what holds us up."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from playbooks.wiring.prefect_server import beside, environment, running

HOLDER = """
import sys, time
from pathlib import Path
from playbooks.wiring.prefect_server import running

with running(Path(sys.argv[1]), 90) as url:
    print(url, flush=True)
    time.sleep(600)
"""


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_server_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=env
    )
    assert holder.stdout is not None
    url = holder.stdout.readline().strip()
    port = int(url.split(":")[2].partition("/")[0])
    assert _listens(port)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    # The end of the pipe: nobody else holds it open.
    assert holder.stdout.read() == ""
    holder.stdout.close()
    end = time.monotonic() + 20
    while _listens(port):
        assert time.monotonic() < end, "the server outlives its parent"
        time.sleep(0.1)


def test_the_server_is_given_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment(tmp_path):
        monkeypatch.setenv(name, "")
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    for name in ("STANCH_SIEM_KEY", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
        monkeypatch.setenv(name, "canary-for-the-child")
    with beside(tmp_path) as server:
        end = time.monotonic() + 20
        while server.pid is None:
            assert time.monotonic() < end, "no server was started"
            time.sleep(0.02)
        given = Path(f"/proc/{server.pid}/environ").read_bytes()
    assert b"canary-for-the-child" not in given
    assert f"PREFECT_HOME={tmp_path / 'prefect'}".encode() in given


def test_a_server_that_is_named_is_used_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in environment(tmp_path):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with running(tmp_path, 0) as url:
        assert url == "http://127.0.0.1:9/api"
    assert os.environ["PREFECT_API_URL"] == url
    assert not (tmp_path / "prefect").exists()


def test_a_server_that_does_not_answer_in_time_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in environment(tmp_path):
        monkeypatch.setenv(name, "")
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with running(tmp_path, 0.0) as url:
        assert url is None
        assert "PREFECT_API_URL" not in os.environ
    assert (tmp_path / "prefect").stat().st_mode & 0o777 == 0o700


def test_telemetry_is_off_and_nothing_is_kept(tmp_path: Path) -> None:
    env = environment(tmp_path)
    assert env["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert env["PREFECT_RESULTS_PERSIST_BY_DEFAULT"] == "false"
    assert env["PREFECT_LOGGING_TO_API_ENABLED"] == "false"
    assert env["DO_NOT_TRACK"] == "1"
