"""`stanch person`: make a key for one of the people who ask and answer."""

from pathlib import Path
from typing import Annotated

import typer

from playbooks.wiring import people


def person(name: str, key: Annotated[Path, typer.Option(help="New file for the key.")]) -> None:
    """Make a person's key and print the lines for stanch.toml."""
    jwk = people.make(key)
    lines = [f"[people.{name}]", *(f'{k} = "{v}"' for k, v in jwk.items())]
    typer.echo("\n".join(lines))
