"""`stanch custody check`: read artifacts of the locker again, and record what was found."""

import sys
from functools import partial
from typing import Annotated

import typer

from evidence import ledger
from evidence.custody import fixity
from evidence.custody.disposal import erase
from evidence.custody.follow import CHECKED, INTACT
from evidence.custody.record import every_case, record_all, view
from evidence.custody.state import LOCKER
from evidence.errors import CustodyError
from playbooks.case import locking
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.desk.cli.custody_paper import pseudonym
from playbooks.desk.cli.surroundings import here, out, printable
from playbooks.wiring.parts import Parts


def check(
    incident: Annotated[str, typer.Argument(help="One case; all of them when left out.")] = "",
    sample: Annotated[
        int | None, typer.Option(min=1, help="Read so many, those whose proof is oldest.")
    ] = None,
) -> None:
    """Read artifacts again, compare their hashes, and record when each was last proven intact.

    Finishes the erasure of what was disposed of. Leaves with exit status 1 when something is bad.
    """
    _, parts, db = here()
    if incident:
        pseudonym(db, incident)
    cases = [incident] if incident else db.read(every_case)
    states = {case: db.read(partial(view, case=case)) for case in cases}
    console, bad = out(), False
    for case, state in states.items():
        for gone in erase(state, parts.locker):
            console.print(
                f"{printable(case)}: erased the key of {gone.artifact_id}, which was left"
            )
        for unlike in _unlocked(db, parts, case):
            bad = True
            console.print(f"[red]{printable(case)}:[/] {printable(unlike)}")
        for problem in state.problems:
            bad = True
            console.print(f"[red]{printable(case)}:[/] {printable(problem)}")
    whose = {a.artifact_id: case for case, s in states.items() for a in s.artifacts.values()}
    everything = [a for s in states.values() for a in s.artifacts.values() if not a.disposed]
    found = [fixity.check(parts.locker, one) for one in fixity.due(everything, sample)]
    for case in cases:
        of_case = [one for one in found if whose[one.artifact.artifact_id] == case]
        of = sum(whose[a.artifact_id] == case for a in everything)
        _record(db, parts, case, of_case, of)
    checkpoint(db, parts)
    for one in found:
        if one.found != INTACT:
            bad = True
            case, name = whose[one.artifact.artifact_id], printable(one.artifact.name)
            why = f"{one.found}: {printable(one.why)}"
            console.print(f"[red]{printable(case)} {one.artifact.artifact_id}[/] {name}: {why}")
    intact = sum(one.found == INTACT for one in found)
    console.print(f"{intact} of {len(found)} read are intact; {len(everything)} there are")
    left = [a for a in everything if a.artifact_id not in {f.artifact.artifact_id for f in found}]
    if left:
        oldest = min(a.last_checked or a.stored_at for a in left)
        console.print(f"the oldest proof of the others is of {oldest}")
    if bad:
        sys.exit(1)


def _unlocked(db: Store, parts: Parts, case: str) -> list[str]:
    """Tell the store what the ledger says of locks; return in words what is still not so."""
    try:
        left = locking.unsettled(parts, db, case)
    except CustodyError as error:
        # The check goes on: what can be read is, and the rest is on record as unreadable.
        return [str(error)]
    return [f"{one.artifact_id} in the store: {one.what}" for one in left]


def _record(db: Store, parts: Parts, case: str, found: list[fixity.Checked], of: int) -> None:
    if not found:
        return
    now = parts.now()
    salted = [
        (ledger.Entry(CHECKED, case, body, LOCKER, now), parts.random(32))
        for body in fixity.bodies(found, of)
    ]
    # Nothing of it is signed by a person.
    db.commit(partial(record_all, case=case, salted=salted, people={}, record_time=now))
