"""`stanch duties record`, `hold` and `check`: what people found out, decided and did, signed."""

from typing import Annotated, Any

import typer

from playbooks.desk.cli.duties_clock import pairs
from playbooks.desk.cli.duties_known import Evidence, Why, recorded, said
from playbooks.desk.cli.surroundings import Key
from playbooks.notification.entry_kinds import CHECKS
from playbooks.notification.errors import EntryError

Several = list[str] | None


def record(
    incident: str,
    key: Key,
    why: Why,
    anchor: Annotated[
        Several, typer.Option(help="EVENT=TIME, as discovery=2026-11-20T16:30[Europe/Berlin].")
    ] = None,
    fact: Annotated[Several, typer.Option(help="K=V, such as residents.CA=501.")] = None,
    withdraw: Annotated[
        Several, typer.Option(help="A fact, event, REGIME/stage:ID or decision that was wrong.")
    ] = None,
    evidence: Evidence = "",
) -> None:
    """Record facts and events of an incident; a later word wins, and the earlier stays in the log.

    Every clock is derived anew, and what that changes is told and kept.
    """
    entries: list[tuple[str, dict[str, Any]]] = []
    if withdraw:
        entries.append(("withdrawn", said(why, evidence, names=withdraw)))
    if fact:
        entries.append(("fact", said(why, evidence, facts=pairs(fact, "fact"))))
    if anchor:
        entries.append(("anchor", said(why, evidence, anchors=pairs(anchor, "anchor"))))
    if not entries:
        raise EntryError("nothing is said: give --anchor, --fact or --withdraw")
    recorded(incident, key, entries)


def hold(
    incident: str,
    key: Key,
    why: Why,
    authority: Annotated[str, typer.Option(help="Who asked to wait.")],
    since: Annotated[str, typer.Option(help="When they asked, with a zone.")],
    document: Annotated[str, typer.Option(help="On what: the same again gives its end.")],
    written: Annotated[bool, typer.Option("--written/--oral", help="In writing or by mouth.")],
    until: Annotated[str, typer.Option(help="Until when, once it is known.")] = "",
    regime: Annotated[Several, typer.Option(help="For this regime only; else for all.")] = None,
    evidence: Evidence = "",
) -> None:
    """Record that an authority asked to wait: it moves a date only where the law lets it."""
    body = said(why, evidence, authority=authority, since=since, document=document, until=until)
    body |= {"written": written} | ({"regimes": regime} if regime else {})
    recorded(incident, key, [("hold", body)])


def check(
    incident: str,
    key: Key,
    duty: Annotated[str, typer.Argument(help="REGIME/STAGE; none for --lead.")] = "",
    owner: Annotated[str, typer.Option(help="Who sees to it, and is reminded.")] = "",
    proof: Annotated[str, typer.Option(help="What proves that it was done: a reference.")] = "",
    sign_off: Annotated[str, typer.Option(help="What you looked at, and find right.")] = "",
    delay_reason: Annotated[str, typer.Option(help="Why it went out late.")] = "",
    justification: Annotated[
        str, typer.Option(help="Why the time taken is what the law's words of speed ask for.")
    ] = "",
    credit_monitoring: Annotated[
        str, typer.Option(help="What was offered, from whom, for how long.")
    ] = "",
    lead: Annotated[str, typer.Option(help="Who leads: told where an owner does not act.")] = "",
    why: Why = "checklist",
) -> None:
    """Fill in a duty's checklist: owner, evidence, sign-off, reasons; each item signed."""
    given = {
        "owner": owner,
        "evidence": proof,
        "sign_off": sign_off,
        "delay_reason": delay_reason,
        "justification": justification,
        "credit_monitoring": credit_monitoring,
        "lead": lead,
    }
    items = {name: value for name, value in given.items() if value}
    if not items:
        wanted = "; ".join(f"--{n.replace('_', '-')}: {means}" for n, means in CHECKS.items())
        raise EntryError(f"nothing is said. Expected one of {wanted}")
    if not duty and items.keys() != {"lead"}:
        raise EntryError("name the duty, REGIME/STAGE; only --lead is for the incident as a whole")
    recorded(incident, key, [("checklist", said(why, duty=duty, items=items))])
