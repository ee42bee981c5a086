"""Asks a witness over HTTP to cosign a checkpoint (C2SP tlog-witness, "add-checkpoint")."""

import http.client
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from evidence.cosignature import Cosigner, cosigned
from evidence.errors import BehindError, ForkError, NoteError, WitnessError
from evidence.note import Checkpoint, plain_number, unverified_checkpoint
from evidence.signer import Prove
from evidence.witness import SIZE, request_body

PATH = "/add-checkpoint"
MAX_ANSWER = 1 << 16
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP status, the content type, and a body of at most MAX_ANSWER bytes."""

    status: int
    kind: str
    body: bytes


# Sends a request's body to a URL's add-checkpoint.
Post = Callable[[bytes], Answered]


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness's line for a checkpoint's note, and its time in seconds since 1970."""

    cosigner: Cosigner
    size: int
    line: str
    at: int


def poster(url: str, ca: str | None, timeout: float) -> Post:
    """Return what posts to the witness at `url`: https, or http on loopback.

    `ca` is a PEM file to trust in place of the system's; `timeout` in seconds, for each wait.

    Raises:
        WitnessError: for another URL.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    if not parts.hostname or not (
        secure or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    ):
        raise WitnessError(f"witness URL {url!r}; expected https, or http on loopback")

    def post(body: bytes) -> Answered:
        connection = _connection(parts, ca, timeout)
        try:
            connection.request("POST", parts.path.rstrip("/") + PATH, body)
            answer = connection.getresponse()
            read = answer.read(MAX_ANSWER)
            return Answered(answer.status, answer.getheader("Content-Type", ""), read)
        except (OSError, http.client.HTTPException) as error:
            raise WitnessError(f"{parts.netloc} cannot be asked: {_why(error)}") from error
        finally:
            connection.close()

    return post


def ask(cosigner: Cosigner, post: Post, note: str, prove: Prove, old: int) -> Cosignature:
    """Return a witness's cosignature on the checkpoint `note`.

    `old` is the size that it is believed to have cosigned last; where it names another in its 409,
    the proof is made from there.

    Raises:
        WitnessError: when it cannot be asked, or does not do what the protocol says.
        BehindError: when it has cosigned a larger head than this one.
        ForkError: when it holds that this head contradicts the one that it cosigned.
    """
    head = unverified_checkpoint(note)
    old = min(old, head.size)
    for _ in range(3):
        answer = post(request_body(old, prove(old, head.size), note))
        if answer.status == 200:
            return _read(cosigner, head, note, answer.body)
        if answer.status == 409 and answer.kind == SIZE:
            seen = _size(cosigner, answer.body)
            _refuse(cosigner, head, old, seen)
            old = seen
        elif answer.status == 422:
            raise ForkError(
                f"witness {cosigner.name} holds that the ledger of {head.size} entries does not "
                f"extend the {old} that it cosigned. Keep both, and find out who wrote to it"
            )
        else:
            said = answer.body[:200].decode(errors="replace").strip()
            raise WitnessError(f"witness {cosigner.name} answered {answer.status}: {said!r}")
    raise WitnessError(f"witness {cosigner.name} names another size each time; is it in use twice?")


def _refuse(cosigner: Cosigner, head: Checkpoint, old: int, seen: int) -> None:
    if seen > head.size:
        raise BehindError(
            f"witness {cosigner.name} has cosigned {seen} entries, the ledger has {head.size}: it "
            "was truncated or an old copy was restored. Compare backups",
            seen,
        )
    if seen == old == head.size:
        raise ForkError(
            f"witness {cosigner.name} has cosigned another ledger of {seen} entries. Keep both, "
            "and find out who wrote to it"
        )


def _read(cosigner: Cosigner, head: Checkpoint, note: str, body: bytes) -> Cosignature:
    """Return the cosignature in an answer; lines of other keys in it are ignored."""
    try:
        for line in body.decode().splitlines(keepends=True):
            found = cosigned(note + line, [cosigner])
            if cosigner in found:
                return Cosignature(cosigner, head.size, line, found[cosigner])
    except (UnicodeDecodeError, NoteError) as error:
        raise WitnessError(f"witness {cosigner.name} sent a wrong cosignature: {error}") from error
    raise WitnessError(f"witness {cosigner.name} cosigned with another key than the configured one")


def _size(cosigner: Cosigner, body: bytes) -> int:
    try:
        return plain_number(body.decode().removesuffix("\n"), "size")
    except (UnicodeDecodeError, NoteError) as error:
        raise WitnessError(f"witness {cosigner.name} sent a 409 without a size") from error


def _connection(parts: SplitResult, ca: str | None, timeout: float) -> http.client.HTTPConnection:
    try:
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=timeout)
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:
        raise WitnessError(f"{parts.netloc} cannot be asked: {_why(error)}") from error
    return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
