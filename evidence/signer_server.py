"""Signs the log's heads in a process of its own, over a Unix socket.

Whoever runs as Stanch asks for signatures on what extends the log, and can read neither the key nor
the memory. Who asks is known from the kernel (unix(7), SO_PEERCRED), not from what is said.
"""

import os
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence import signer_wire
from evidence.errors import BehindError, EvidenceError, ForkError, WireError
from evidence.note import checkpoint_text
from evidence.signer import RememberingSigner

# Seconds that one request may take; how many are taken at once. One that is sent byte by byte
# keeps its place no longer than that.
PATIENCE = 5.0
MOST = 32
# How many more may wait to be taken.
QUEUE = 128

_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class Door:
    """Where requests come in: a socket's path, the users who may ask, and a group of theirs.

    Without a group the socket is for its owner alone (0600), else for the group, too (0660).
    """

    path: Path
    users: frozenset[int]
    group: int | None = None


def bind(door: Door) -> socket.socket:
    """Return a socket that listens at the door; a signer that died may have left one there.

    Raises:
        WireError: when another process answers there, or something else is in the way.
        OSError: when it cannot listen there.
    """
    _clear(door.path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Before it has a name: on Linux the file takes the mode of the socket (unix(7)).
        os.fchmod(listening.fileno(), 0o600)
        listening.bind(str(door.path))
        os.chmod(door.path, 0o600)
        if door.group is not None:
            os.chown(door.path, -1, door.group)
            os.chmod(door.path, 0o660)
        listening.listen(QUEUE)
    except BaseException:
        listening.close()
        raise
    return listening


class SignerServer:
    """Answers what comes in at a socket, each in a thread of its own, until it is stopped."""

    def __init__(
        self,
        signer: RememberingSigner,
        listening: socket.socket,
        users: frozenset[int],
        log: Callable[[str], None],
        *,
        patience: float = PATIENCE,
    ) -> None:
        """Take a signer and a bound socket; `log` gets a line for whatever is refused."""
        self._signer, self._listening, self._users = signer, listening, users
        self._log, self._patience = log, patience
        self._places = threading.BoundedSemaphore(MOST)
        self._ending = threading.Event()

    def serve(self) -> None:
        """Answer until `stop`."""
        while not self._ending.is_set():
            # Whoever finds no place waits in the queue of the socket.
            if not self._places.acquire(timeout=0.5):
                continue
            try:
                connection, _ = self._listening.accept()
            except OSError:
                self._places.release()
                if self._ending.is_set():
                    return
                # For one, too many open files: not a reason to spin.
                self._ending.wait(0.1)
                continue
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def stop(self) -> None:
        """End `serve`; what is in hand may end."""
        self._ending.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _one(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                connection.settimeout(self._patience)
                if (user := peer(connection)) not in self._users:
                    self._log(f"user {user} may not ask")
                    return
                answer = signer_wire.line(self._answer(connection))
                connection.settimeout(self._patience)
                connection.sendall(answer)
        finally:
            self._places.release()

    def _answer(self, connection: socket.socket) -> dict[str, Any]:
        end = time.monotonic() + self._patience
        try:
            asked = signer_wire.read_request(signer_wire.receive(connection, end))
            if asked is None:
                return {"last": checkpoint_text(self._signer.last())}
            return {"note": self._sign(asked)}
        except _MovedError as moved:
            return {"from": moved.size}
        except WireError as error:
            return self._refused("malformed", f"the request {error}")
        except BehindError as error:
            return self._refused("behind", str(error), error.size)
        except ForkError as error:
            return self._refused("fork", str(error))
        except (EvidenceError, OSError) as error:
            return self._refused("unable", str(error))

    def _sign(self, asked: signer_wire.Asked) -> str:
        def prove(old: int, new: int) -> Sequence[bytes]:
            if old != asked.since:
                raise _MovedError(old)
            return asked.path

        return self._signer.sign(asked.head, prove)

    def _refused(self, kind: str, why: str, size: int = 0) -> dict[str, Any]:
        self._log(f"refused, {kind}: {why}")
        return {"refused": kind, "size": size, "why": why}


class _MovedError(Exception):
    """The head signed last is of another size than the proof begins at."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


def peer(connection: socket.socket) -> int:
    """Return the user id of the process at the other end, as the kernel has it."""
    size = _CREDENTIALS.size
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return int(_CREDENTIALS.unpack(data)[1])


def _clear(path: Path) -> None:
    """Take away a socket at which nobody listens any more."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise WireError(f"{path} is in the way and no socket; name another one")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.settimeout(PATIENCE)
        try:
            other.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
    raise WireError(f"a signer answers at {path} already; stop it first")
