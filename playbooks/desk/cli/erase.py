"""`stanch erase`: destroy what the ledger holds of a personal value, signed by two people."""

from typing import Annotated

import typer

from evidence.custody.signing import state
from evidence.custody.statement import ERASURE, MAX_VALUES
from evidence.erasing import compact, naming, standing
from playbooks.case.store import Store
from playbooks.desk.cli.custody_hold import Output, Reason
from playbooks.desk.cli.custody_paper import Paper, pass_on, pseudonym, signed_by
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.wiring import people
from playbooks.wiring.parts import Parts


def erase(
    incident: str,
    key: Key,
    reason: Reason,
    value: Annotated[
        str, typer.Option(prompt=True, help="What to erase, as it was recorded; asked if left out.")
    ],
    output: Output = None,
) -> None:
    """Sign that a value is erased from an incident; done when another person has signed it too.

    Every personal value that holds it goes, and the salt that it was committed with. Its entries
    stay, and so do all proofs. Refused under hold. Said again later, it looks that all is gone.
    """
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    case = pseudonym(db, incident)
    found = db.read(lambda conn: naming(conn, incident, value))
    console = out()
    for seq, kind, one in found[:MAX_VALUES]:
        console.print(f"erases  {one.place} of entry {seq} ({kind})")
    if not found:
        console.print(f"nothing open in {printable(incident)} holds it.")
        finish(db, parts, value)
        return
    if len(found) > MAX_VALUES:
        console.print(f"{len(found) - MAX_VALUES} more are left: erase again afterwards")
    hidden = sorted(one.commitment for _, _, one in found[:MAX_VALUES])
    said = state(ERASURE, case, parts.now(), reason, values=hidden)
    pass_on(db, parts, signed_by(Paper(incident, said), person, secret, parts), person, output)


def finish(db: Store, parts: Parts, value: str) -> None:
    """Write the database anew, and tell where the value still stands."""
    console = out()
    if not compact(parts.engine):
        console.print(
            "[yellow]the database is in use[/], so what was deleted may lie in unused pages: stop "
            "`stanch serve`, and say this again"
        )
    for place, rows in db.read(lambda conn: standing(conn, value)).items():
        console.print(f"[yellow]still stands[/] in {rows} rows of {printable(place)}")
    console.print("earlier exports, backups and artifacts are not reached from here.")
