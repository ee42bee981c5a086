"""What docs/operations says is so: examples run against the door, figures exist, files parse."""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from playbooks.case.gauges import gauges, spooled
from playbooks.case.spool import Spool, make
from playbooks.desk import door
from playbooks.drills.range.estate_queue import TRIES
from playbooks.intake.counted import polls
from playbooks.intake.generic import read_generic
from playbooks.intake.queue import Polled
from playbooks.wiring.channel_terms import Sender
from playbooks.wiring.settings import Settings
from tests.playbooks.desk.test_door_figures import resting
from tests.playbooks.scene import Scene, apart
from tests.test_readme import commands

DOCS = Path(__file__).resolve().parents[1] / "docs" / "operations"
RUNNING, METRICS = ((DOCS / name).read_text() for name in ("running.md", "metrics.md"))


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", RUNNING, re.MULTILINE | re.DOTALL)


def pick(kind: str, word: str) -> str:
    """Return the one block of a kind that holds the word."""
    (found,) = [block for block in blocks(kind) if word in block]
    return found


@pytest.mark.parametrize("how", ["python", "sh"])
@apart
def test_a_sender_that_signs_as_shown_is_taken_in_once(scene: Scene, how: str) -> None:
    if how == "sh" and not (shutil.which("curl") and shutil.which("openssl")):
        pytest.skip("needs curl and openssl: apt-get install curl openssl")
    key, finding = scene.folder / "key", scene.folder / "finding.json"
    key.write_text("0123456789abcdef" * 4 + "\n")
    finding.write_text(pick("json", '"uid"').replace("2026-01-31T23:5", "2020-01-31T23:5"))
    scene.set(sources={"siem": Sender(keys=(f"file:{key}",))})
    bound = door.bind(0)
    made = door.door(scene.parts, scene.store, resting(scene))
    with door.listens(made, bound):
        command = [sys.executable, "-c"] if how == "python" else ["sh", "-c"]
        env = {"URL": f"{door.url(bound)}/intake/generic", "FINDING": str(finding)}
        ran = subprocess.run(
            [*command, blocks(how)[0]],
            env=os.environ | env | {"KEY_FILE": str(key)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {"incident": "INC-0001", "new": True}


def test_the_finding_shown_is_one() -> None:
    text = pick("json", '"uid"').encode()
    assert read_generic(text, "siem", received=datetime(2026, 3, 1, tzinfo=UTC)).count == 3


@apart
def test_the_queue_shown_is_the_one_that_the_range_enforces(scene: Scene) -> None:
    sqs: Any = scene.world.client("sqs", scene.world.admin)
    url = sqs.get_queue_url(QueueName="stanch-findings")["QueueUrl"]
    theirs = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert json.loads(pick("json", "Principal")) == json.loads(theirs["Policy"])
    redrive = json.loads(pick("json", "maxReceiveCount"))
    assert redrive["maxReceiveCount"] == TRIES
    assert redrive["deadLetterTargetArn"].endswith(":stanch-findings-dead")
    pattern = json.loads(pick("json", "detail-type"))
    event = json.loads(scene.deployment.finding())
    assert all(event[name] in allowed for name, allowed in pattern.items())


def test_the_settings_shown_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = tomllib.loads(pick("toml", "home ="))
    (tmp_path / "stanch.toml").write_text("")
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    made = Settings(**shown)
    assert set(made.queues) == {"guardduty"}
    assert made.serve.port == int(re.findall(r"ready http://127.0.0.1:(\d+)", RUNNING)[0])


def test_the_unit_shown_starts_a_command_that_exists() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(pick("ini", "[Service]"))
    assert unit["Service"]["ExecStart"].split()[1] in commands()
    assert int(unit["Service"]["TimeoutStopSec"]) > 25


@apart
def test_every_figure_is_documented_and_every_documented_figure_is_there(scene: Scene) -> None:
    metrics, now = scene.parts.metrics, scene.parts.now
    make(scene.folder / "spool-made", 1 << 16, os.urandom)
    metrics.watch(lambda: gauges(scene.store, now))
    metrics.watch(lambda: spooled(Spool(scene.folder / "spool-made")))
    metrics.watch(lambda: polls([Polled("alerts", now())], now()))
    incident = scene.take()

    async def body(case: Any) -> None:
        await case.seal("interim")

    scene.enter(incident, body)
    text = metrics.text().decode()
    there = {f"{f.name}_total" if f.type == "counter" else f.name for f in parsed(text)}
    there = {f"{n}_info" if n == "stanch_build" else n for n in there if n.startswith("stanch_")}
    documented = set(re.findall(r"^\| `(stanch_[a-z_]+)", METRICS, re.MULTILINE))
    assert there == documented
    alerted = set(re.findall(r"stanch_[a-z_]+", METRICS.partition("## What to alert on")[2]))
    assert {name.removesuffix("_bucket") for name in alerted} <= documented


def parsed(text: str) -> list[Any]:
    return list(text_string_to_metric_families(text))


def test_every_file_named_is_there() -> None:
    for name in re.findall(r"\]\(([a-z]+\.md)\)", RUNNING + METRICS):
        if name == "prefect.md" and not (DOCS / name).exists():
            pytest.skip("docs/operations/prefect.md is not written yet")
        assert (DOCS / name).is_file()


@apart
def test_what_the_table_takes_from_the_range_is_there(scene: Scene) -> None:
    named = re.findall(r"`estate\.([a-z_.]+)`", RUNNING)
    assert {"target", "queue.url", "external_id"} <= set(named)
    for name in named:
        assert attrgetter(name)(scene.estate)
