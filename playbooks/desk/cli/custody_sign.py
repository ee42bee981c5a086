"""`stanch custody sign`: be the other person that a statement needs."""

from pathlib import Path
from typing import Annotated

import typer

from evidence.custody.statement import ERASURE
from evidence.erasing import named
from evidence.errors import CustodyError
from playbooks.desk.cli.confirm import confirm
from playbooks.desk.cli.custody_paper import pass_on, pseudonym, read, signed_by
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.wiring import people


def sign(
    paper: Path,
    key: Key,
    sure: Annotated[bool, typer.Option("--yes", help="Sign without asking again.")] = False,
) -> None:
    """Show what another person signed, sign it too, and record it."""
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    found = read(paper)
    if found.statement["case"] != pseudonym(db, found.incident):
        raise CustodyError(
            f"the statement in {paper} is about another case than {found.incident}, which it names"
        )
    console = out()
    console.print(f"incident   {printable(found.incident)}")
    for name, value in found.statement.items():
        console.print(f"{name:10} {printable(value)}")
    if found.statement["kind"] == ERASURE:
        # The statement has commitments alone; who signs it is to know what goes.
        for seq, kind, one in db.read(
            lambda c: named(c, found.incident, found.statement["values"])
        ):
            console.print(
                f"erases     {one.place} of entry {seq} ({kind}): {printable(one.value.decode())}"
            )
    confirm(person, sure)
    pass_on(db, parts, signed_by(found, person, secret, parts), person, None)
