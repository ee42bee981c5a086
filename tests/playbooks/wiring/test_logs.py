"""Logs: one object a line whatever text comes, about what is worked on, and without secrets."""

import asyncio
import contextlib
import io
import json
import logging
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from hypothesis import given
from hypothesis import strategies as st

from playbooks.wiring import hidden, logs
from playbooks.wiring.settings import resolve

LOG = logging.getLogger("stanch.test")
TEXT = st.text(st.characters(codec=None), max_size=60)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    root, levels = logging.getLogger(), {n: logging.getLogger(n).level for n in logs.TALKATIVE}
    handlers, factory = root.handlers[:], logging.getLogRecordFactory()
    yield
    root.handlers[:] = handlers
    logging.setLogRecordFactory(factory)
    logging.captureWarnings(False)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    logging.getLogger("stanch").setLevel(logging.NOTSET)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    hidden._known.clear()
    hidden._pattern.clear()


def said(work: Callable[[], Any], *, json: bool = True) -> list[str]:
    """Return the lines that the work logs."""
    out = io.StringIO()
    with redirect_stderr(out):
        logs.set_up(json=json)
        work()
    return out.getvalue().split("\n")[:-1]


@contextmanager
def uncaptured() -> Iterator[None]:
    """Let pytest capture nothing: it sends that on as UTF-8, which has no lone surrogates."""
    root = logging.getLogger()
    kept, root.handlers = root.handlers, []
    try:
        yield
    finally:
        root.handlers = kept


@given(TEXT, TEXT)
def test_hostile_text_stays_in_one_object_on_one_line(text: str, step: str) -> None:
    def work() -> None:
        with logs.about(incident="INC-0001", step=step):
            LOG.warning("it said %s", text)

    with uncaptured():
        (line,) = said(work)
    assert line.isascii()
    assert line.isprintable()
    told = json.loads(line)
    assert (told["event"], told["step"]) == (f"it said {text}", step)
    assert set(told) == {"ts", "level", "event", "logger", "incident", "step"}


@given(TEXT)
def test_hostile_text_does_not_act_on_a_terminal(text: str) -> None:
    with uncaptured():
        (line,) = said(lambda: LOG.warning("it said %s", text), json=False)
    assert line.startswith("stanch: warning: it said ")
    assert {unicodedata.category(c) for c in line} & {"Cc", "Cf", "Cs", "Zl", "Zp"} == set()


def test_each_task_says_what_it_is_about_and_no_other() -> None:
    async def one(name: str) -> None:
        with logs.about(incident=name, entry=1):
            await asyncio.sleep(0)
            LOG.info("done")

    async def both() -> None:
        await asyncio.gather(one("INC-0001"), one("INC-0002"))
        LOG.info("all")

    told = [json.loads(line) for line in said(lambda: asyncio.run(both()))]
    assert [t.get("incident") for t in told] == ["INC-0001", "INC-0002", None]
    assert told[0]["entry"] == 1


def test_long_text_is_cut_and_an_error_is_told_with_its_trace() -> None:
    def work() -> None:
        LOG.info("x" * 100_000)
        try:
            raise ValueError("first\nsecond")
        except ValueError:
            LOG.exception("it broke")

    cut, broke = (json.loads(line) for line in said(work))
    assert len(cut["event"]) == logs.LONGEST
    assert broke["error"] == "second"
    assert "Traceback" in broke["trace"]
    (line,) = said(work, json=False)
    assert "Traceback" not in line


CANARIES = ['ca"na/ry +1 %s\\x', "canary-plain-0123456789", "postgresql://u:can%40ary@db/x", "ö☃"]


@pytest.mark.parametrize("secret", CANARIES)
@pytest.mark.parametrize("scheme", ["env", "file"])
@pytest.mark.parametrize("json", [True, False])
def test_what_a_reference_leads_to_is_in_no_record(
    secret: str, scheme: str, json: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", secret)
    (tmp_path / "canary").write_text(secret)
    records: list[str] = []

    class Raw(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(f"{record.__dict__!r} {self.format(record)}")

    other = Raw()
    logging.getLogger().addHandler(other)

    def work() -> None:
        found = resolve("env:CANARY" if scheme == "env" else f"file:{tmp_path / 'canary'}")
        assert found == secret
        LOG.error("plain " + found.replace("%", "%%"))
        LOG.error("argument %s %r", found, {"key": found})
        LOG.error("%d", found)
        try:
            raise ValueError(f"it holds {found}")
        except ValueError:
            LOG.exception("it broke")
        with logs.about(step=found):
            LOG.warning("in what it is about")
        asked_of_aws(found)

    lines = said(work, json=json)
    botocore = [r for r in records if "botocore" in r]
    assert len(botocore) > 10, "botocore was to tell all"
    assert any(hidden.MASK in r for r in botocore), "the canary was not there to leak"
    for text in [*lines, *records]:
        assert secret not in text
        assert hidden.redact(text) == text


@pytest.mark.parametrize("secret", ["x", "1234", "postgresql://u:x@127.0.0.1/x"])
def test_what_is_too_short_to_be_secret_spoils_no_text(secret: str) -> None:
    hidden.hide(secret)
    text = "Expected env:NAME of 1234 with the next x"
    assert hidden.redact(text) == text


def asked_of_aws(secret: str) -> None:
    """Pass the secret to AWS, as an external id is, with botocore at its most talkative."""
    logging.getLogger("botocore").setLevel(logging.DEBUG)
    once = Config(connect_timeout=1, retries={"total_max_attempts": 1})
    sts: Any = boto3.Session("AKIA", "k", region_name="eu-west-1").client(
        "sts", endpoint_url="http://127.0.0.1:9", config=once
    )
    with contextlib.suppress(BotoCoreError):
        sts.assume_role(RoleArn="a" * 20, RoleSessionName="s" * 2, ExternalId=secret)


def test_what_python_would_print_itself_comes_the_same_way() -> None:
    code = """if True:
        import threading, warnings
        from playbooks.wiring import hidden, logs
        class Bad:
            def __del__(self): raise ValueError(hidden.hide("canary-in-unraisable"))
        logs.set_up(json=True)
        hidden.hide("canary-in-thread"), hidden.hide("canary-in-main"), hidden.hide("canary-warned")
        warnings.warn("canary-warned")
        def fail(): raise ValueError("canary-in-thread")
        thread = threading.Thread(target=fail); thread.start(); thread.join()
        one = Bad(); del one
        raise ValueError("canary-in-main")
    """
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    told = [json.loads(line) for line in ran.stderr.splitlines()]
    assert (ran.returncode, ran.stdout, len(told)) == (1, "", 4)
    assert "canary" not in ran.stderr
    assert ran.stderr.count(hidden.MASK) >= 4


def test_a_second_set_up_replaces_the_first_and_streams_are_those_of_now() -> None:
    logs.set_up(json=False)
    assert len(said(lambda: LOG.warning("once"))) == 1
    assert logging.getLogger().handlers[-1].stream is sys.stderr


def test_prefect_gives_its_records_to_ours() -> None:
    theirs = logging.getLogger("prefectlike.flows")
    theirs.addHandler(logging.NullHandler())
    theirs.propagate = False
    assert said(lambda: theirs.warning("unseen")) == []
    logs.gather("prefectlike")
    (line,) = said(lambda: theirs.warning("seen"))
    assert json.loads(line)["event"] == "seen"
    assert theirs.handlers == []
