"""`stanch collection`: what an account needs before its hosts can be asked for volatile state."""

import typer

from actions.aws import collection_document as pinned


def collection() -> None:
    """Print the document that Systems Manager is to run, for CreateDocument; changes nothing.

    Stanch runs no other, and this one only as it is printed here: after an upgrade, print it again.
    """
    typer.echo(pinned.text())
