"""The world over real HTTP on the loopback."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server

from playbooks.drills.range.control import controlled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playbooks.drills.range.world import World


class _Quiet(MotoRequestHandler):
    protocol_version = "HTTP/1.1"

    def send_response(self, code: int, message: str | None = None) -> None:
        """Send the status alone: Date and Server come from the world's own answer."""
        self.send_response_only(code, message)

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing: the world keeps its own log of calls."""


@contextmanager
def serve(world: World, port: int = 0, control_token: str = "") -> Iterator[str]:
    """Serve the world on 127.0.0.1 (a free port for 0) while the block runs; yields its URL.

    With a `control_token` the owner can steer it at /_range/ (control.py); without, nobody can.
    """
    application: Any = controlled(world, control_token) if control_token else world
    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, name="range", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
