"""What commands that stay have in common: signals, Prefect's server, and the responder."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Annotated, Any, NoReturn

import typer

from evidence.errors import StoreRefusedError
from playbooks.case.store import Store
from playbooks.respond import service
from playbooks.respond.responder import Responder
from playbooks.respond.service import responding
from playbooks.wiring import logs
from playbooks.wiring.key_use import used
from playbooks.wiring.parts import Parts
from playbooks.wiring.prefect_server import beside

log = logging.getLogger("stanch.serve")

# Seconds beyond those that the verbs in hand are given: for Prefect's server, and the last sync.
SLACK = 10.0

WithoutPrefect = Annotated[
    bool, typer.Option("--without-prefect", help="Show nothing in Prefect, and start no server.")
]


@contextmanager
def answering(parts: Parts, db: Store, *, prefect: bool) -> Iterator[Responder]:
    """Answer what is due while the block runs, with a server of Prefect beside it."""
    logs.set_up(json=True)
    # Its environment has to be set before the plays, and Prefect with them, are imported.
    with (
        used(parts.settings.home / "keys"),
        beside(parts.settings.home) if prefect else nullcontext() as server,
        responding(parts, db, server) as responder,
    ):
        # Prefect gives handlers to the loggers of the other two as well.
        for package in ("prefect", "uvicorn", "fastapi"):
            logs.gather(package)
        try:
            yield responder
        finally:
            # A verb that hangs in a call must not keep the process: its lease runs out by itself.
            end = threading.Timer(service.PATIENCE + SLACK, os._exit, (0,))
            end.daemon = True
            end.start()


def fit(parts: Parts) -> None:
    """Refuse a store that is not fit for evidence. Raise LockerError that says what to do.

    One that does not answer keeps no alert waiting: what is kept fails meanwhile, on record.
    """
    try:
        parts.locker.refuse_unfit()
    except StoreRefusedError as error:
        log.error("artifacts cannot be kept for now: %s", error)


def leave(responder: Responder) -> NoReturn:
    """End this process, now that all is in order; with status 1 where a part of it broke off.

    At exit Prefect would try for seconds each event that its server, which has ended, no longer
    takes (prefect.events.clients, reconnection_attempts).
    """
    logging.shutdown()
    sys.stdout.flush()
    os._exit(1 if responder.broken.is_set() else 0)


def until_told(responder: Responder) -> None:
    """Return once this process is told to end, or a part of it broke off; told again, it ends.

    To be called in the main thread. SIGTERM and SIGINT tell it.
    """
    told: list[int] = []

    def tell(signum: int, _frame: Any) -> None:
        if told:
            os._exit(128 + signum)
        told.append(signum)

    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, tell)
    while not told and not responder.broken.is_set():
        time.sleep(0.1)
