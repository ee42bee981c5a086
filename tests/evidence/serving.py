"""A service on loopback for as long as a test needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@contextmanager
def served(
    handler: type[BaseHTTPRequestHandler], members: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Serve with a handler that has these members of its own; yield the endpoint and what is asked.

    `members` has `asked`, to which the handler adds.
    """
    own = type("Served", (handler,), members)
    server = ThreadingHTTPServer(("127.0.0.1", 0), own)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", members["asked"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
