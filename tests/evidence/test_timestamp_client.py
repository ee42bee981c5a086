"""Only what comes in time, in size, and from the pinned authority over a private way is taken."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from evidence import timestamp_client
from evidence.errors import TimestampError
from evidence.timestamp_client import ask
from playbooks.drills.range import tsa
from tests.evidence.stamping import TEXT, Stamper, stamper

REPLY = "application/timestamp-reply"


@pytest.fixture(scope="module")
def one(tmp_path_factory) -> Stamper:
    return stamper(tmp_path_factory.mktemp("tsa") / "a")


@contextmanager
def answering(answer) -> Iterator[str]:
    """Serve `answer(handler)` on loopback while the block runs; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            try:
                answer(self)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()


def sending(body: bytes, status: int = 200, kind: str = REPLY, **headers: str):
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_a_token_that_holds_is_returned_with_its_request(one):
    with tsa.serve(one.runs) as url:
        first, second = (ask(url, one.pinned, TEXT, os.urandom) for _ in range(2))
    assert first.authority == "tsa-a"
    assert first.token.nonce != second.token.nonce
    assert first.token.nonce >= 1 << 56
    assert second.token.serial == first.token.serial + 1


def test_a_proxy_in_the_environment_is_not_asked_for_what_is_here(one, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with tsa.serve(one.runs) as url:
        assert ask(url, one.pinned, TEXT, os.urandom).token.time


@pytest.mark.parametrize("url", ["http://tsa.example/", "ftp://localhost/", "https://", "tsa"])
def test_nobody_is_asked_in_the_open(one, url):
    with pytest.raises(TimestampError, match="must be https, or http on loopback"):
        ask(url, one.pinned, TEXT, os.urandom)


def test_another_authority_in_its_place_is_found(one, tmp_path):
    rogue = stamper(tmp_path / "rogue")
    with tsa.serve(rogue.runs) as url, pytest.raises(TimestampError, match="is not pinned"):
        ask(url, one.pinned, TEXT, os.urandom)


def test_a_replayed_answer_is_found(one):
    with (
        answering(sending(one.stamp()[1])) as url,
        pytest.raises(TimestampError, match="its nonce is not the one asked with"),
    ):
        ask(url, one.pinned, TEXT, os.urandom)


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        (sending(b"", 500), "answered 500"),
        (sending(b"", 302, Location="http://127.0.0.1:1/"), "answered 302"),
        (sending(b"x", kind="text/html"), "with 'text/html'"),
        (sending(b"x"), "DER"),
        (sending(bytes(1 << 17)), "larger than 65536 bytes"),
    ],
)
def test_what_is_no_answer_is_said(one, answer, because):
    with answering(answer) as url, pytest.raises(TimestampError, match=because):
        ask(url, one.pinned, TEXT, os.urandom)


def test_who_is_not_there_is_said_without_its_address(one):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://user:hunter2@127.0.0.1:{free.getsockname()[1]}/"
        with pytest.raises(TimestampError, match="could not be reached: ConnectionError") as told:
            ask(url, one.pinned, TEXT, os.urandom)
    assert "hunter2" not in str(told.value)


def trickling(handler: BaseHTTPRequestHandler) -> None:
    sending(b"")(handler)
    for _ in range(100):
        handler.wfile.write(b"\x30")
        handler.wfile.flush()
        time.sleep(0.05)


def silent(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(2)


@pytest.mark.parametrize("answer", [trickling, silent])
def test_who_answers_too_slowly_is_not_waited_for(one, answer):
    with answering(answer) as url:
        begin = time.monotonic()
        with pytest.raises(TimestampError, match=r"did not answer within 0\.5 s"):
            ask(url, one.pinned, TEXT, os.urandom, patience=0.5)
        assert time.monotonic() - begin < 1.5


def test_silence_ends_before_patience_does():
    assert timestamp_client.SILENCE < timestamp_client.PATIENCE <= 15
