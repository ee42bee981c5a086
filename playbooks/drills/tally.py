"""What every drill's screen ends with: the figures, the score, and what was not so."""

from rich.console import Console
from rich.markup import escape

from playbooks.drills.drill import Drill
from playbooks.drills.scenarios import NAMES, find
from playbooks.drills.stage import Sabotage


def show_score(console: Console, drill: Drill) -> None:
    """Print the figures, how many claims hold, and each that does not."""
    times = ", ".join(f"{name} {value:.2f} s" for name, value in drill.score.figures.items())
    if times:
        console.print(f"times     {times}")
    good = sum(c.ok for c in drill.score.claims)
    console.print(f"score     {good} of {len(drill.score.claims)} claims hold")
    for claim in drill.score.failed():
        console.print(f"[red]not so:[/] {escape(claim.name)}")
        console.print(f"   expected {escape(repr(claim.expected))[:600]}")
        console.print(f"   seen     {escape(repr(claim.seen))[:600]}")
    for name in ("opened", "latch", "rollback", "release"):
        if name in drill.seen:
            console.print(f"[red]{name}:[/] {escape(str(drill.seen[name]))[-2000:]}")


def show_scenarios(console: Console) -> None:
    """Print what can be played."""
    for name in NAMES:
        console.print(f"[bold]{name:22}[/] {find(name).says}")


def show_sabotages(console: Console) -> None:
    """Print what can be broken, and the claims that must fail then."""
    for scenario in NAMES:
        console.rule(scenario)
        for name, one in find(scenario).sabotages.items():
            console.print(f"[bold]{name:16}[/] {one.says}")
            for claim in sorted(one.claims):
                console.print(f"{'':18}{escape(claim)}")


def show_sabotage(console: Console, drill: Drill, one: Sabotage) -> None:
    """Say whether exactly the claims failed that should."""
    failed = {claim.name for claim in drill.score.failed()}
    console.print(f"sabotage  {drill.broken}: {one.says}")
    for claim in sorted(failed - one.claims):
        console.print(f"[red]failed besides:[/] {escape(claim)}")
    for claim in sorted(one.claims - failed):
        console.print(f"[red]held all the same:[/] {escape(claim)}")
    if failed == one.claims:
        console.print("          seen: exactly its claims fail")
