"""Duties on a screen: never without the words that this is no legal advice."""

from collections.abc import Sequence

from playbooks.desk.cli.surroundings import out, printable
from playbooks.duties.changes import date_of, owed
from playbooks.duties.duty import DISCLAIMER, Duty
from playbooks.duties.moment import Moment
from playbooks.duties.scope import anchor_tasks, questions

_TRUTH = {True: "yes", False: "no", None: "not known"}
_SHOWN = 10


def when(moment: Moment | None) -> str:
    """Return a moment for a person, or a dash."""
    return printable(moment.said()) if moment else "-"


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
        console.print(f"{printable(other.rule):15} {when(other.due)}  {printable(other.says)}")
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
    binding = "binding: the rule was read in its source, or confirmed"
    console.print(binding if duty.binding else "not binding: let counsel read the rule")
    console.print(f"[bold]{DISCLAIMER}[/]")


def show_derived(duties: Sequence[Duty], *, everything: bool = False) -> None:
    """Print what is owed and what may be, the earliest first, then what is to be found out."""
    console = out()
    regimes = len({d.regime.id for d in duties})
    sure = sorted((d for d in duties if owed(d) and d.applies.truth), key=_order)
    open_ = sorted((d for d in duties if owed(d) and not d.applies.truth), key=_order)
    console.print(
        f"{regimes} regimes, {len(duties)} duties: {len(sure)} owed, {len(open_)} may be, the rest "
        "are not"
    )
    for duty in sure:
        _line(duty)
    shown = open_ if everything else open_[:_SHOWN]
    if shown:
        console.print(f"may be owed, until a fact settles it ({len(shown)} of {len(open_)}):")
    for duty in shown:
        _line(duty)
    if len(shown) < len(open_):
        console.print("  ... --all shows the rest; the questions below settle most")
    for task in anchor_tasks(duties)[:_SHOWN]:
        console.print(
            f"P1 record {task.anchor} ({printable(task.means)}): {len(task.duties)} clocks wait, "
            f"{task.owed} surely owed; the earliest would end {when(task.earliest)}"
        )
    for asked in questions(duties)[:_SHOWN]:
        console.print(f"ask {asked.fact}: {printable(asked.ask)} ({asked.waiting} duties)")
    console.print(f"[bold]{DISCLAIMER}[/]")


def _line(duty: Duty) -> None:
    clock = duty.clock
    if clock.conservative_due:
        date = f"by {when(clock.conservative_due)}"
    elif clock.target:
        date = f"target {when(clock.target)}"
    elif clock.not_before:
        date = f"not before {when(clock.not_before)} is over"
    elif clock.shadow:
        date = f"not started; at worst {when(clock.shadow)}"
    else:
        date = f"not started: record {', '.join(clock.missing)}"
    binding = "" if duty.binding or not clock.conservative_due else f" ({duty.confidence})"
    console, recipient = out(), printable(duty.stage.recipient)
    console.print(f"  [bold]{duty.key}[/] {date}{binding}; to {recipient}")


def _order(duty: Duty) -> tuple[bool, bool, float, str]:
    date = date_of(duty)
    at = date.last.timestamp() if date else 0.0
    return duty.applies.truth is not True, date is None, at, duty.key
