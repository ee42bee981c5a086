"""`stanch custody hold` and `release-hold`: one person sets a hold, two release it."""

from pathlib import Path
from typing import Annotated

import typer

from evidence.custody.signing import state
from evidence.custody.statement import HOLD, RELEASE
from playbooks.desk.cli.custody_paper import Paper, pass_on, pseudonym, signed_by
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.wiring import people

Reason = Annotated[str, typer.Option(help="Why; it is signed, and stands in the ledger.")]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="New file, for the other person to sign.")
]


def hold(
    incident: str,
    key: Key,
    reason: Reason,
    artifact: Annotated[
        list[str] | None, typer.Option(help="An artifact's id; the whole case when left out.")
    ] = None,
) -> None:
    """Put artifacts, or the whole case and what is added to it later, under legal hold."""
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    name = f"HOLD-{parts.random(4).hex()}"
    named = sorted(set(artifact)) if artifact else None
    case = pseudonym(db, incident)
    said = state(HOLD, case, parts.now(), reason, hold=name, artifacts=named)
    pass_on(db, parts, signed_by(Paper(incident, said), person, secret, parts), person, None)
    out().print(f"hold    {printable(name)}; to end it: stanch custody release-hold {name}")


def release_hold(incident: str, hold: str, key: Key, reason: Reason, output: Output = None) -> None:
    """Sign the end of a hold; it ends when another person has signed it too."""
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    said = state(RELEASE, pseudonym(db, incident), parts.now(), reason, hold=hold)
    pass_on(db, parts, signed_by(Paper(incident, said), person, secret, parts), person, output)
