"""The doors' figures: each answer counted once under why, and shown without a stranger's text."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from playbooks.intake.accepted import Accepted, Arrival, Came
from playbooks.intake.answers import _BY_ERROR, _BY_STATUS
from playbooks.intake.counted import (
    REASONS,
    CountedAnswers,
    Figures,
    counting,
    counting_rejects,
    polls,
)
from playbooks.intake.errors import ReplayedError
from playbooks.intake.queue import Polled
from playbooks.intake.read import read_alert
from playbooks.wiring.metrics import Metrics
from tests.intake.guardduty_findings import enveloped, tor_client

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ALERT = read_alert(json.dumps(enveloped(tor_client())).encode(), received=NOW)


def figures(metrics: Metrics) -> dict[str, float]:
    """Return name and label values -> value, of what is counted."""
    return {
        "/".join([one.name, *one.labels.values()]): one.value
        for family in text_string_to_metric_families(metrics.text().decode())
        for one in family.samples
        if one.name.startswith("stanch_") and one.name.endswith(("_total", "_sum", "_count"))
    }


def test_what_was_taken_in_is_counted_and_timed_from_its_receipt() -> None:
    metrics = Metrics()
    found = [Accepted("INC-0001", True), Accepted("INC-0001", False), ReplayedError("seen")]
    take = counting(lambda _: found, metrics, lambda: NOW + timedelta(seconds=2))
    arrivals = [Arrival(ALERT, Came("siem:x")) for _ in found]
    assert take(arrivals) is found
    told = figures(metrics)
    assert told["stanch_alerts_total/siem:x/opened"] == 1
    assert told["stanch_alerts_total/siem:x/known"] == 1
    assert told["stanch_alert_accept_seconds_count"] == 2
    assert told["stanch_alert_accept_seconds_sum"] == 4


def test_a_dead_letter_is_counted_once_it_is_recorded() -> None:
    metrics, kept = Metrics(), []

    def reject(data: bytes, came: Came, reason: str) -> None:
        if reason == "broken":
            raise OSError("disk full")
        kept.append(data)

    counted = counting_rejects(reject, metrics)
    counted(b"x", Came("queue:alerts"), "not JSON")
    with pytest.raises(OSError, match="disk full"):
        counted(b"y", Came("queue:alerts"), "broken")
    assert kept == [b"x"]
    assert figures(metrics)["stanch_alerts_rejected_total/queue:alerts"] == 1


def test_a_queue_that_falls_silent_grows_old() -> None:
    states = [
        Polled("alerts", NOW - timedelta(seconds=70), failures=3),
        Polled("new"),
        Polled("ahead", NOW + timedelta(seconds=5)),
    ]
    metrics = Metrics()
    metrics.watch(lambda: polls(states, NOW))
    told = metrics.text().decode()
    for line in (
        'stanch_queue_poll_age_seconds{queue="alerts"} 70.0',
        'stanch_queue_poll_age_seconds{queue="ahead"} 0.0',
        'stanch_queue_poll_failures{queue="alerts"} 3.0',
        'stanch_queue_poll_failures{queue="new"} 0.0',
    ):
        assert line in told
    assert 'stanch_queue_poll_age_seconds{queue="new"}' not in told


def test_every_answer_that_turns_away_has_a_reason_of_its_own() -> None:
    refusals = {one.status for one in (*_BY_ERROR.values(), *_BY_STATUS.values())}
    assert refusals - REASONS.keys() == {404, 405}
    assert len(set(REASONS.values())) == len(REASONS)


def asked(app: Any, path: str) -> list[Any]:
    """Ask an ASGI application; return the messages that it sends."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    asyncio.run(app(scope, receive, send))
    return sent


def test_each_answer_is_counted_under_why() -> None:
    metrics = Metrics()

    async def answer(request: Any) -> Response:
        return Response(status_code=int(request.path_params["status"]))

    app = CountedAnswers(Starlette(routes=[Route("/{status}", answer)]), metrics)
    for status in (202, 200, *REASONS, 404):
        asked(app, f"/{status}")
    counted = {n: v for n, v in figures(metrics).items() if "requests_refused" in n}
    reasons = {*REASONS.values(), "no_such_route"}
    assert counted == {f"stanch_requests_refused_total/{reason}": 1 for reason in reasons}


def test_the_figures_are_read_off_the_loop() -> None:
    metrics, threads = Metrics(), []

    def text() -> bytes:
        threads.append(threading.current_thread())
        return metrics.text()

    with ThreadPoolExecutor(1) as pool:
        start, body = asked(Figures(text, pool), "/metrics")
    assert threads != [threading.current_thread()]
    assert dict(start["headers"])[b"content-type"].startswith(b"text/plain; version=0.0.4")
    assert b"stanch_build_info" in body["body"]
