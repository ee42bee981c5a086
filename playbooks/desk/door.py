"""The door of this host: where it listens, and what it takes in."""

import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from playbooks.case.gauges import gauges, spooled
from playbooks.case.spool import Spool
from playbooks.case.store import Store
from playbooks.errors import SettingsError
from playbooks.intake.accepted import Accept, Accepted, Arrival, Reject
from playbooks.intake.counted import CountedAnswers, Figures, counting, counting_rejects
from playbooks.intake.http import Door, app
from playbooks.intake.listen import LOOPBACK, listening
from playbooks.intake.senders import known_senders
from playbooks.intake.signed import Senders, Signed, Stamp, check
from playbooks.respond.responder import Responder
from playbooks.respond.take import rejecting
from playbooks.wiring import logs
from playbooks.wiring.parts import Parts

log = logging.getLogger("stanch.door")


def bind(port: int) -> socket.socket:
    """Return a socket on a port of loopback. Raise SettingsError where it is taken."""
    # Named TCP, so that asyncio sends each answer at once and not 40 ms later (TCP_NODELAY).
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
        # Whoever connects from here on waits, and is answered once the rest is up.
        bound.listen(1024)
    except OSError as error:
        bound.close()
        raise SettingsError(
            f"port {port} of {LOOPBACK} cannot be listened on: {error.strerror}. If "
            "`stanch serve` runs here already, `stanch worker` adds to it; else name another with "
            "--port, or under [serve] in stanch.toml."
        ) from error
    return bound


def url(bound: socket.socket) -> str:
    """Return where the socket listens."""
    return f"http://{LOOPBACK}:{bound.getsockname()[1]}"


def taking(parts: Parts, db: Store, responder: Responder) -> tuple[Accept, Reject]:
    """Return what takes alerts and dead letters in, counts them, and wakes the responder."""

    def accept(arrivals: Sequence[Arrival]) -> Sequence[Accepted | Exception]:
        found = responder.emergency.accepting(arrivals)
        responder.kick()
        for arrival, one in zip(arrivals, found, strict=True):
            if isinstance(one, Accepted) and one.new:
                with logs.about(incident=one.incident):
                    log.info("opened by an alert from %s", arrival.came.channel)
        return found

    rejects = counting_rejects(rejecting(parts, db), parts.metrics)
    return counting(accept, parts.metrics, parts.now), rejects


def door(parts: Parts, db: Store, responder: Responder) -> FastAPI:
    """Return the application that takes alerts in, and says that it is up."""
    accept, reject = taking(parts, db, responder)
    verify = partial(_verify, known_senders(parts.settings, parts.random), parts)
    pool = ThreadPoolExecutor(4, thread_name_prefix="door")
    metrics = parts.metrics
    made = app(Door(accept, reject, verify, parts.now, pool))
    made.router.routes.append(Route("/health", _health(responder)))
    metrics.watch(lambda: gauges(db, parts.now))
    metrics.watch(lambda: spooled(Spool(parts.settings.spool_path)))
    made.router.routes.append(Route("/metrics", Figures(metrics.text, pool), methods=["GET"]))
    made.add_middleware(CountedAnswers, metrics=metrics)
    return made


def _verify(known: Senders, parts: Parts, stamp: Stamp, body: bytes) -> Signed:
    return check(known, stamp, body, parts.now())


def _health(responder: Responder) -> Callable[[Request], Awaitable[JSONResponse]]:
    """Say that alerts are taken in, and whether by the spool for want of the database."""

    async def health(_request: Request) -> JSONResponse:
        return JSONResponse({"status": "up", "spooling": responder.emergency.on})

    return health


@contextmanager
def listens(made: FastAPI, bound: socket.socket) -> Iterator[None]:
    """Answer on the socket while the block runs, from a thread: signals stay the caller's."""
    server = uvicorn.Server(listening(made, bound.getsockname()[1]))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name="door")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
