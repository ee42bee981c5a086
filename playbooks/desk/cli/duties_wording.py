"""Duties on a screen: never without the words that this is no legal advice."""

from collections import Counter
from collections.abc import Sequence

from rich.table import Table

from playbooks.desk.cli.surroundings import out, printable
from playbooks.duties.changes import date_of, owed
from playbooks.duties.duty import DISCLAIMER, Duty
from playbooks.duties.moment import Moment
from playbooks.duties.scope import anchor_tasks, questions

_TRUTH = {True: "yes", False: "no", None: "not known"}
_SHOWN = 10


def when(moment: Moment | None) -> str:
    """Return a moment for a person, or a dash."""
    return moment.said() if moment else "-"


def show_clock(duty: Duty) -> None:
    """Print one clock with its derivation."""
    console, clock = out(), duty.clock
    console.print(f"[bold]{duty.key}[/] {printable(duty.regime.name)}")
    console.print(f"to {printable(duty.stage.recipient)} ({duty.stage.completion})")
    console.print(f"state           {clock.state}, applies: {_TRUTH[duty.applies.truth]}")
    for label, moment in (
        ("act by", clock.conservative_due),
        ("lawful until", clock.legal_latest),
        ("our target", clock.target),
        ("not before", clock.not_before),
        ("shadow date", clock.shadow),
    ):
        if moment:
            console.print(f"{label:15} [bold]{when(moment)}[/]")
    for other in clock.alternatives:
        console.print(f"{other.rule:15} {when(other.due)}  {printable(other.says)}")
    for step in clock.derivation:
        console.print(f"  - {printable(step)}")
    if duty.applies.settles:
        console.print(f"to be found out: {', '.join(duty.applies.settles)}")
    foot(duty)


def foot(duty: Duty) -> None:
    """Print what a duty rests on."""
    console = out()
    console.print(f"{printable(duty.regime.citation)}; {duty.regime.status}; {duty.confidence}")
    for source in duty.sources:
        console.print(f"  {printable(source)}")
    console.print("binding: the rule was read in its source, or confirmed" if duty.binding else "")
    console.print(f"[bold]{DISCLAIMER}[/]")


def show_derived(duties: Sequence[Duty]) -> None:
    """Print what is owed and what may be, the earliest first, then what is to be found out."""
    console = out()
    counts = Counter(_TRUTH[d.applies.truth] for d in duties if owed(d))
    regimes = len({d.regime.id for d in duties})
    console.print(
        f"{regimes} regimes, {len(duties)} duties: {counts['yes']} owed, "
        f"{counts['not known']} may be, the rest are not"
    )
    table = Table("act by", "lawful until", "duty", "to", "applies", box=None)
    dated = [d for d in duties if owed(d) and (d.applies.truth or date_of(d))]
    for duty in sorted(dated, key=_order):
        kind = "" if duty.clock.conservative_due else " (target)" if duty.clock.target else " (?)"
        table.add_row(
            when(date_of(duty)) + kind,
            when(duty.clock.legal_latest),
            duty.key,
            printable(duty.stage.recipient),
            _TRUTH[duty.applies.truth],
        )
    console.print(table)
    for task in anchor_tasks(duties)[:_SHOWN]:
        console.print(
            f"P1 record {task.anchor} ({printable(task.means)}): {len(task.duties)} clocks wait; "
            f"the earliest would end {when(task.earliest)}"
        )
    for asked in questions(duties)[:_SHOWN]:
        console.print(f"ask {asked.fact}: {printable(asked.ask)} ({asked.waiting} duties)")
    console.print(f"[bold]{DISCLAIMER}[/]")


def _order(duty: Duty) -> tuple[bool, bool, float, str]:
    date = date_of(duty)
    at = date.last.timestamp() if date else 0.0
    return duty.applies.truth is not True, date is None, at, duty.key
