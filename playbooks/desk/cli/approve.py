"""`stanch approve`: answer a question, signed with your own key."""

import sys
from typing import Annotated, Any

import typer

from playbooks.case import store
from playbooks.case.answering import answer, sign
from playbooks.case.record import Record
from playbooks.case.sealing import checkpoint
from playbooks.desk.cli import questions, wording
from playbooks.desk.cli.show import OVER
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.errors import ApprovalError, UnknownIncidentError
from playbooks.wiring import people


def approve(
    question: str,
    key: Key,
    deny: Annotated[bool, typer.Option("--deny", help="Say no.")] = False,
    reason: Annotated[str, typer.Option(help="Why; it stands in the ledger.")] = "",
    sure: Annotated[bool, typer.Option("--yes", help="Sign without asking again.")] = False,
) -> None:
    """Say yes (or no, with --deny) to a question. Whoever asked cannot answer."""
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    asked = next((q for q in db.read(store.questions) if q.id == question), None)
    if asked is None:
        raise UnknownIncidentError(f"there is no question {question!r}; see `stanch show`.")
    console = out()
    found = db.read(lambda conn: store.incident(conn, asked.incident))
    shown: dict[str, Any] = {"step": asked.step, "incident": asked.incident}
    shown |= {"scopes": asked.scopes, "about": asked.about}
    console.print(f"[bold]{found.id}[/] {found.severity.value} {printable(found.title)}")
    console.print(f"where  {wording.where(found.target)}")
    console.print(f"{asked.id}: {questions.subject(shown, found.target)}")
    questions.detail(console, shown, found.target)
    if asked.state == "open" and found.status not in OVER and not sure:
        if sys.stdin.isatty():
            typer.confirm(f"Sign {'no' if deny else 'yes'} as {person}?", abort=True)
        elif not deny and not asked.step.startswith(questions.BACK):
            # Such acts cannot be undone, and a script's yes is not one that somebody has read.
            raise ApprovalError(
                f"{asked.id} was not answered: this is no terminal, so nobody was asked to "
                f"confirm. Read the above, then add --yes (or --deny)."
            )
    token = sign(asked, not deny, reason, person, secret, parts.now())
    record = Record(person, parts.now, parts.random)
    answered = answer(db, record, question, token, people.known(settings))
    checkpoint(db, parts)
    console.print(f"{answered.id}: [bold]{answered.state}[/] by {printable(person)}")
    console.print("nothing of it will be done." if deny else f"now    {questions.after(shown)}")
    if deny and not answered.step.startswith(questions.BACK):
        console.print(f"now    {questions.after(shown)}")
