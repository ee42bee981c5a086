"""With all that Stanch leans on hanging or gone, the doctor still says so, in time, once each."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playbooks.desk.console import stanch

ROOT = Path(__file__).resolve().parents[4]
SECRETS = ("canary-database-password", "canary-external-id", "canary-" + "s" * 40)
SETTINGS = """
database = "env:DOWN_DATABASE"
aws_endpoint = "{aws}"
[accounts."111122223333"]
role = "arn:aws:iam::111122223333:role/stanch"
external_id = "env:DOWN_EXTERNAL_ID"
regions = ["eu-west-1", "eu-central-1"]
[queues.alerts]
url = "https://sqs.eu-west-1.amazonaws.com/111122223333/alerts"
account = "111122223333"
region = "eu-west-1"
[sources.siem]
keys = ["env:DOWN_KEY"]
"""


@pytest.fixture(params=["hangs", "refuses"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Yield a port of loopback that takes connections and says nothing, or takes none."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if request.param == "hangs":
            server.listen(64)
        yield server.getsockname()[1]


def test_all_that_is_down_is_told_within_ten_seconds(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STANCH_CONFIG", raising=False)
    assert stanch("init").status == 0
    config = tmp_path / "stanch.toml"
    config.write_text(SETTINGS.format(aws=f"http://127.0.0.1:{port}"))
    down = {
        "DOWN_DATABASE": f"postgresql://u:{SECRETS[0]}@127.0.0.1:{port}/stanch",
        "DOWN_EXTERNAL_ID": SECRETS[1],
        "DOWN_KEY": SECRETS[2],
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "AWS_ACCESS_KEY_ID": "AKIADOWN",
        "AWS_SECRET_ACCESS_KEY": "canary-" + "a" * 33,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    code = "import sys; sys.argv = ['stanch', 'doctor', '--json']; import playbooks.__main__ as m; "
    # What is imported is no part of the answer.
    code += "m.built(['doctor']); "
    code += "import time; b = time.monotonic()\\ntry:\\n m.main()\\nfinally:\\n "
    code += "print(time.monotonic() - b, file=sys.stderr)"
    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-c", code.replace("\\n", "\n")],
        env=os.environ | down | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert time.monotonic() - began < 30
    assert float(ran.stderr.splitlines()[-1]) < 10
    assert ran.returncode == 1, ran.stderr
    told = {f["check"]: f for f in json.loads(ran.stdout)["findings"]}
    gone = ("database", "backlog", "111122223333/eu-west-1", "queue alerts", "prefect server")
    assert {told[name]["level"] for name in gone} <= {"bad", "warn"}
    assert told["keys"]["level"] == "ok"
    assert told["source siem"]["level"] == "ok"
    assert "canary" not in ran.stdout + ran.stderr
