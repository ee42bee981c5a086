"""How a command fails: in one line, that says what to do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from playbooks.wiring.logs import visible

# What a shell gives a command that Ctrl-C ended (128 + SIGINT), and so does typer.
INTERRUPTED = 130


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
    except Exception as error:
        if (why := _database_trouble(error)) is None:
            raise
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


def _database_trouble(error: Exception) -> str | None:
    """Return what a driver says of a database; None where the error is no driver's."""
    # A command that needs no database does not wait for its import.
    known = sys.modules.get("sqlalchemy.exc")
    if known is None or not isinstance(error, known.DBAPIError):
        return None
    # The error's own text holds the statement's parameters; the driver's says what is wrong.
    return str(error.orig).strip().partition("\n")[0]
