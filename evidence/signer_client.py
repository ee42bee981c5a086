"""Has heads signed by a process that holds the log's key, over its Unix socket.

Nothing is believed of what it answers but a note that the log's public key verifies.
"""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from evidence import signer_wire
from evidence.cosignature import CosigningKey
from evidence.errors import (
    BehindError,
    EvidenceError,
    ForkError,
    KeyMaterialError,
    KeyServiceError,
    WireError,
)
from evidence.note import Checkpoint, NoteSigner, NoteVerifier, open_checkpoint
from evidence.signer import Prove

# Seconds for one answer; how often the head signed last may change while a proof is made for it.
PATIENCE = 10.0
TRIES = 5
# Seconds between two tries to get into a queue that is full.
FULL = 0.02


def socket_of(uri: str) -> Path:
    """Return the path in unix:///PATH. Raise KeyMaterialError for another URI."""
    parts = urlsplit(uri)
    path = Path(unquote(parts.path))
    if parts.scheme != "unix" or parts.netloc or not path.is_absolute():
        raise KeyMaterialError(f"signer {uri!r}; expected unix:///PATH of the signer's socket")
    return path


@dataclass(frozen=True, slots=True)
class AskedSigner:
    """A `HeadSigner` at a socket; `second_vkey` is that of the log's second key, where it has one.

    What a signer in this process offers beyond that (its key, its memory) this one refuses.
    """

    path: Path
    verifier: NoteVerifier
    second_vkey: str = ""
    patience: float = PATIENCE

    @property
    def second(self) -> CosigningKey | None:
        """Not here: the log's second key is with the signer, too."""
        return None

    @property
    def signer(self) -> NoteSigner:
        """Refused: the key is not here."""
        self._elsewhere()

    @property
    def memory(self) -> Path:
        """Refused: what was signed last is remembered there."""
        self._elsewhere()

    def begin(self, head: Checkpoint | None = None) -> NoReturn:
        """Refused: only who runs the signer makes its memory."""
        self._elsewhere()

    def last(self) -> Checkpoint:
        """Return the head that was signed last.

        Raises:
            ForkError: when the signer does not know.
            KeyServiceError: when it does not answer.
        """
        answer = self._ask(signer_wire.ask_last())
        try:
            return signer_wire.read_head(answer.get("last"))
        except WireError as error:
            raise self._odd() from error

    def sign(self, head: Checkpoint, prove: Prove) -> str:
        """Return the signed note of `head`, as HeadSigner has it.

        Raises:
            BehindError, ForkError: as a signer in this process does.
            KeyServiceError: when it does not answer, or with what is no such note.
        """
        since = self.last().size
        for _ in range(TRIES):
            # Of a tree that is smaller there is no proof, and the signer says what that means.
            path = prove(since, head.size) if since <= head.size else []
            answer = self._ask(signer_wire.ask_sign(head, since, path))
            if "from" not in answer:
                return self._note(answer, head)
            since = _size(answer["from"])
        raise KeyServiceError(f"the signer at {self.path} signs for others all the time; try again")

    def _note(self, answer: Mapping[str, Any], head: Checkpoint) -> str:
        note = answer.get("note")
        try:
            if isinstance(note, str) and open_checkpoint(note, self.verifier) == head:
                return note
        except EvidenceError as error:
            raise self._odd() from error
        raise self._odd()

    def _ask(self, request: bytes) -> Mapping[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                end = time.monotonic() + self.patience
                connection.settimeout(self.patience)
                _connect(connection, self.path, end)
                connection.sendall(request)
                answer = signer_wire.read_line(signer_wire.receive(connection, end))
        except (OSError, WireError) as error:
            why = error.strerror if isinstance(error, OSError) else f"its answer {error}"
            raise KeyServiceError(
                f"the signer at {self.path} does not sign: {why or type(error).__name__}. Nothing "
                "is lost: what is recorded is signed once it answers. Is it running, and may this "
                "user ask it (--allow)?"
            ) from error
        if "refused" in answer:
            _refuse(answer)
        return answer

    def _odd(self) -> KeyServiceError:
        return KeyServiceError(
            f"the signer at {self.path} answered with what this log's key did not sign; look at "
            "which key it holds"
        )

    def _elsewhere(self) -> NoReturn:
        raise KeyMaterialError(
            f"the log's key and memory are with the signer at {self.path}; do this where it runs"
        )


def _connect(connection: socket.socket, path: Path, end: float) -> None:
    while True:
        try:
            return connection.connect(str(path))
        except BlockingIOError:
            # Its queue is full (unix(7), EAGAIN), and says so at once.
            if time.monotonic() > end:
                raise
            time.sleep(FULL)


def _refuse(answer: Mapping[str, Any]) -> NoReturn:
    why = str(answer.get("why"))
    if answer["refused"] == "behind":
        raise BehindError(why, _size(answer.get("size")))
    if answer["refused"] == "fork":
        raise ForkError(why)
    raise KeyServiceError(f"the signer does not sign: {why}")


def _size(value: object) -> int:
    if type(value) is not int or value < 0:
        raise KeyServiceError("the signer answered with a malformed size")
    return value
