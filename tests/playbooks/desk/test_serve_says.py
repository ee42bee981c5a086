"""`stanch serve` as a process: what it writes is one JSON object a line, and holds no secret."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.playbooks.desk.console import desk
from tests.playbooks.desk.test_door_figures import post, scraped
from tests.playbooks.scene import Scene, apart

ROOT = Path(__file__).resolve().parents[3]
KEY = "canary-signing-key-" + "k" * 40


@apart
def test_it_writes_json_without_secrets_and_leaves_well(scene: Scene) -> None:
    hostile = "canary\x1b[31m\n{}\u202e"
    with desk(scene):
        told = {"STANCH_DRILL_EXTERNAL_ID": "canary-external-id", "STANCH_DRILL_SIEM_KEY": KEY}
        child = subprocess.Popen(
            [sys.executable, "-m", "playbooks", "serve", "--port", "0", "--without-prefect"],
            env=os.environ | told | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        url = child.stdout.readline().removeprefix("ready ").strip()
        # Its role cannot be assumed, so the play of this one is refused, and says so.
        finding = scene.deployment.finding(title="t", description=hostile)
        statuses = [post(url, finding, KEY), post(url, finding, "forged"), post(url, b"{", KEY)]
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as stranger:
            stranger.sendall(b"\x1b[31mno HTTP\r\n\r\n")
            assert stranger.recv(64).startswith(b"HTTP/1.1 400")
        figures = scraped(url)
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=60)
    assert statuses == [202, 401, 400]
    assert figures["requests_refused_total/unsigned"] == 1
    assert child.returncode == 0, said
    lines = [json.loads(line) for line in said.splitlines()]
    assert lines, "the account that cannot be reached was to be logged"
    for line in lines:
        assert {"ts", "level", "event", "logger"} <= line.keys()
    assert said.isascii()
    assert "canary" not in said
    assert "\x1b" not in said
