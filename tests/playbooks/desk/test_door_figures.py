"""GET /metrics of the door, over real HTTP: what came in is in it, at once."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from playbooks.case import store
from playbooks.case.store import EVERYWHERE, Freeze
from playbooks.desk import door
from playbooks.respond import standby
from playbooks.respond.responder import Responder
from playbooks.wiring.channel_terms import Sender
from tests.playbooks.scene import Scene, apart

KEY = "k" * 64


def resting(scene: Scene) -> Responder:
    """Return a responder that takes alerts in and works on none."""
    emergency = standby.prepared(scene.parts, scene.store)
    return Responder(scene.parts, scene.store, None, emergency)


@contextmanager
def opened(scene: Scene, monkeypatch: Any) -> Iterator[str]:
    monkeypatch.setenv("SIEM_KEY", KEY)
    scene.set(sources={"siem": Sender(keys=("env:SIEM_KEY",))})
    bound = door.bind(0)
    made = door.door(scene.parts, scene.store, resting(scene))
    with door.listens(made, bound):
        yield door.url(bound)


def post(url: str, body: bytes, key: str = KEY) -> int:
    at = str(int(time.time()))
    signature = hmac.new(key.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Stanch-Source": "siem",
        "Stanch-Timestamp": at,
        "Stanch-Signature": f"v1={signature}",
    }
    request = urllib.request.Request(f"{url}/intake/generic", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def scraped(url: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert "canary" not in text
    return {
        "/".join([one.name.removeprefix("stanch_"), *one.labels.values()]): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


@apart
def test_what_came_in_and_where_all_stands_is_scraped(scene: Scene, monkeypatch: Any) -> None:
    finding = scene.deployment.finding(title="canary")
    with opened(scene, monkeypatch) as url:
        before = scraped(url)
        assert before["database_up"] == 1
        assert sum(v for n, v in before.items() if n.startswith("incidents_open")) == 0
        assert [post(url, finding), post(url, finding, key="canary" * 9)] == [202, 401]
        assert post(url, json.dumps({"canary": 1}).encode()) == 422
        freeze = Freeze(EVERYWHERE, "alice", "a storm", scene.parts.now())
        scene.store.commit(lambda conn: store.add_freeze(conn, freeze))
        after = scraped(url)
    told = {
        "alerts_total/siem:siem/opened": 1,
        "alert_accept_seconds_count": 1,
        "alerts_rejected_total/siem:siem": 1,
        "requests_refused_total/unsigned": 1,
        "requests_refused_total/not_a_finding": 1,
        "rejected_messages": 1,
        "work_due": 1,
        "frozen/all": 1,
    }
    assert {name: after.get(name) for name in told} == told
    assert sum(v for n, v in after.items() if n.startswith("incidents_open")) == 1
    assert after["ledger_unintegrated_entries"] > 0


@apart
def test_a_page_elsewhere_reads_no_figures(scene: Scene, monkeypatch: Any) -> None:
    with opened(scene, monkeypatch) as url:
        request = urllib.request.Request(f"{url}/metrics", headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        refused.value.close()
        assert refused.value.code == 421
        assert scraped(url)["requests_refused_total/foreign_host"] == 1
