"""What every command starts from, and how a command fails."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from sqlalchemy.exc import DBAPIError

from playbooks.case import migrating
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import Settings, load

Key = Annotated[
    Path, typer.Option("--key", help="Your key file; it says who you are.", envvar="STANCH_KEY")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


# What a shell gives a command that Ctrl-C ended (128 + SIGINT), and so does typer.
INTERRUPTED = 130


def here() -> tuple[Settings, Parts, Store]:
    """Return settings, parts and store; raise DatabaseError for a schema of another version."""
    settings = load()
    parts = assemble(settings)
    migrating.check(parts.engine)
    return settings, parts, Store(parts.engine)


def out() -> Console:
    """Return a console on standard output."""
    return Console(soft_wrap=True, highlight=False, emoji=False)


def show_json(value: Any) -> None:
    """Print JSON, ASCII only, so that hostile text cannot act on a terminal."""
    typer.echo(json.dumps(value, indent=2, sort_keys=True))


def visible(value: Any) -> str:
    """Return text that is safe on a terminal: no controls, no line ends, no direction changes."""
    text = value if isinstance(value, str) else json.dumps(value)
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def printable(value: Any) -> str:
    """Return text that is safe on a terminal and that rich takes for no markup."""
    return escape(visible(value))


@contextmanager
def failing(*kinds: type[Exception]) -> Iterator[None]:
    """Print an error of these kinds in one line and leave with exit status 1."""
    try:
        yield
    except SystemExit as left:
        if left.code == INTERRUPTED:
            print(
                "stanch: interrupted. What was done is recorded; `stanch show` has it, and "
                "`stanch resume` goes on.",
                file=sys.stderr,
            )
        raise
    except kinds as error:
        _leave(_file_trouble(error) if isinstance(error, OSError) else str(error))
    except DBAPIError as error:
        # Its own text holds the statement's parameters; the driver's says what is wrong.
        why = str(error.orig).strip().partition("\n")[0]
        _leave(
            f"the database cannot be used: {why}. Check that it runs, its disk, `stanch doctor`."
        )


def _leave(why: str) -> NoReturn:
    print(f"stanch: {visible(why)}", file=sys.stderr)
    raise SystemExit(1) from None


def _file_trouble(error: OSError) -> str:
    if error.filename is None:
        return str(error)
    return f"{error.filename}: {(error.strerror or type(error).__name__).lower()}"
