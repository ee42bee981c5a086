"""`stanch custody show`: who holds each artifact, what holds it, and when it was last intact."""

from dataclasses import asdict
from typing import Any

from rich.console import Console

from evidence.custody.record import view
from evidence.custody.state import Artifact, CaseCustody
from playbooks.desk.cli import wording
from playbooks.desk.cli.custody_paper import pseudonym
from playbooks.desk.cli.surroundings import Json, here, out, printable, show_json


def show(incident: str, json: Json = False) -> None:
    """Show where the custody of a case's artifacts stands, replayed from the ledger."""
    _, _, db = here()
    pseudonym(db, incident)
    state = db.read(lambda conn: view(conn, incident))
    if json:
        show_json(told(state))
        return
    console = out()
    for artifact in state.artifacts.values():
        _artifact(console, state, artifact)
    if not state.artifacts:
        console.print("no artifacts.")
    for hold in state.holds.values():
        over = "" if hold.released is None else f", released {hold.released}"
        on = "the whole case" if hold.artifacts is None else f"{len(hold.artifacts)} artifacts"
        by = f"set by {printable(hold.by)}, {wording.clock(hold.since)}"
        console.print(f"{printable(hold.id)} on {on}: {printable(hold.reason)} ({by}{over})")
    if state.retain_until:
        console.print(f"the whole case is kept until {state.retain_until}")
    for problem in state.problems:
        console.print(f"[red]does not follow:[/] {printable(problem)}")


def told(state: CaseCustody) -> dict[str, Any]:
    """Return the state as JSON values."""
    return {
        "artifacts": [
            asdict(one)
            | {"holds": list(state.holds_on(one.artifact_id))}
            | {"retain_until": state.retained_until(one.artifact_id)}
            for one in state.artifacts.values()
        ],
        "holds": [
            asdict(hold) | {"artifacts": None if hold.artifacts is None else sorted(hold.artifacts)}
            for hold in state.holds.values()
        ],
        "retain_until": state.retain_until,
        "problems": state.problems,
    }


def _artifact(console: Console, state: CaseCustody, artifact: Artifact) -> None:
    console.print(
        f"[bold]{artifact.artifact_id}[/] {printable(artifact.name)}, {artifact.size} bytes"
    )
    if artifact.disposed:
        by = printable(" and ".join(artifact.disposed_by))
        console.print(
            f"    [yellow]disposed of[/] {artifact.disposed} by {by}; its hashes are kept"
        )
        return
    handed = f", handed over {len(artifact.transfers)} times" if artifact.transfers else ""
    console.print(f"    held by {printable(artifact.holder)}{handed}; read {artifact.reads} times")
    if holds := state.holds_on(artifact.artifact_id):
        console.print(f"    [yellow]under hold[/] {printable(', '.join(holds))}")
    if until := state.retained_until(artifact.artifact_id):
        console.print(f"    kept until {until}")
    console.print(f"    last proven intact {artifact.last_intact}")
    if artifact.last_found not in (None, "intact"):
        console.print(f"    [red]{artifact.last_found}[/] when checked {artifact.last_checked}")
