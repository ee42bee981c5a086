"""The document as a host runs it: a real shell, real hashes, a real upload; a made-up host."""

import hashlib
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from actions.aws import collection_document as pinned
from playbooks.drills.range.agent import Agent, _script, run

SECTIONS = (
    "clock connections neighbours routes processes open_files users kernel_modules mounts "
    "temporary_files"
).split()


@pytest.fixture
def taker():
    """A server that takes one upload; `got` lists (path, headers, body)."""
    got = []

    class Taker(BaseHTTPRequestHandler):
        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.got = got
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def played(taker, agent=None, sha256=""):
    told = {
        "Upload": [f"http://127.0.0.1:{taker.server_port}/bucket/key?X-Amz-Signature=canary"],
        "Owner": ["111122223333"],
        "ScriptSha256": [sha256 or pinned.script_sha256()],
    }
    code, out, err = run(agent or Agent(), _script(pinned.document(), told))
    report = dict(re.findall(r"^stanch: (\w+)=(\S+)$", out, re.M))
    sections = dict(re.findall(r"^stanch: section=(\w+) state=(\w+) tool=\w+$", out, re.M))
    return code, report, sections, out + err


def test_it_hashes_what_it_uploads_in_the_order_of_volatility(taker):
    code, report, sections, told = played(taker)
    assert code == 0, told
    [(path, headers, body)] = taker.got
    assert path.startswith("/bucket/key?")
    assert headers["If-None-Match"] == "*"
    assert headers["x-amz-expected-bucket-owner"] == "111122223333"
    assert report["script_sha256"] == pinned.script_sha256()
    assert report["sha256"] == hashlib.sha256(body).hexdigest()
    assert report["size"] == str(len(body))
    assert report["upload"] == "200"
    assert list(sections) == SECTIONS
    assert set(sections.values()) == {"acquired"}
    assert re.findall(rb"^=== (\w+):", body, re.M) == [s.encode() for s in SECTIONS]
    assert b"203.0.113.77:443" in body


def test_it_says_nothing_of_the_address(taker):
    _, _, _, told = played(taker)
    assert "canary" not in told
    assert "127.0.0.1" not in told


def test_another_script_is_not_run(taker):
    code, report, sections, _ = played(taker, sha256="0" * 64)
    assert (code, sections, taker.got) == (65, {}, [])
    assert report == {"script_sha256": pinned.script_sha256()}


def test_a_tool_that_is_missing_is_told_and_the_rest_is_taken(taker):
    code, _, sections, _ = played(taker, Agent(tools={"lsof": None, "ss": "#!/bin/sh\nexit 3\n"}))
    assert code == 0
    assert sections.pop("open_files") == "unsupported"
    assert sections.pop("connections") == "partial"
    assert set(sections.values()) == {"acquired"}


def test_without_what_uploads_nothing_is_begun(taker):
    code, report, _, _ = played(taker, Agent(tools={"curl": None}))
    assert (code, report, taker.got) == (69, {"missing": "curl"}, [])


def test_nobody_listening_is_a_failure(taker):
    taker.shutdown()
    taker.server_close()
    code, report, _, told = played(taker)
    assert code != 0
    assert report["upload"] == "000"
    assert "canary" not in told


def test_this_machine_is_not_in_what_a_drill_collects(taker):
    played(taker)
    [(_, _, body)] = taker.got
    assert os.getcwd().encode() not in body
    assert b"pytest" not in body


def test_the_script_is_right_for_the_tools_of_a_linux_host(tmp_path):
    """Read, not run as a whole: each section names a tool, and none writes."""
    tools = re.findall(r"^section \w+ (\w+) ?(.*)$", pinned.script(), re.M)
    assert [tool for tool, _ in tools] == ("date ss ip ip ps lsof who lsmod findmnt find".split())
    assert not any(re.search(r">|-delete|-exec|\bset\b|\badd\b|-K", more) for _, more in tools)
