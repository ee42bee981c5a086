"""What a sender is told: a status and one fixed JSON text, whatever it sent."""

import json
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response
from starlette.types import Send

from playbooks.intake.errors import (
    IntakeError,
    MediaTypeError,
    NotJsonError,
    ReplayedError,
    SlowError,
    StaleError,
    TooDeepError,
    TooLargeError,
    UnsignedError,
)

# The most that the door reads of a body. EventBridge's events have at most 256 KB; it is the
# queue that may carry more.
LARGEST: Final = 262_144
RETRY_AFTER: Final = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status, its JSON text, and whether the sender may try again."""

    status: int
    text: bytes
    again: bool = False

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers as ASGI has them."""
        found = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self.text)).encode()),
            (b"cache-control", b"no-store"),
        ]
        return [*found, (b"retry-after", str(RETRY_AFTER).encode())] if self.again else found

    async def send(self, send: Send) -> None:
        """Send it as the whole answer."""
        start = {"type": "http.response.start", "status": self.status, "headers": self.headers}
        await send(start)
        await send({"type": "http.response.body", "body": self.text})

    def response(self) -> Response:
        """Return it as Starlette's exception handlers have it."""
        return Response(self.text, self.status, media_type="application/json")


def _fixed(status: int, error: str, expected: str) -> Answer:
    text = json.dumps({"error": error, "expected": expected}).encode()
    return Answer(status, text, again=status == 503)


_BY_ERROR: Final[dict[type[Exception], Answer]] = {
    UnsignedError: _fixed(
        401,
        "not signed by a known sender",
        "Stanch-Source, Stanch-Timestamp and Stanch-Signature: v1=<hex HMAC-SHA256>",
    ),
    StaleError: _fixed(403, "signed too long ago or ahead", "a time within 300 s of now"),
    SlowError: _fixed(408, "the body did not arrive in time", "the whole body within seconds"),
    ReplayedError: _fixed(409, "taken in before", "each signed request once"),
    TooLargeError: _fixed(413, "too large", f"at most {LARGEST} bytes"),
    MediaTypeError: _fixed(415, "not plain JSON", "content-type application/json, not encoded"),
    NotJsonError: _fixed(400, "not strict JSON", "one JSON object in UTF-8, each name once"),
    TooDeepError: _fixed(400, "nested too deep", "a finding's few levels"),
    IntakeError: _fixed(422, "not a finding we read", "the form in the README; see `doctor`"),
}
_BY_STATUS: Final = {
    404: _fixed(404, "nothing here", "POST /intake/generic"),
    405: _fixed(405, "not by this method", "POST /intake/generic"),
    421: _fixed(421, "not a name of this host", "Host: localhost or a loopback address"),
    503: _fixed(503, "cannot take it in now", "the same finding again after Retry-After"),
}


def answer_to(error: IntakeError) -> Answer:
    """Return the answer to what was refused."""
    return next(_BY_ERROR[kind] for kind in type(error).__mro__ if kind in _BY_ERROR)


def of_status(status: int) -> Answer:
    """Return the answer for 404, 405, 421 or 503."""
    return _BY_STATUS[status]
