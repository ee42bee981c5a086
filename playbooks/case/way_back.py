"""The two ways back, rollback (it was a false positive) and release (it has recovered).

Both are approved by another person than who asks, begun as one record, and go on where they stood
when they are entered again: by that person, or by whoever enters the incident.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from actions.errors import TargetGoneError
from playbooks.case import asking, freezing, holding, holds, releasing, store
from playbooks.case.answers import Waiting
from playbooks.case.case import Case
from playbooks.case.guard import Scope, beyond
from playbooks.case.incident import Question
from playbooks.case.residual import WORKS
from playbooks.case.spooling import refuse_waiting
from playbooks.case.story import standing
from playbooks.case.undoing import Undo, Undone, acts_of, guarded, plan, staying, undo_step
from playbooks.errors import FrozenError, RefusedError

Verb = Literal["rollback", "release"]
# What the incident is called while the way back is gone, and at its end.
BEGUN: Mapping[str, str] = {"rollback": "rolling back", "release": "releasing"}
ENDED: Mapping[str, str] = {"rollback": "rolled-back", "release": "released"}
WAITS, RELEASED = store.RELEASED
KEPT = "way-back"
# When a way back that met a freeze is tried again.
AGAIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Way:
    """A way back that was allowed: by which question, asked by whom, of one step or (None) all."""

    verb: Verb
    question: str
    person: str
    number: int | None


async def planned(case: Case, verb: Verb, number: int | None = None) -> list[Undo]:
    """Return what the way back would change, last step first; with `number`, of one step."""
    if verb == "rollback":
        return await plan(case, number, verb=verb)
    if case.incident.play in WORKS:
        raise RefusedError(
            f"{case.incident.id} contains nothing that could be released: {case.incident.play} "
            "changes what is to stay. `stanch rollback` gives back what was found."
        )
    return await plan(case, number, verb=verb, without=lambda one: releasing.stays(case, one))


async def go_back(
    case: Case,
    undos: list[Undo],
    person: str,
    number: int | None = None,
    verb: Verb = "rollback",
    alive: Callable[[str], bool] = holding.alive,
    *,
    reason: str = "",
) -> list[Undone]:
    """Go the way back that was approved, and use the approval up.

    Raises Waiting until another person than `person` said yes, RefusedError on a no or from the
    guard, BusyError while somebody works on the incident, FrozenError while the account is frozen.
    """
    freezing.must_not_be_frozen(case)
    refuse_waiting(case.parts.settings, case.incident.place)
    renewed = case.parts.pool is not None
    now = case.parts.now
    with holding.held(case.store, case.incident.id, alive, now, renewed=renewed) as mine:
        case = replace(case, store=mine)
        if not undos and not begun(case):
            return []
        narrowing = releasing.narrowing(case, undos) if verb == "release" else []
        why = await guarded(case, [*narrowing, *acts_of(undos)])
        why = (f"{person}: {reason}", *why) if reason else why
        question = _approved(case, undos, [s for _, s in narrowing], (verb, number, person), why)
        way = Way(verb, question.id, person, number)
        case.store.commit(lambda conn: _begin(case, conn, way))
        return await _go(case, undos, way)


def begun(case: Case) -> bool:
    """Return whether a way back was begun and has not come to its end."""
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, KEPT))
    return known is not None and not known["ended"]


def _approved(
    case: Case,
    undos: list[Undo],
    narrowing: list[Scope],
    asked: tuple[Verb, int | None, str],
    why: tuple[str, ...],
) -> Question:
    """Return the yes that covers all of it, or ask. A no stands until its question's end."""
    verb, number, person = asked
    name, now = f"{verb}/{number or 'all'}", case.clock()
    scopes = [*narrowing, *(u.scope for u in undos)]
    wider: tuple[str, ...] = ()
    for q in reversed(case.store.read(lambda conn: store.questions(conn, case.incident.id))):
        if now >= q.expires or not q.step.startswith(f"{verb}/"):
            continue
        if q.state == "yes":
            wider = tuple(text for one in scopes for text in beyond(one, q.scopes))
            if not wider:
                return q
        if q.state == "no" and q.step == name:
            raise RefusedError(
                f"{verb} of {case.incident.id}: {q.approver} said no: {q.reason}. Nothing was "
                f"changed. It can be asked again after {q.expires.isoformat()}."
            )
    asker = replace(case, incident=replace(case.incident, requester=person))
    about: dict[str, Any] = {"why": list(why), verb: case.incident.id}
    about["changes"] = [[u.intent.step, k, a, b] for u in undos for k, (a, b) in u.keys.items()]
    about["held"] = [[u.intent.step, k, who] for u in undos for k, who in u.held.items()]
    about["gone"] = [[u.intent.step, u.gone] for u in undos if u.gone]
    about["stays"] = staying(case, number)
    if narrowing:
        about["first"] = (
            "sessions issued before the release stay denied until the last of them has run out; "
            "that denial is then taken away by itself, under this same approval"
        )
    if wider:
        about["beyond the earlier approval"] = list(wider)
    raise Waiting(asking.put(asker, name, scopes, about).id)


