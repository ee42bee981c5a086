"""The signed door for SIEMs: POST /intake/generic, answered 202 once the alert is durable.

A request is refused as early as what is known of it allows: host, type and size by its headers,
then its signature, and only a known sender's body is parsed. An answer is one of a few fixed
texts and repeats nothing of what came.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from playbooks.intake.accepted import Accept, Accepted, Arrival, Came, Reject
from playbooks.intake.alert import Alert
from playbooks.intake.answers import LARGEST, Answer, answer_to, of_status
from playbooks.intake.errors import (
    IntakeError,
    MediaTypeError,
    SlowError,
    TooLargeError,
    UnsignedError,
)
from playbooks.intake.generic import read_generic
from playbooks.intake.outermost import Outermost
from playbooks.intake.settle import read_or_reject, take_in
from playbooks.intake.signed import Signed, Stamp
from playbooks.intake.together import Together

# A body of the largest size at a modem's speed; a sender on loopback needs a millisecond.
PATIENCE: Final = 10.0
_STAMP: Final = (b"stanch-source", b"stanch-timestamp", b"stanch-signature")
_ONCE: Final = {*_STAMP, b"content-type", b"content-length", b"content-encoding"}


@dataclass(frozen=True, slots=True)
class Door:
    """What the app needs: who takes alerts in and dead letters, who checks, time, and threads.

    `verify` raises RequestError; `accept` and `reject` wait for the disk, in `pool`.
    """

    accept: Accept
    reject: Reject
    verify: Callable[[Stamp, bytes], Signed]
    now: Callable[[], datetime]
    pool: Executor
    patience: float = PATIENCE


def app(door: Door) -> FastAPI:
    """Return the application; routes may be added, and all keep its host check and last resort."""
    made = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    made.router.routes.append(Route("/intake/generic", _Intake(door), methods=["POST"]))
    made.add_middleware(Outermost)
    for status in (404, 405):
        made.add_exception_handler(status, partial(_otherwise, status))
    return made


async def _otherwise(status: int, _request: object, _error: Exception) -> Any:
    return of_status(status).response()


class _Intake:
    """The route as plain ASGI: it is the hot path, and wants nothing of a framework."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._together = Together(partial(_taken, door), door.pool)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            stamp = _stamp(scope)
            async with asyncio.timeout(self._door.patience):
                body = await _body(receive)
            if body is None:
                return  # The sender has gone; there is nobody to answer.
            taken = await self._take(stamp, body)
        except TimeoutError:
            answer = answer_to(
                SlowError("The body did not arrive in time; the whole was expected.")
            )
        except IntakeError as error:
            answer = answer_to(error)
        else:
            text = json.dumps({"incident": taken.incident, "new": taken.new}).encode()
            answer = Answer(202, text)
        await answer.send(send)

    async def _take(self, stamp: Stamp, body: bytes) -> Accepted:
        return await self._together.do((body, self._door.verify(stamp, body)))


def _taken(door: Door, requests: Sequence[tuple[bytes, Signed]]) -> list[Accepted | Exception]:
    return take_in(door.accept, [_read(door, body, signed) for body, signed in requests])


def _read(door: Door, body: bytes, signed: Signed) -> Arrival | Exception:
    came = Came(f"siem:{signed.sender}", signed.digest, signed.at)

    def read() -> Alert:
        return read_generic(body, signed.sender, received=door.now())

    return read_or_reject(read, body, came, door.reject)


def _stamp(scope: Scope) -> Stamp:
    """Return the signature's headers; raise what the headers alone give cause for."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _ONCE:
            if name in found:  # Two readers may believe different ones.
                raise UnsignedError("A header came twice; once was expected.")
            found[name] = value
    declared = found.get(b"content-type", b"").lower().replace(b" ", b"")
    if declared not in (b"application/json", b"application/json;charset=utf-8"):
        raise MediaTypeError("Not declared as application/json, which was expected.")
    if found.get(b"content-encoding", b"identity").lower() != b"identity":
        raise MediaTypeError("Declared as encoded; a plain body was expected.")
    length = found.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > 9 or int(length) > LARGEST:
        raise TooLargeError(f"Declared larger than the {LARGEST} bytes that were expected.")
    if any(name not in found for name in _STAMP):
        raise UnsignedError("Not signed; three Stanch- headers were expected.")
    return Stamp(*(found[name].decode("latin-1") for name in _STAMP))


async def _body(receive: Receive) -> bytes | None:
    """Return the body, or None when the sender went away first. Raise TooLargeError."""
    parts: list[bytes] = []
    left, more = LARGEST, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        left -= len(part)
        if left < 0:
            raise TooLargeError(f"Larger than the {LARGEST} bytes that were expected.")
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)
