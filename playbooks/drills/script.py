"""The drill from its beginning to its end: two findings on one host, each by its own way."""

from pathlib import Path

from playbooks.drills import host, queue_act, signed_act
from playbooks.drills.drill import Drill


def play(drill: Drill, out: Path) -> None:
    """Run both acts and score every claim; leaves bundle and trust in `out`.

    Stanch is started anew before the denial's end: a restart loses no timer, and the range's time
    has moved past the end of the sessions it had.
    """
    before = host.describe(drill.clients, drill.estate)
    with drill.serving() as url:
        queue_act.play(drill, out)
        incident = signed_act.play(drill, url)
    signed_act.wait_out(drill, incident)
    with drill.serving():
        signed_act.lifted(drill, incident, before)
