"""`stanch duties confirm`: counsel confirms a rule as it reads now; it then binds."""

from typing import Annotated

import typer

from playbooks.case.record import DEPLOYMENT
from playbooks.case.store import duties as stored
from playbooks.desk.cli.duties_known import Evidence, Why, said
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.duties.duty import DISCLAIMER
from playbooks.duties.survey import length_said
from playbooks.notification.confirming import confirmed, rule_digest
from playbooks.notification.entry import stage_of
from playbooks.notification.recording import record
from playbooks.notification.rules import rules
from playbooks.wiring import people


def confirm(
    duty: Annotated[str, typer.Argument(help="REGIME/STAGE.")],
    key: Key,
    why: Why,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take it back.")] = False,
    evidence: Evidence = "",
) -> None:
    """Confirm a rule by its text, signed; should the text change, it is confirmed no longer."""
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    book = rules(parts)
    regime, stage = stage_of(duty, book)
    digest = rule_digest(regime, stage)
    body = said(why, evidence, duty=duty, rule=digest)
    entry = ("withdrawn", said(why, evidence, names=[duty])) if withdraw else ("confirmed", body)
    record(parts, db, DEPLOYMENT, person, secret, [entry], book)
    console = out()
    console.print(f"[bold]{duty}[/] {printable(regime.citation)}: {length_said(stage.deadline)}")
    console.print(f"from {stage.anchor}; {stage.confidence or regime.confidence}")
    for source in stage.sources or regime.sources:
        console.print(f"  {printable(source)}")
    verb = "confirmation withdrawn" if withdraw else "confirmed"
    console.print(f"{verb} by {printable(person)}, sha256 {digest}")
    found = confirmed(db.read(lambda conn: stored.duty_log(conn, DEPLOYMENT)), book)
    for other, row in found.changed.items():
        console.print(f"[yellow]{other} changed since {printable(row.by)} confirmed it[/]")
    console.print(f"[bold]{DISCLAIMER}[/]")
