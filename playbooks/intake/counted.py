"""Counts what the doors take in and turn away, and shows the figures to Prometheus."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from datetime import datetime
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playbooks.intake.accepted import Accept, Accepted, Arrival, Came, Reject
from playbooks.intake.queue import Polled
from playbooks.wiring.metrics import CONTENT_TYPE, Gauge, Metrics

# Why a request was turned away, by the status of the answer.
REASONS: Final = {
    400: "not_json",
    401: "unsigned",
    403: "stale",
    408: "slow",
    409: "replayed",
    413: "too_large",
    415: "media_type",
    421: "foreign_host",
    422: "not_a_finding",
    503: "unavailable",
}


def counting(accept: Accept, metrics: Metrics, now: Callable[[], datetime]) -> Accept:
    """Return `accept` with each alert that it took in counted, and timed from its receipt."""

    def counted(arrivals: Sequence[Arrival]) -> Sequence[Accepted | Exception]:
        found = accept(arrivals)
        at = now()
        for arrival, one in zip(arrivals, found, strict=True):
            if isinstance(one, Accepted):
                took = (at - arrival.alert.received).total_seconds()
                metrics.taken(arrival.came.channel, "opened" if one.new else "known", took)
        return found

    return counted


def counting_rejects(reject: Reject, metrics: Metrics) -> Reject:
    """Return `reject` with each dead letter counted."""

    def counted(data: bytes, came: Came, reason: str) -> None:
        reject(data, came, reason)
        metrics.rejected(came.channel)

    return counted


def polls(states: Iterable[Polled], now: datetime) -> Iterator[Gauge]:
    """Yield how polling goes, for each queue that it has begun for."""
    for one in states:
        queue = (("queue", one.queue),)
        yield Gauge(
            "stanch_queue_poll_failures", "Polls that failed in a row.", one.failures, queue
        )
        if one.succeeded is not None:
            age = max((now - one.succeeded).total_seconds(), 0.0)
            yield Gauge(
                "stanch_queue_poll_age_seconds", "Since the queue last answered.", age, queue
            )


class CountedAnswers:
    """Counts the answers that turn a request away, by the reason that their status stands for."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                self._metrics.refused(REASONS.get(message["status"], "no_such_route"))
            await send(message)

        await self._app(scope, receive, watched)


class Figures:
    """The route GET /metrics. Gauges are read from the database, so it is done in the pool."""

    def __init__(self, metrics: Callable[[], bytes], pool: Executor) -> None:
        self._metrics = metrics
        self._pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        text = await asyncio.get_running_loop().run_in_executor(self._pool, self._metrics)
        headers = [
            (b"content-type", CONTENT_TYPE.encode()),
            (b"content-length", str(len(text)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text})