def _begin(case: Case, conn: Connection, way: Way) -> None:
    store.set_status(conn, case.incident.id, BEGUN[way.verb], f"asked by {way.person}")
    if store.kept(conn, case.incident.id, KEPT) == _open(way):
        return
    store.keep_newest(conn, case.incident.id, KEPT, _open(way))
    body = {"by": way.person, "approved": way.question, "number": way.number}
    case.record.note(conn, case.incident.id, f"{way.verb}.begun", body, actor=way.person)
    # Whoever began it may die; the incident is entered again then, and goes on.
    store.add_timer(conn, case.incident.id, store.clock(conn, case.parts.now) + 2 * store.LEASE)


def _open(way: Way) -> dict[str, Any]:
    return asdict(way) | {"ended": False}


async def _go(case: Case, undos: list[Undo], way: Way) -> list[Undone]:
    await case.quiet()
    if way.verb == "release":
        stuck = await releasing.narrow(case, undos, way.question)
        if stuck is not None:
            # Nothing is opened before the old sessions are sure to stay denied.
            case.store.commit(lambda conn: _end(case, conn, way, [stuck], None))
            return [stuck]
    scopes = _question(case, way).scopes
    ends = [await undo_step(case, u.intent.step, _allowed(u.scope, scopes)) for u in undos]
    until = await _until(case) if way.verb == "release" else None
    case.store.commit(lambda conn: _end(case, conn, way, ends, until))
    return ends


def _question(case: Case, way: Way) -> Question:
    return next(q for q in case.store.read(store.questions) if q.id == way.question)


