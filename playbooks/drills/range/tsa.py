"""A timestamping authority of the range, as a process of its own (RFC 3161, 3.4: over HTTP).

    python -m playbooks.drills.range.tsa --folder DIR [--name NAME] [--policy OID] [--port 0]
                                         [--clock FILE] [--state FILE]

It prints one JSON line: {"url", "certificate", "root", "policy"}, the middle two being files. DIR
is made where it is missing, and holds its key and what it last said (tsa_state.py). FILE holds the
seconds that the range is ahead of this machine. It ends with SIGTERM.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

from playbooks.drills.range import tsa_reply, tsa_state
from playbooks.drills.range.announced import announce, hold_signals, parser
from playbooks.drills.range.tsa_reply import NO_TIME, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Of the example arc (RFC 7120 has no better one for tests): 2.999, ITU-T X.660 A.8.
POLICY = "2.999.3161.1"
QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
MAX_QUERY = 1 << 12


@dataclass
class Authority:
    """One authority: who it is, under which policy it stamps, its clock, and its last answer."""

    identity: tsa_state.Identity
    last: tsa_state.Last
    now: Callable[[], datetime]
    policy: str = POLICY
    _turn: Lock = field(default_factory=Lock, repr=False)

    def answer(self, query: bytes) -> bytes:
        """Return the encoded answer to a request, whatever it is."""
        try:
            asked = tsa_reply.read_request(query, self.policy)
            with self._turn:
                now = self.now()
                serial = self.last.follow(now)
                if serial is None:
                    raise Refused(NO_TIME, "this authority's clock went back")
            return tsa_reply.granted(asked, self.identity, self.policy, serial, now)
        except Refused as refusal:
            return tsa_reply.refused(refusal)


def authority(folder: Path, name: str, now: Callable[[], datetime]) -> Authority:
    """Return the authority in the folder, made where it is missing."""
    if not (folder / "tsa.key").exists():
        tsa_state.create(folder, name, now() - timedelta(days=1))
    return Authority(tsa_state.load(folder), tsa_state.Last(folder / "last.json"), now)


@contextmanager
def serve(stamps: Authority, port: int = 0) -> Iterator[str]:
    """Answer on 127.0.0.1 (a free port for 0) while the block runs; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        # A query is small and comes at once.
        timeout = 10

        def do_POST(self) -> None:
            size = self.headers.get("Content-Length", "")
            if self.headers.get("Content-Type") != QUERY:
                self.send_error(415, f"expected {QUERY}")
            elif not (size.isascii() and size.isdigit()) or int(size) > MAX_QUERY:
                self.send_error(413, f"expected at most {MAX_QUERY} bytes")
            else:
                self._reply(stamps.answer(self.rfile.read(int(size))))

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: standard output is for the one line."""

        def _reply(self, answer: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", REPLY)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = Thread(target=server.serve_forever, name="tsa", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; exit code 0."""
    arguments = parser("python -m playbooks.drills.range.tsa", __doc__)
    arguments.add_argument("--folder", type=Path, required=True)
    arguments.add_argument("--name", default="Range TSA")
    arguments.add_argument("--policy", default=POLICY)
    arguments.add_argument("--clock", type=Path)
    chosen = arguments.parse_args(argv)
    hold_signals()
    stamps = authority(chosen.folder, chosen.name, lambda: _now(chosen.clock))
    stamps.policy = chosen.policy
    with serve(stamps, chosen.port) as url:
        line = {
            "url": url,
            "certificate": str(chosen.folder / "tsa.pem"),
            "root": str(chosen.folder / "root.pem"),
            "policy": chosen.policy,
        }
        announce(line, chosen.state)
    return 0


def _now(clock: Path | None) -> datetime:
    ahead = float(clock.read_text()) if clock else 0.0
    return datetime.now(UTC) + timedelta(seconds=ahead)


if __name__ == "__main__":
    sys.exit(main())
