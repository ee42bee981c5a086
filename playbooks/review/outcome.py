"""What became of a decision, from the journal alone: done and read back, waiting, undone, left."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from actions.action import step_of
from playbooks.case import store
from playbooks.case.store.reviews import ReviewRow
from playbooks.review.acts import recorded

UNDECIDED = "undecided"
KEPT = "kept"
IDLE = "decided, nothing done yet"
WAITS = "waits for approval"
DONE = "in effect, read back"
UNSEEN = "in effect, could not be read back"
UNDONE = "undone"
BROKEN = "half-way"
LEFT = "not done"
# What needs nothing more.
SETTLED = {KEPT, DONE}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a row has come; `step` of `incident` carries its decision out, `why` says why not."""

    state: str
    incident: str = ""
    step: str = ""
    why: str = ""


def outcomes(conn: Connection, rows: Iterable[ReviewRow]) -> dict[str, Outcome]:
    """Return what became of each row, by its id."""
    listed = list(rows)
    found: dict[str, Outcome] = {}
    for incident in {r.incident for r in listed if r.incident}:
        found |= _carried(conn, incident)
    return {row.id: _outcome(row, found) for row in listed}


def free(conn: Connection, rows: Iterable[ReviewRow]) -> frozenset[str]:
    """Return the rows that may be decided on, and carried out, anew: nothing of them is in effect.

    Those are rows whose incident was rolled back, or that a person refused before it did anything.
    """
    listed = [row for row in rows if row.incident]
    came = outcomes(conn, listed)
    over = {
        incident: store.incident(conn, incident).status in ("rolled-back", "refused")
        for incident in {row.incident for row in listed}
    }
    return frozenset(
        row.id
        for row in listed
        if came[row.id].state == UNDONE
        or (over[row.incident] and came[row.id].state in (WAITS, LEFT, IDLE))
    )


def _outcome(row: ReviewRow, carried: dict[str, Outcome]) -> Outcome:
    if row.decided is None:
        return Outcome(UNDECIDED)
    if row.decided.decision == "keep":
        return Outcome(KEPT)
    return carried.get(row.id, Outcome(IDLE, row.incident))


def _carried(conn: Connection, incident: str) -> dict[str, Outcome]:
    steps = {intent.step: intent for intent, _ in store.steps(conn, incident)}
    left = store.left(conn, incident)
    about = store.incident(conn, incident)
    # A rotation has steps of its own making; how far it has come is its incident's status.
    state = {"done": DONE, "rolled-back": UNDONE}.get(about.status, WAITS)
    rotates = about.alert.get("rotates", ())
    found = dict.fromkeys(rotates, Outcome(state, incident, "", about.says))
    for act in recorded(about):
        step = step_of(act.action)
        why = str(left.get(step, {}).get("error", ""))
        intent = steps.get(step)
        if intent is None:
            state = LEFT if why else WAITS
        elif intent.phase == "done":
            state = DONE if intent.verdict == "verified" else UNSEEN
        else:
            state = UNDONE if intent.phase == "undone" else BROKEN
        found |= dict.fromkeys(act.rows, Outcome(state, incident, step, why))
    return found
