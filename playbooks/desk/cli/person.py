"""`stanch person`: make a key for one of the people who ask and answer."""

import re
from pathlib import Path
from typing import Annotated

import typer

from playbooks.errors import SettingsError
from playbooks.wiring import people

# It becomes the name of a table in stanch.toml, and of a key in the answers that are signed.
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def person(name: str, key: Annotated[Path, typer.Option(help="New file for the key.")]) -> None:
    """Make a person's key and print the lines for stanch.toml."""
    if not NAME.fullmatch(name):
        raise SettingsError(f"{name!r} cannot be a name here: letters, digits, - and _ only.")
    jwk = people.make(key)
    lines = [f"[people.{name}]", *(f'{k} = "{v}"' for k, v in jwk.items())]
    typer.echo("\n".join(lines))
    # Not on standard output, which may go straight into stanch.toml.
    typer.echo(
        f"{key} is for {name} alone. What was printed is its public half, and goes into "
        "stanch.toml (append >> stanch.toml to the command).",
        err=True,
    )
