"""`stanch drill`: run the main job on the practice range and score it."""

import logging
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from playbooks.errors import PlaybookError


def drill(
    out: Annotated[
        Path | None, typer.Option(help="Folder for bundle, trust.json and scorecard.json.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the drill's deployment.")] = False,
    sabotage: Annotated[
        str, typer.Option(help="Break this on purpose and see its claims fail; `list` names all.")
    ] = "",
) -> None:
    """Answer two findings on a simulated AWS, prove it, undo it; exit 1 when any claim fails."""
    # Only a drill pays for importing the simulated AWS.
    from playbooks.drills import screen, script
    from playbooks.drills.drill import build, prepared
    from playbooks.drills.sabotages import SABOTAGES

    console = Console(soft_wrap=True, highlight=False)
    if sabotage == "list":
        screen.show_sabotages(console)
        return
    if sabotage and sabotage not in SABOTAGES:
        raise PlaybookError(f"there is no sabotage {sabotage!r}; `--sabotage list` names all.")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    folder = Path(tempfile.mkdtemp(prefix="stanch-drill-"))
    target = out or folder / "out"
    _make_room(target)
    with prepared(folder, *build(), broken=sabotage) as running:
        ended = False
        try:
            script.play(running, target)
            ended = True
        finally:
            # A drill that broke off has held nothing, whatever it claimed before.
            running.score.claim("the drill ran to its end", True, ended)
            running.score.write(target / "scorecard.json")
            screen.show(console, running)
    if out:
        trust = target / "trust.json"
        console.print(f"bundle    python -m evidence verify {target / 'bundle'} --trust {trust}")
    if keep:
        console.print(f"kept      {folder} (settings: {folder / 'stanch.toml'})")
    else:
        shutil.rmtree(folder)
    if sabotage:
        screen.show_sabotage(console, running)
        # Broken on purpose is broken; unnoticed is worse.
        sys.exit(1)
    if not running.score.ok:
        sys.exit(1)


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
