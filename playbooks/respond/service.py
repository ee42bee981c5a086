"""Keeps a responder running in this process: its loop, the reconciler and the integrator."""

import asyncio
import gc
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from playbooks.case.store import Store
from playbooks.intake.known_types import known_types
from playbooks.respond import integrator, plays, publishing, reconciler, standby, timestamping
from playbooks.respond.responder import Responder
from playbooks.wiring.parts import Parts
from playbooks.wiring.prefect_server import Server

log = logging.getLogger("stanch.responder")

# Seconds that the verbs in hand are given to end when the process is to stop.
PATIENCE = 25.0
# Seconds that the first look at what stands half-way may hold up everything else.
BOOT = 10.0


@contextmanager
def responding(
    parts: Parts, db: Store, server: Server | None, *, patience: float = PATIENCE
) -> Iterator[Responder]:
    """Work what is due while the block runs; yield the responder, to be kicked.

    What a crash left half-way is taken to its end first. On leaving, the verbs in hand end. Where
    one of its threads breaks off, that is logged, and `broken` of the responder is set.
    """
    warm(parts)
    emergency = standby.prepared(parts, db)
    # What is loaded by now stays: looking through it all again stops every thread for 0.1 s and
    # more, in the middle of an alert (Python documentation, `gc.freeze`).
    gc.collect()
    gc.freeze()
    responder = Responder(parts, db, server, emergency)
    ending = threading.Event()
    going: dict[str, Callable[[], None]] = {
        # Not in the main thread: Prefect would take its SIGTERM for the flow's (capture_sigterm).
        "responder": partial(_work, parts, db, responder, patience),
        "reconciler": partial(reconciler.keep, parts, db, responder.kick, ending),
        "integrator": partial(integrator.integrate, parts, db, ending),
        "timestamps": partial(timestamping.keep, parts, db, ending),
        "publisher": partial(publishing.keep, parts, db, ending),
        "standby": partial(standby.keep, emergency, responder.kick, ending),
    }
    threads = [
        threading.Thread(target=_kept, args=(responder, work), name=name)
        for name, work in going.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield responder
    finally:
        responder.stop()
        threads[0].join()
        ending.set()
        for thread in threads[1:]:
            thread.join()


def _kept(responder: Responder, work: Callable[[], None]) -> None:
    try:
        work()
    except BaseException as error:
        # Alerts would be taken in and never answered. A process that starts anew goes on.
        name = threading.current_thread().name
        log.critical(
            "the %s broke off; this process ends, to be started again", name, exc_info=error
        )
        responder.broken.set()


def _work(parts: Parts, db: Store, responder: Responder, patience: float) -> None:
    async def work() -> None:
        tried = asyncio.Event()
        booted = asyncio.ensure_future(_booted(parts, db, tried))
        # What stands half-way goes first, but a database that is away must not hold alerts up.
        with suppress(TimeoutError):
            await asyncio.wait_for(tried.wait(), BOOT)
        try:
            await responder.work(patience)
        finally:
            booted.cancel()

    asyncio.run(work())


async def _booted(parts: Parts, db: Store, tried: asyncio.Event) -> None:
    while True:
        try:
            return await reconciler.boot(parts, db)
        except SQLAlchemyError as error:
            log.error("the database said %s at the start; tried again", type(error).__name__)
        finally:
            tried.set()
        await asyncio.sleep(reconciler.LOOK)


def warm(parts: Parts) -> None:
    """Import every play, read what findings mean and make every account's clients, so that no
    alert waits for it."""
    known_types()
    for name in plays.names():
        plays.find(name)
    for account, known in parts.settings.accounts.items():
        for region in known.regions:
            try:
                aws = parts.aws(account, region)
                _ = aws.ec2, aws.iam, aws.autoscaling, aws.elbv2
            except Exception as error:
                # AWS, or this one account, may be away now; the first alert then finds out more.
                log.warning("no clients for %s yet: %s", account, type(error).__name__)
