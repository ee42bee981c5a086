"""`stanch permissions`: the least that Stanch's role needs for a set of plays."""

import ast
from pathlib import Path
from typing import Annotated, Any

import typer

import playbooks
from actions.action import Action
from actions.catalogue import catalogue
from actions.policy import policy
from playbooks.desk.cli.surroundings import show_json
from playbooks.respond import plays


def permissions(
    play: Annotated[list[str] | None, typer.Option(help="A play; all when left out.")] = None,
    account: Annotated[str, typer.Option(help="The account, 12 digits.")] = "*",
    region: Annotated[str, typer.Option(help="The region.")] = "*",
    partition: Annotated[str, typer.Option(help="aws, aws-cn or aws-us-gov.")] = "aws",
) -> None:
    """Print the IAM policy, with resource and tag conditions, from the actions the plays name."""
    kinds: list[type[Action[Any]]] = []
    for name in play or plays.names():
        kinds += [k for k in named_by(name) if k not in kinds]
    show_json(policy(kinds, account=account, region=region, partition=partition))


def named_by(play: str) -> list[type[Action[Any]]]:
    """Return the actions that a play's file imports, without running it."""
    stem = play.replace("-", "_")
    if stem not in plays.names():
        plays.find(play)
    tree = ast.parse((Path(playbooks.__path__[0]) / f"{stem}.py").read_text())
    known = catalogue()
    imported = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    stems = [m.rpartition(".")[2] for m in imported if m.startswith("actions.")]
    return [known[s] for s in stems if s in known]
