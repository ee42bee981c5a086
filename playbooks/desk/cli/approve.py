"""`stanch approve`: answer a question, signed with your own key."""

from typing import Annotated

import typer

from playbooks.case import store
from playbooks.case.answering import answer, sign
from playbooks.case.record import Record
from playbooks.case.sealing import checkpoint
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.errors import UnknownIncidentError
from playbooks.wiring import people


def approve(
    question: str,
    key: Key,
    deny: Annotated[bool, typer.Option("--deny", help="Say no.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it stands in the ledger.")] = "",
) -> None:
    """Say yes (or no) to a question. Whoever asked cannot answer."""
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    asked = next((q for q in db.read(store.questions) if q.id == question), None)
    if asked is None:
        raise UnknownIncidentError(f"there is no question {question!r}; see `stanch show`.")
    console = out()
    for scope in asked.scopes:
        keys = ", ".join(scope["keys"]) or "-"
        console.print(f"  {printable(scope['action'])} on {printable(scope['target'])}")
        console.print(f"    writes {printable(keys)}")
        for lost in scope["lost"]:
            console.print(f"    [yellow]lost:[/] {printable(lost)}")
    token = sign(asked, not deny, reason, person, secret, parts.now())
    record = Record(person, parts.now, parts.random)
    answered = answer(db, record, question, token, people.known(settings))
    checkpoint(db, parts)
    console.print(f"{answered.id}: [bold]{answered.state}[/] by {printable(person)}")
    again = "rollback" if answered.step.startswith("rollback/") else "resume"
    console.print(f"Now: stanch {again} {answered.incident}")
