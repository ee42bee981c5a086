"""`stanch duties sent` and `decide`: what went out, and what is not to be sent, signed."""

from pathlib import Path
from typing import Annotated, Any

import typer

from playbooks.desk.cli.duties_known import Evidence, Why, recorded, said
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.notification import proof as proofs
from playbooks.notification.checklist import checklist
from playbooks.notification.confirming import rule_digest
from playbooks.notification.entry import checked, stage_of
from playbooks.notification.looking import look
from playbooks.notification.rules import rules
from playbooks.notification.standing import AWAITING_RECEIPT, AWAITING_SIGN_OFF
from playbooks.wiring import people


def sent(
    incident: str,
    duty: Annotated[str, typer.Argument(help="REGIME/STAGE.")],
    key: Key,
    at: Annotated[str, typer.Option(help="When it went out, with a zone.")] = "",
    received: Annotated[str, typer.Option(help="When it was received.")] = "",
    acknowledged: Annotated[str, typer.Option(help="When its receipt was confirmed.")] = "",
    how: Annotated[str, typer.Option(help="By what way: post, portal, mail.")] = "",
    by: Annotated[str, typer.Option(help="Who sent it, where that was not you.")] = "",
    proof: Annotated[Path | None, typer.Option(help="A file that proves it; kept sealed.")] = None,
    late: Annotated[str, typer.Option(help="Why it went out late, if it did.")] = "",
    why: Why = "sent",
    evidence: Evidence = "",
) -> None:
    """Record that a notice went out. What is late or out of order is recorded too, and flagged."""
    settings, parts, db = here()
    person, _ = people.who(settings, key)
    times = {"sent": at, "received": received, "acknowledged": acknowledged}
    body = said(why, evidence, duty=duty, how=how, by=by or person, late=late, **times)
    if proof is not None:
        # Before the file is kept: what is refused keeps nothing.
        checked("sent", body, rules(parts), parts.now())
        kept = proofs.keep(parts, db, incident, duty, proof, person)
        body |= {"proof": kept.digest, "artifact": kept.artifact}
        out().print(f"kept {kept.artifact}, sha256 {kept.digest}")
    recorded(incident, key, [("sent", body)])
    now = db.read(lambda conn: look(conn, incident, rules(parts)))
    stands, stage = now.standing(duty), now.duties[duty].stage
    if stands.state == AWAITING_RECEIPT:
        option = "--acknowledged" if stage.completion == "submitted_ack" else "--received"
        out().print(f"open still: the law wants more than sending; add {option} TIME once it is so")
    for item in checklist(now.duties[duty], now.done.of(duty), stands.flags, now.known.facts):
        if not item.done:
            asks = f" ({printable(item.asks)})" if item.asks else ""
            out().print(f"  to do: {item.name}: {printable(item.means)}{asks}")


def decide(
    incident: str,
    duty: Annotated[list[str], typer.Argument(help="REGIME/STAGE, one or several.")],
    key: Key,
    why: Why,
    no_longer_owed: Annotated[
        bool, typer.Option("--no-longer-owed", help="Sign off what was owed, and no longer is.")
    ] = False,
    evidence: Evidence = "",
) -> None:
    """Decide that no notice is to go out, or sign off a duty that is no longer owed.

    Where the rule is binding it takes two people, each with their own key and reasons.
    """
    how = "no_longer_owed" if no_longer_owed else "not_notifying"
    book = rules(here()[1])
    known = {f"{r.id}/{s.id}" for r in book.regimes() for s in r.stages}
    entries: list[tuple[str, dict[str, Any]]] = []
    for each in duty:
        # A rule that is gone has no text; its duty can still be signed off.
        gone = no_longer_owed and each not in known
        rule = "0" * 64 if gone else rule_digest(*stage_of(each, book))
        entries.append(("not_notifying", said(why, evidence, duty=each, how=how, rule=rule)))
    made = recorded(incident, key, entries)
    for row in made.moved.rows:
        if row.duty in duty and row.state == AWAITING_SIGN_OFF:
            out().print(f"[yellow]{row.duty} is open still:[/] its rule binds, so a second person")
            out().print(f"  signs too: stanch duties decide {incident} {row.duty} --why --key")
