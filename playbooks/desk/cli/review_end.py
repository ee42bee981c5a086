"""`stanch review report`, `escalate` and `close`: what came of a campaign, and its end."""

from pathlib import Path
from typing import Annotated

import typer

from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.review import closing, escalating, reporting
from playbooks.wiring import people


def report(
    review: Annotated[str, typer.Argument(help="The campaign, REV-...")],
    key: Key,
    output: Annotated[Path, typer.Option("-o", "--output", help="New folder for the report.")],
) -> None:
    """Write JSON, CSV, evidence and a signed manifest for SOC 2 and ISO 27001 auditors."""
    settings, parts, db = here()
    person, _ = people.who(settings, key)
    made = reporting.report(parts, db, review, person, output)
    console = out()
    where = printable(str(made.path))
    console.print(f"report  {where}/report.json, report.csv, manifest.jws")
    for state, count in sorted(made.states.items()):
        console.print(f"  {count:6} {state}")
    trust = printable(str(parts.settings.home / "keys" / "trust.json"))
    for bundle in ("evidence", *(f"incidents/{i}" for i in made.incidents)):
        console.print(f"check   python -m evidence verify {where}/{bundle} --trust {trust}")


def escalate() -> None:
    """Tell owners, then stakeholders, of rows that nobody decided in time; serve does it too."""
    _, parts, db = here()
    found = escalating.escalate(parts, db)
    out().print(f"escalated {', '.join(found)}" if found else "nothing was due.")


def close(
    review: Annotated[str, typer.Argument(help="The campaign, REV-...")],
    key: Key,
    statement: Annotated[
        str, typer.Option(help="Why rows stay open; signed, in the ledger and the report.")
    ] = "",
) -> None:
    """Close a campaign; with open rows only with a signed statement."""
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    left = closing.close(parts, db, review, person, secret, statement)
    stated = f", {left} rows open as {printable(person)} stated" if left else ""
    out().print(f"{review} closed by {printable(person)}{stated}")
