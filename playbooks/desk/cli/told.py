"""Tells a person how an entry of a play ended."""

from playbooks.case import store
from playbooks.case.enter import Ending
from playbooks.case.store import Store
from playbooks.case.story import story
from playbooks.desk.cli.surroundings import out, printable, show_json


def tell_ending(db: Store, incident_id: str, ending: Ending | None, *, as_json: bool) -> None:
    """Print where the incident stands, and what to do next."""
    told = db.read(lambda conn: story(conn, incident_id))
    if as_json:
        show_json(told | {"ended": ending.state if ending else "Proposed"})
        return
    console = out()
    console.print(f"[bold]{told['id']}[/] {told['severity']} {printable(told['title'])}")
    console.print(f"status: [bold]{told['status']}[/] {printable(told['says'])}")
    for reason in told["hindrances"]:
        console.print(f"  nothing by itself: {printable(reason)}")
    for question in db.read(lambda conn: store.questions(conn, incident_id)):
        if question.state == "open":
            console.print(
                f"  [yellow]answer {question.id}[/]: stanch approve {question.id} --key ..."
            )
    console.print(f"  more: stanch show {incident_id}")
