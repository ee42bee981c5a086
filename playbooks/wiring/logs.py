"""What Stanch says while it runs: JSON, one object a line, for machines; one line for people.

    {"ts": "2026-03-01T03:14:15.926Z", "level": "warning", "event": "...", "logger": "stanch.run",
     "incident": "INC-0001", "entry": 2, "step": "isolate_instance/..."}

No line holds a known secret (`hidden`), and no text in one can end it, colour it or turn it round.
"""

import json as json_format
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final

from playbooks.wiring.hidden import redact

# What a record may say besides its message: given by `about`, or as `extra` by who logs.
FIELDS: Final = ("incident", "play", "entry", "step", "channel", "kind", "seconds")
LONGEST: Final = 4_000
# At DEBUG these print requests and answers whole, with session keys among them.
TALKATIVE: Final = ("botocore", "boto3", "s3transfer", "urllib3", "httpx", "httpcore", "psycopg")

_about: ContextVar[Mapping[str, Any]] = ContextVar("stanch_about", default={})  # noqa: B039


@contextmanager
def about(**facts: Any) -> Iterator[None]:
    """Say in every record made within the block what it is about, such as `incident="INC-0001"`."""
    token = _about.set({**_about.get(), **facts})
    try:
        yield
    finally:
        _about.reset(token)


def visible(text: str) -> str:
    """Return text with no controls, line ends or direction changes: they stand there escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def set_up(*, json: bool, level: int = logging.INFO) -> None:
    """Send all records of this process to standard error, redacted; a second call replaces.

    `json` is for processes that stay (`serve`, `worker`). `level` is that of Stanch's own loggers;
    others are heard from WARNING on. Call it before Prefect is imported, which keeps its hands off
    a root logger that has a handler, and `gather("prefect")` after.
    """
    logging.setLogRecordFactory(_Redacted)
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h, Stderr)]:
        root.removeHandler(old)
    handler = Stderr()
    handler.setFormatter(JsonLine() if json else PlainLine())
    root.addHandler(handler)
    logging.getLogger("stanch").setLevel(level if json else logging.WARNING)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    # A person reads of it in the error that follows; a process that stays may go on without one.
    heard = logging.WARNING if json else logging.CRITICAL
    logging.getLogger("botocore.credentials").setLevel(heard)
    if json:
        # What Python would print itself comes the same way, and as well redacted.
        logging.captureWarnings(True)
        sys.excepthook = _uncaught
        threading.excepthook = lambda told: _uncaught(
            told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback
        )
        sys.unraisablehook = lambda told: _uncaught(
            told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback
        )


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, SystemExit):
        return  # A thread may end so; it is no error.
    logging.getLogger("stanch").critical("nobody caught this", exc_info=(kind, error, trace))


def gather(package: str) -> None:
    """Take from a package's loggers the handlers that it gave them; the root's then has them all.

    Does nothing where `set_up` has not run.
    """
    if not any(isinstance(h, Stderr) for h in logging.getLogger().handlers):
        return
    names = [n for n in logging.root.manager.loggerDict if f"{n}.".startswith(f"{package}.")]
    for logger in map(logging.getLogger, names):
        logger.handlers.clear()
        logger.propagate = True


class Stderr(logging.StreamHandler[Any]):
    """Writes to what standard error is at the time, which may be exchanged."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    @property
    def stream(self) -> Any:
        """Return the stream of now."""
        return sys.stderr

    @stream.setter
    def stream(self, _value: Any) -> None:
        pass


class JsonLine(logging.Formatter):
    """One JSON object a line, ASCII only."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": _cut(record.getMessage()),
            "logger": record.name,
        }
        given = {**_about.get(), **vars(record)}
        said |= {name: _value(given[name]) for name in FIELDS if name in given}
        if trace := _trace(self, record):
            said["error"] = trace.rstrip().rpartition("\n")[2][:LONGEST]
            # The end tells more than the beginning.
            said["trace"] = trace[-4 * LONGEST :]
        return json_format.dumps(said)


class PlainLine(logging.Formatter):
    """One line for a person; an error without its trace."""

    def format(self, record: logging.LogRecord) -> str:
        trace = _trace(self, record).rstrip().rpartition("\n")[2]
        why = f" ({trace})" if trace else ""
        return f"stanch: {record.levelname.lower()}: {visible(_cut(record.getMessage() + why))}"


class _Redacted(logging.LogRecord):
    """A record in which no handler, whoever added it, finds a known secret."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        try:
            said = self.getMessage()
        except Exception:  # A record that cannot be put together still tells of something.
            said, self.msg = "", redact(str(self.msg))
            self.args = ()
        if (clean := redact(said)) != said:
            self.msg, self.args = clean, ()
        if self.exc_info:
            trace = logging.Formatter().formatException(self.exc_info)
            if (clean := redact(trace)) != trace:
                self.exc_text, self.exc_info = clean, None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def _value(value: Any) -> Any:
    return value if isinstance(value, int | float) else redact(str(value))[:LONGEST]


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    if record.exc_info and not record.exc_text:
        return redact(formatter.formatException(record.exc_info))
    return redact(record.exc_text or "")
