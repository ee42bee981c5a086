"""The simulated Vault over real HTTP on the loopback."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

from playbooks.drills.range.vault.control import answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from playbooks.drills.range.vault.world import VaultWorld


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: the world keeps its own log of calls."""


@contextmanager
def serve(world: VaultWorld, port: int = 0, control_token: str = "") -> Iterator[str]:
    """Serve the world on 127.0.0.1 (a free port for 0) while the block runs; yields its URL.

    With a `control_token` the owner can steer it at /_range/ (control.py); without, nobody can.
    """
    lock = Lock()

    def one_at_a_time(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with lock:
            ordered = answer(world, control_token, environ) if control_token else None
            return world.respond(ordered or world.handle(environ), start_response)

    server = make_server("127.0.0.1", port, one_at_a_time, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, name="vault-range", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
