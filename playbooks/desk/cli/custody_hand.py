"""`stanch custody transfer`: hand artifacts over, signed by who gives and by who takes."""

from typing import Annotated

import typer

from evidence.custody.record import view
from evidence.custody.signing import state
from evidence.custody.state import LOCKER, CaseCustody
from evidence.custody.statement import TRANSFER
from evidence.errors import CustodyError
from playbooks.desk.cli.custody_hold import Output, Reason
from playbooks.desk.cli.custody_paper import Paper, everybody, pass_on, pseudonym, signed_by
from playbooks.desk.cli.surroundings import Key, here
from playbooks.wiring import people


def transfer(
    incident: str,
    artifacts: list[str],
    to: Annotated[str, typer.Option(help=f"Who takes it; {LOCKER} is the locker itself.")],
    place: Annotated[str, typer.Option(help="Where it changes hands.")],
    key: Key,
    reason: Reason,
    output: Output = None,
) -> None:
    """Hand artifacts to another person. What the locker holds, whoever takes it signs for."""
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    if to not in everybody(parts):
        raise CustodyError(f"{to} is nobody under [people] in stanch.toml, so cannot take evidence")
    case = pseudonym(db, incident)
    giver = holder(db.read(lambda conn: view(conn, incident)), artifacts)
    if person != (to if giver == LOCKER else giver):
        signs = f"{to} takes it from the locker" if giver == LOCKER else f"{giver} holds it"
        raise CustodyError(f"{signs}, so signs first; this is the key of {person}")
    more = {"artifacts": sorted(set(artifacts)), "from": giver, "to": to, "place": place}
    said = state(TRANSFER, case, parts.now(), reason, **more)
    pass_on(db, parts, signed_by(Paper(incident, said), person, secret, parts), person, output)


def holder(found: CaseCustody, artifacts: list[str]) -> str:
    """Return who holds all of these. Raise CustodyError when that is not one, or there is none."""
    if unknown := [one for one in artifacts if one not in found.artifacts]:
        raise CustodyError(f"artifact {unknown[0]} is none of this case; see `stanch custody show`")
    holders = sorted({found.artifacts[one].holder for one in artifacts})
    if len(holders) != 1:
        raise CustodyError(f"these are held by {', '.join(holders)}; hand over each one's apart")
    return holders[0]
