"""Asks an authority for a timestamp over HTTP, and keeps no token that does not hold.

RFC 3161, 3.4: a POST of application/timestamp-query, answered by application/timestamp-reply.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from evidence import timestamp
from evidence.errors import TimestampError
from evidence.timestamp import NONCE_BYTES, Authority, is_private
from evidence.timestamp_check import check
from evidence.timestamp_token import MAX_TOKEN, Token

# Seconds that one authority has for the whole of its answer, and for any part of it.
PATIENCE, SILENCE = 10.0, 5.0

_HEADERS = {
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Stamped:
    """A token that holds: who gave it, the encoded request and answer, and what it says."""

    authority: str
    asked: bytes
    answer: bytes
    token: Token


def ask(
    url: str,
    signer: Authority,
    text: bytes,
    randomness: Callable[[int], bytes],
    *,
    patience: float = PATIENCE,
) -> Stamped:
    """Return a token over `text`, checked; `patience` in seconds, `randomness(n)` gives n bytes.

    Raises:
        TimestampError: when there is none in time, or it does not hold.
    """
    if not is_private(url):
        raise TimestampError(f"{signer.name}: its URL must be https, or http on loopback")
    # At least 2 to the 56th, so that no nonce is short.
    nonce = int.from_bytes(b"\x01" + randomness(NONCE_BYTES - 1))
    asked = timestamp.request(text, signer.policy, nonce)
    answer = _within(patience, lambda: _post(url, asked))
    return Stamped(signer.name, asked, answer, check(signer, text, asked, answer))


def _post(url: str, asked: bytes) -> bytes:
    with requests.Session() as session:
        # A proxy is for what is elsewhere.
        session.trust_env = urlsplit(url).scheme == "https"
        try:
            with session.post(
                url,
                asked,
                headers=_HEADERS,
                timeout=SILENCE,
                stream=True,
                allow_redirects=False,
            ) as got:
                return _read(got)
        except requests.RequestException as error:
            # Not its text: that may hold the URL, and with it a password.
            raise TimestampError(f"it could not be reached: {type(error).__name__}") from error


def _read(got: requests.Response) -> bytes:
    kind = got.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if got.status_code != 200 or kind != _HEADERS["Accept"]:
        raise TimestampError(
            f"it answered {got.status_code} with {kind[:60]!r}; expected 200 and a timestamp-reply"
        )
    data = b""
    for chunk in got.iter_content(4096):
        data += chunk
        if len(data) > MAX_TOKEN:
            raise TimestampError(f"its answer is larger than {MAX_TOKEN} bytes")
    return data


def _within(seconds: float, work: Callable[[], bytes]) -> bytes:
    """Return what `work` does. A server that sends a byte now and then ends no socket's timeout."""
    done: list[bytes | Exception] = []

    def run() -> None:
        try:
            done.append(work())
        except Exception as error:
            done.append(error)

    thread = threading.Thread(target=run, name="timestamp", daemon=True)
    thread.start()
    thread.join(seconds)
    if not done:
        raise TimestampError(f"it did not answer within {seconds:g} s")
    if isinstance(done[0], Exception):
        raise done[0]
    return done[0]
