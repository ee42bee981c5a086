"""Tells a person how an entry of a play ended."""

from typing import Any

from playbooks.case.enter import Ending
from playbooks.case.store import Store
from playbooks.case.story import story
from playbooks.desk.cli import questions, wording
from playbooks.desk.cli.show import OVER, headline
from playbooks.desk.cli.surroundings import out, printable, show_json

# What a person must look at now: the host is not as the play should have left it.
BAD = {"Refused", "Gone", "Stopped", "Frozen"}


def tell_ending(
    db: Store, incident_id: str, ending: Ending | None, *, as_json: bool, again: str = ""
) -> None:
    """Print where the incident stands and what to do next; `again` says that it was known.

    Leaves with exit status 1 when the play could not do what it is for.
    """
    told = db.read(lambda conn: story(conn, incident_id))
    if as_json:
        show_json(told | {"ended": ending.state if ending else "Proposed"})
    else:
        _say(told, again)
    if ending and ending.state in BAD:
        raise SystemExit(1)


def tell_unaided(ending: Ending, *, as_json: bool) -> None:
    """Print what was done without the database. Leaves with exit status 1 when that was not all."""
    if as_json:
        show_json({"ended": ending.state, "status": ending.status, "says": ending.says})
    else:
        why = f": {ending.says}" if ending.says else ""
        out().print(
            "[yellow]the database cannot commit; what could be done without it is in the spool[/]\n"
            f"status {printable(ending.status)} ({ending.state}{printable(why)})\n"
            "next   mend the database (stanch doctor); stanch serve then brings it in and goes on"
        )
    if ending.state != "Completed":
        raise SystemExit(1)


def _say(told: dict[str, Any], again: str) -> None:
    told = wording.once(told)
    console = out()
    if again:
        console.print(printable(again))
    headline(console, told)
    done = [s for s in told["steps"] if s["phase"] == "done"]
    kept = sum(len(e["artifacts"]) for e in told["evidence"])
    missed = sum(len(e["missed"]) for e in told["evidence"])
    steps = f"{len(done)} of {len(told['steps'])} in effect"
    console.print(f"steps  {steps}; {kept} artifacts kept, {missed} missed")
    for q in told["questions"]:
        if q["state"] == "open" and told["status"] not in OVER:
            what = questions.subject(q, told["target"])
            console.print(
                f"[yellow]{q['id']}[/] may Stanch {what}? Read it: stanch show {told['id']}"
            )
            console.print(f"       then: stanch approve {q['id']} --key KEY   (or with --deny)")
    console.print(f"more   stanch show {told['id']}")
