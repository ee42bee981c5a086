"""What a check found, and what to do about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: which check, how it is, what was found, and what to do (empty where all is well).

    `bad` means that an alert might not be answered, or not provably; `warn` that it soon may not.
    """

    check: str
    level: Level
    what: str
    do: str = ""


Check = Callable[[], Iterable[Finding]]


def ok(check: str, what: str) -> Finding:
    """Return that all is well."""
    return Finding(check, "ok", what)


def warn(check: str, what: str, do: str) -> Finding:
    """Return that something needs a look."""
    return Finding(check, "warn", what, do)


def bad(check: str, what: str, do: str) -> Finding:
    """Return that something is broken."""
    return Finding(check, "bad", what, do)
