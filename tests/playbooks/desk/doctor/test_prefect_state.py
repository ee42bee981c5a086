"""Prefect: its version, and whether a server that is named answers, over real HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from typing import Any

import pytest

from playbooks.desk.doctor import prefect_state
from tests.playbooks.desk.doctor.conftest import levels, the


@contextmanager
def serving(told: object) -> Iterator[str]:
    """Serve one JSON value for every GET; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PREFECT_API_URL", url)
    return the(prefect_state.server(None), "prefect server")  # type: ignore[arg-type]


def test_what_is_installed_is_what_is_pinned() -> None:
    assert levels(prefect_state.library(None)) == [("prefect", "ok")]  # type: ignore[arg-type]


def test_a_version_outside_the_pins_or_with_known_holes(monkeypatch: pytest.MonkeyPatch) -> None:
    for found, word in (("3.6.13", "holes"), ("3.9.1", "tried with")):
        monkeypatch.setattr(prefect_state, "version", lambda _, v=found: v)
        told = the(prefect_state.library(None), "prefect")  # type: ignore[arg-type]
        assert (told.level, word in told.what) == ("bad", True)


@pytest.mark.parametrize(
    ("told", "level"),
    [(version("prefect"), "ok"), ("3.6.13", "bad"), ("3.99.0", "warn"), ({}, "warn")],
)
def test_a_server_is_judged_by_its_version(
    told: object, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(told) as url:
        assert asked(url, monkeypatch).level == level


def test_a_server_that_does_not_answer_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked("http://127.0.0.1:9/api", monkeypatch).level == "warn"


def test_a_server_far_off_without_tls_is_bad_and_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked("http://canary:canary@prefect.example/api", monkeypatch)
    assert (found.level, "TLS" in found.what, "canary" in repr(found)) == ("bad", True, False)


def test_no_server_named_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert levels(prefect_state.server(None)) == [("prefect server", "ok")]  # type: ignore[arg-type]
