"""`stanch drill`: run the main job on the practice range and score it."""

import logging
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def drill(
    out: Annotated[
        Path | None, typer.Option(help="Folder for bundle, trust.json and scorecard.json.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the drill's deployment.")] = False,
) -> None:
    """Answer a finding on a simulated AWS, prove it, undo it; exit 1 when any claim fails."""
    # Only a drill pays for importing the simulated AWS.
    from playbooks.drills import drill as drills
    from playbooks.drills import screen

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    folder = Path(tempfile.mkdtemp(prefix="stanch-drill-"))
    target = out or folder / "out"
    target.mkdir(parents=True, exist_ok=True)
    console = Console(soft_wrap=True, highlight=False)
    with drills.prepared(folder) as running:
        try:
            drills.play(running, target)
        finally:
            running.score.write(target / "scorecard.json")
            screen.show(console, running)
    if out:
        trust = target / "trust.json"
        console.print(f"bundle    python -m evidence verify {target / 'bundle'} --trust {trust}")
    if keep:
        console.print(f"kept      {folder} (settings: {folder / 'stanch.toml'})")
    else:
        import shutil

        shutil.rmtree(folder)
    if not running.score.ok:
        sys.exit(1)
