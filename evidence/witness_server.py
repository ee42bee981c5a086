"""Serves a witness over HTTP: on loopback, or with TLS. Standard library only."""

import contextlib
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from evidence.errors import WitnessError
from evidence.witness import MAX_BODY, TEXT, Answer, Witness

PATH = "/add-checkpoint"
# Seconds of silence after which a connection is closed, and that one may last at all: who sends a
# byte now and then keeps its place no longer than that. How many there are at once.
SILENCE = 10.0
LONGEST = 60.0
MOST = 64


class WitnessServer(ThreadingHTTPServer):
    """Listens for one witness; `port` 0 takes any free one."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self,
        witness: Witness,
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        log: Callable[[str], None],
    ) -> None:
        self.witness = witness
        self.log = log
        self._tls = tls
        self._places = threading.BoundedSemaphore(MOST)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        """Where it listens: the submission prefix."""
        host, port = self.server_address[:2]
        name = f"[{host!s}]" if ":" in str(host) else str(host)
        return f"{'http' if self._tls is None else 'https'}://{name}:{port}"

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection. Its handshake is left to its own thread: it may never come."""
        request, address = super().get_request()
        request.settimeout(SILENCE)
        if self._tls is not None:
            request = self._tls.wrap_socket(
                request, server_side=True, do_handshake_on_connect=False
            )
        return request, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, as long as there are places."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve it, and give its place back."""
        end = threading.Timer(LONGEST, _hang_up, (request,))
        end.daemon = True
        end.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line what broke a connection: anybody outside can break many."""
        self.log(f"connection ended: {type(sys.exception()).__name__}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "stanch-witness"
    sys_version = ""
    timeout = SILENCE
    # Head and body in one packet: apart, the second waits 40 ms for the first to be acknowledged.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: WitnessServer

    def do_POST(self) -> None:
        answer = self._answer()
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.server.log(f"{answer.status} {answer.body.splitlines()[0][:200]}")

    def _answer(self) -> Answer:
        length = self.headers.get("Content-Length", "")
        # What is not read cannot be passed over: the connection ends with the answer.
        self.close_connection = True
        if self.path != PATH:
            return Answer(404, f"expected {PATH}\n")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            return Answer(411, "expected a Content-Length\n")
        if len(length) > 9 or int(length) > MAX_BODY:
            return Answer(413, f"expected at most {MAX_BODY} bytes\n")
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            return Answer(400, "the request was cut off\n")
        self.close_connection = self.headers.get("Connection", "").lower() == "close"
        try:
            return self.server.witness.add_checkpoint(body)
        except WitnessError as error:
            self.server.log(str(error))
            return Answer(500, "the witness cannot read or write its state\n", TEXT)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing here: each answer says its own line."""


def _hang_up(request: socket.socket) -> None:
    # Whoever reads from it finds its end; closing is for its own thread.
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


def tls_context(certificate: str, key: str) -> ssl.SSLContext:
    """Return a server's TLS 1.2 or later. Raises OSError where a file cannot be loaded."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context