def _allowed(scope: Scope, approved: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the keys that were approved for the act."""
    same = [s for s in approved if (s["action"], s["target"]) == (scope.action, scope.target)]
    return [key for one in same for key in one["keys"]]


async def _until(case: Case) -> datetime | None:
    """Return when the narrow denials can be taken away, or None where none is in place."""
    ends = []
    for intent in releasing.narrowed(case):
        try:
            ends.append(await releasing.over(case, intent))
        except TargetGoneError:
            ends.append(case.clock())
    return max(ends, default=None)


def _end(
    case: Case, conn: Connection, way: Way, ends: list[Undone], until: datetime | None
) -> None:
    store.change_question(conn, way.question, state="used")
    store.keep_newest(conn, case.incident.id, KEPT, _open(way) | {"ended": True})
    left = [e.step for e in ends if e.why]
    status = standing(conn, case.incident.id) if _stands(conn, case, way) else ENDED[way.verb]
    said = [f"{way.verb} by {way.person}{' stopped short' if left else ''}"]
    if until is not None:
        status = WAITS if status == RELEASED else status
        store.add_timer(conn, case.incident.id, until)
        said.append(f"sessions from before stay denied until {until.isoformat(timespec='seconds')}")
    if left:
        said.append(f"left: {', '.join(left)}")
    # What a release keeps for itself is said above: until when.
    if held := sorted({who for e in ends for who in e.held} - {case.incident.id}):
        said.append(f"held by {', '.join(held)}")
    if gone := [e.step for e in ends if e.gone]:
        said.append(f"gone, and cannot come back: {', '.join(gone)}")
    store.set_status(conn, case.incident.id, status, "; ".join(said))
    body: dict[str, Any] = {"by": way.person, "approved": way.question}
    body["steps"] = {e.step: e.why for e in ends}
    body["held"] = {e.step: list(e.held) for e in ends if e.held}
    body["gone"] = {e.step: e.gone for e in ends if e.gone}
    if until is not None:
        body["sessions denied until"] = until.isoformat()
    case.record.note(conn, case.incident.id, f"{way.verb}.ended", body, actor=way.person)


def _stands(conn: Connection, case: Case, way: Way) -> bool:
    """Return whether the incident still has something in the world that the way back is to end."""
    for intent, _ in store.steps(conn, case.incident.id):
        lens = holds.lens_of(intent.action, intent.fields)
        if intent.phase == "undone" or lens is None:
            continue
        kept = way.verb == "release" and releasing.stays(case, intent)
        if not kept and holds.owed(lens, intent.plan):
            return True
    return False


async def entered(case: Case) -> tuple[str, str, str] | None:
    """Go on with what a way back has left to do; return (ending, status, what to say of it).

    None says that the incident's play is to be entered instead. Raises RefusedError from the
    guard. While the account is frozen it stays as it is, and is tried again later.
    """
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, KEPT))
    if known is None:
        return None
    way = Way(*(known[part] for part in ("verb", "question", "person", "number")))
    try:
        if not known["ended"]:
            gone = await _go_on(case, way)
            if gone[1] != WAITS:
                return gone
            case = replace(case, incident=replace(case.incident, status=WAITS, says=gone[2]))
        lifted = await _lift(case)
    except FrozenError as error:
        case.timers.add(case.clock() + AGAIN)
        return "Frozen", case.incident.status, str(error)
    return lifted if case.incident.status == WAITS else None


async def _go_on(case: Case, way: Way) -> tuple[str, str, str]:
    freezing.must_not_be_frozen(case)
    undos = await planned(case, way.verb, way.number)
    narrowing = releasing.narrowing(case, undos) if way.verb == "release" else []
    await guarded(case, [*narrowing, *acts_of(undos)])
    question = _question(case, way)
    scopes = [*(s for _, s in narrowing), *(u.scope for u in undos)]
    if wider := [text for one in scopes for text in beyond(one, question.scopes)]:
        says = f"{way.verb} by {way.person} stopped, for it now {'; '.join(wider)}: ask for it anew"
        ended = _open(way) | {"ended": True}
        case.store.commit(lambda conn: store.keep_newest(conn, case.incident.id, KEPT, ended))
        return "Stopped", case.store.read(lambda conn: standing(conn, case.incident.id)), says
    ends = await _go(case, undos, way)
    now = case.store.read(lambda conn: store.incident(conn, case.incident.id))
    return "Stopped" if any(e.why for e in ends) else "Completed", now.status, now.says


async def _lift(case: Case) -> tuple[str, str, str]:
    """Take narrow denials away once what they deny has run out, under the release's approval."""
    status, says = case.incident.status, case.incident.says
    left = releasing.narrowed(case)
    if not left:
        return "Completed", RELEASED if status == WAITS else status, says
    freezing.must_not_be_frozen(case)
    why: list[str] = []
    for intent in left:
        end = await releasing.lift(case, intent)
        if isinstance(end, datetime):
            case.timers.add(end)
            return "Completed", status, says
        why += [end.why] if end.why else []
    body = {"steps": [i.step for i in left], "left": why}
    case.store.commit(lambda conn: case.record.note(conn, case.incident.id, "release.lifted", body))
    if why:
        return "Stopped", status, f"the denial of old sessions is left: {'; '.join(why)}"
    says = "released; sessions from before have run out, and nothing denies them any more"
    return "Completed", RELEASED if status == WAITS else status, says
