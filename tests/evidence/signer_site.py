"""A signer behind a socket, and a client of it, for tests."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evidence.note import Checkpoint, open_checkpoint
from evidence.signer import MEMORY, RememberingSigner
from evidence.signer_client import AskedSigner
from evidence.signer_server import Door, SignerServer, bind
from tests.evidence.growing_log import LOG, GrowingLog

PATIENCE = 1.0


class Site:
    """A signer behind a socket, in this process, and a client of it."""

    def __init__(self, folder: Path) -> None:
        self.memory = folder / "memory"
        self.memory.mkdir(mode=0o700)
        self.path = folder / "signer.sock"
        self.signer = RememberingSigner(LOG, self.memory / MEMORY)
        self.signer.begin()
        self.said: list[str] = []
        self.users = frozenset({os.geteuid()})
        self.client = AskedSigner(self.path, LOG.verifier, patience=20)

    @contextmanager
    def serving(self) -> Iterator["Site"]:
        listening = bind(Door(self.path, self.users))
        server = SignerServer(
            self.signer, listening, self.users, self.said.append, patience=PATIENCE
        )
        thread = threading.Thread(target=server.serve)
        thread.start()
        try:
            yield self
        finally:
            server.stop()
            thread.join()

    def sign(self, log: GrowingLog, size: int | None = None) -> Checkpoint:
        note = self.client.sign(log.head(size), log.prove)
        return open_checkpoint(note, LOG.verifier)

    def sends(self, data: bytes) -> bytes:
        """Return all that is answered to these bytes."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(self.path))
            connection.sendall(data)
            answer = b""
            with suppress(ConnectionResetError):
                while more := connection.recv(1 << 16):
                    answer += more
            return answer
