"""`stanch drill`: run what Stanch is for on the practice range, and score it."""

import logging
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from playbooks.errors import PlaybookError

if TYPE_CHECKING:
    from playbooks.drills.stage import Scenario


def drill(
    scenario: Annotated[
        list[str] | None,
        typer.Option(help="What to play, by name; all when left out; `list` names them."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for bundle, trust.json, scorecard.json; of several, one each."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the drill's deployment.")] = False,
    sabotage: Annotated[
        str, typer.Option(help="Break this on purpose and see its claims fail; `list` names all.")
    ] = "",
) -> None:
    """Answer attacks on a simulated AWS and Vault, prove it, undo it; exit 1 if a claim fails."""
    # Only a drill pays for importing the simulated AWS.
    from playbooks.drills import tally
    from playbooks.drills.scenarios import NAMES, find, sabotages

    console = Console(soft_wrap=True, highlight=False)
    if sabotage == "list":
        tally.show_sabotages(console)
        return
    if scenario == ["list"]:
        tally.show_scenarios(console)
        return
    if sabotage and sabotage not in sabotages():
        raise PlaybookError(f"there is no sabotage {sabotage!r}; `--sabotage list` names all.")
    chosen = [find(name) for name in scenario or NAMES]
    if sabotage:
        chosen = [find(sabotages()[sabotage][0])]
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    good = [
        _played(console, one, out / one.name if out and len(chosen) > 1 else out, keep, sabotage)
        for one in chosen
    ]
    if len(chosen) > 1:
        bad = [one.name for one, held in zip(chosen, good, strict=True) if not held]
        told = f"[red]not all claims hold in: {', '.join(bad)}[/]" if bad else "all claims hold"
        console.rule(f"[bold]{len(chosen)} scenarios: {told}")
    # Broken on purpose is broken; unnoticed is worse.
    if sabotage or not all(good):
        sys.exit(1)


def _played(
    console: Console, scenario: "Scenario", out: Path | None, keep: bool, sabotage: str
) -> bool:
    """Play one scenario in a world of its own; return whether every claim holds."""
    from playbooks.drills import tally
    from playbooks.drills.drill import build, prepared

    folder = Path(tempfile.mkdtemp(prefix="stanch-drill-"))
    target = out or folder / "out"
    _make_room(target)
    with prepared(scenario, folder, *build(), broken=sabotage) as running:
        ended = False
        try:
            scenario.play(running, target)
            ended = True
        finally:
            # A drill that broke off has held nothing, whatever it claimed before.
            running.score.claim("the drill ran to its end", True, ended)
            running.score.write(target / "scorecard.json")
            scenario.show(console, running)
            tally.show_score(console, running)
    if out:
        trust = target / "trust.json"
        console.print(f"bundle    python -m evidence verify {target / 'bundle'} --trust {trust}")
    if keep:
        console.print(f"kept      {folder} (settings: {folder / 'stanch.toml'})")
    else:
        shutil.rmtree(folder)
    if sabotage:
        tally.show_sabotage(console, running, scenario.sabotages[sabotage])
    return running.score.ok


def _make_room(target: Path) -> None:
    """Make the folder, and clear away the bundle of an earlier drill; nothing else goes."""
    target.mkdir(parents=True, exist_ok=True)
    bundle = target / "bundle"
    if bundle.exists():
        if not (target / "scorecard.json").is_file():
            raise PlaybookError(
                f"{bundle} exists, and no scorecard.json beside it says that a drill left it. "
                "Name another folder with --out."
            )
        shutil.rmtree(bundle)
