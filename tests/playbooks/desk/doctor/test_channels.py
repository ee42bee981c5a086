"""Each sender and queue: can its key be had, when was it last heard, what was not understood."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from playbooks.case import schema, store
from playbooks.case.store import Store
from playbooks.desk.doctor import channels
from playbooks.desk.doctor.place import Place
from playbooks.desk.doctor.running import run
from playbooks.errors import SettingsError
from playbooks.wiring.channel_terms import Queue, Sender
from playbooks.wiring.settings import Account, Settings
from tests.playbooks.desk.console import desk, stanch
from tests.playbooks.desk.doctor.conftest import At, levels, the
from tests.playbooks.scene import Scene, apart

KEY = "canary-" + "k" * 40


def asked(tmp_path: Path, *keys: str) -> Place:
    sender = Sender(keys=keys)
    settings = Settings(home=tmp_path, sources={"siem": sender})
    return Place(settings, lambda: datetime.now(UTC))


def test_a_key_in_a_file_has_an_age(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(KEY)
    place = asked(tmp_path, f"file:{path}")
    assert levels(channels.sender(place, "siem")) == [("source siem", "ok")]
    old = (datetime.now(UTC) - timedelta(days=400)).timestamp()
    os.utime(path, (old, old))
    found = the(channels.sender(place, "siem"), "source siem")
    assert (found.level, "400 days" in found.what) == ("warn", True)
    assert KEY not in repr(found)


def test_a_key_in_the_environment_has_none(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("SIEM_KEY", KEY)
    monkeypatch.setenv("SHORT_KEY", "short")
    found = list(channels.sender(asked(tmp_path, "env:SIEM_KEY", "env:SHORT_KEY"), "siem"))
    assert [one.level for one in found] == ["ok", "bad"]
    assert "age is not known" in found[0].what


def test_a_key_that_cannot_be_had_is_bad_and_not_told(tmp_path: Path) -> None:
    place = asked(tmp_path, f"file:{tmp_path / KEY}")
    with pytest.raises(SettingsError):
        list(channels.sender(place, "siem"))
    (found,) = run({"source siem": lambda: channels.sender(place, "siem")})
    assert (found.level, KEY in found.what) == ("bad", False)


def with_channels(place: At) -> At:
    queue = Queue(url="https://sqs.example/q", account="111122223333", region="eu-west-1")
    settings = Settings(
        home=place.settings.home,
        accounts={"111122223333": Account()},
        sources={"siem": Sender(keys=("env:X",))},
        queues={"alerts": queue},
    )
    return At(settings, place.now, given=place.given)


def test_when_each_channel_was_last_heard(db: Store, place: At) -> None:
    place = with_channels(place)
    assert levels(channels.heard(place)) == [("siem:siem", "warn"), ("queue:alerts", "warn")]

    def came(channel: str, ago: timedelta) -> None:
        at = (place.now() - ago).isoformat()
        row = {"dedupe_key": channel, "incident": "INC-0001", "count": 1, "last_seen": at}
        values = row | {"channel": channel, "received": at, "repeats": 0}
        db.commit(lambda conn: conn.execute(insert(schema.alerts).values(values)))

    came("siem:siem", timedelta(days=9))
    came("queue:alerts", timedelta(minutes=3))
    told = {one.check: (one.level, one.what) for one in channels.heard(place)}
    assert told["siem:siem"] == ("warn", "nothing new for 9 days")
    assert told["queue:alerts"] == ("ok", "last event 3 min ago")


def test_what_was_not_understood_is_counted_with_the_newest_reason(db: Store, place: At) -> None:
    assert levels(channels.rejected(place)) == [("rejected", "ok")]

    def reject(channel: str, reason: str) -> None:
        letter = store.rejected_letter(channel, place.now(), reason, b"canary-in-body")
        db.commit(lambda conn: store.add_rejected(conn, letter))

    reject("queue:alerts", "not JSON")
    reject("siem:siem", "no severity")
    reject("siem:siem", "a time in the future")
    found = the(channels.rejected(place), "rejected")
    assert found.level == "warn"
    for word in ("1 from queue:alerts", "2 from siem:siem", "a time in the future"):
        assert word in found.what
    assert "canary" not in repr(found)


@apart
def test_a_queue_tells_what_waits_in_it_and_what_died_there(scene: Scene) -> None:
    with desk(scene):
        name = "queue guardduty"
        told = [f for f in stanch("doctor", "--json").json["findings"] if f["check"] == name]
        assert [one["level"] for one in told] == ["ok", "warn"]
        assert "reached; 0 messages" in told[0]["what"]
        assert "cannot be looked at" in told[1]["what"]


@apart
def test_what_died_in_a_queue_is_told_where_it_may_be_looked_at(scene: Scene) -> None:
    admin: Any = scene.world.client("sqs", scene.world.admin)

    queue = scene.estate.queue
    dead = admin.get_queue_url(QueueName="stanch-findings-dead")["QueueUrl"]
    assert queue.dead_letters.endswith(":stanch-findings-dead")
    for waiting in (1, 0):
        attributes = admin.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])
        if waiting:
            admin.send_message(QueueUrl=dead, MessageBody="x")
        else:
            admin.purge_queue(QueueUrl=dead)
        found = channels._dead_letters(admin, "queue q", attributes["Attributes"])
        assert (found.level, "stanch-findings-dead" in found.what) == (
            "warn" if waiting else "ok",
            True,
        )
    assert "no dead-letter queue" in channels._dead_letters(admin, "queue q", {}).what


@apart
def test_a_queue_that_nobody_empties_is_told(scene: Scene, monkeypatch: Any) -> None:
    monkeypatch.setattr(channels, "DEEP", 1)
    with desk(scene):
        admin: Any = scene.world.client("sqs", scene.world.admin)
        for _ in range(2):
            admin.send_message(QueueUrl=scene.estate.queue.url, MessageBody="x")
        told = [
            f
            for f in stanch("doctor", "--json").json["findings"]
            if f["check"] == "queue guardduty"
        ]
    assert (told[0]["level"], "2 messages wait" in told[0]["what"]) == ("warn", True)


@apart
def test_a_queue_that_is_not_there_is_bad(scene: Scene) -> None:
    with desk(scene):
        config = Path(os.environ["STANCH_CONFIG"])
        config.write_text(config.read_text().replace("/stanch-findings", "/elsewhere"))
        ran = stanch("doctor", "--json")
        (found,) = [f for f in ran.json["findings"] if f["check"] == "queue guardduty"]
        assert (ran.status, found["level"]) == (1, "bad")
        assert ran.json["well"] is False
