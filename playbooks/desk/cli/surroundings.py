"""What every command starts from."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from playbooks.case import migrating
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import Settings, load

Key = Annotated[
    Path, typer.Option("--key", help="Your key file; it says who you are.", envvar="STANCH_KEY")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


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
