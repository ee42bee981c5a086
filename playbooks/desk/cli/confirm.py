"""Asks a person whether to sign what was just shown."""

import sys

import typer

from playbooks.errors import ApprovalError


def confirm(person: str, sure: bool) -> None:
    """Ask, unless `sure`; a no aborts. Raise ApprovalError where nobody is there to answer."""
    if sure:
        return
    if not sys.stdin.isatty():
        raise ApprovalError(
            "this is no terminal, so nobody was asked to confirm. Read the above and add --yes"
        )
    typer.confirm(f"Sign this as {person}?", abort=True)
