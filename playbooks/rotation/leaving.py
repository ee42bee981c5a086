"""When the old credential may go: nobody uses it any more, a person says so, or it is abused."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from evidence.sources.access_key_use import KeyUse
from playbooks.case import asking, points, store
from playbooks.case.answers import Waiting
from playbooks.case.incident import Question
from playbooks.rotation.abuse import abuse
from playbooks.rotation.order import Credential
from playbooks.rotation.standing import since

if TYPE_CHECKING:
    from playbooks.case.case import Case

Look = Callable[[str], Awaitable[tuple[KeyUse, ...]]]


def left(
    uses: Iterable[KeyUse], new: str, current: datetime, at: datetime, quiet: timedelta
) -> bool:
    """Return whether consumers were seen to have left the old keys for the new one. Pure.

    That is: the new one was used since it is `current`, and none of the others was within `quiet`
    before `at`, when this was looked at, and not only because it is current for less than that.
    """
    used = {one.key: datetime.fromisoformat(one.used) for one in uses if one.used}
    if new not in used or used[new] < current or at < current + quiet:
        return False
    return all(last < at - quiet for key, last in used.items() if key != new)


async def may_go(case: "Case", one: Credential, new: str, look: Look | None) -> str:
    """Return why the old credential may go. Raises Waiting while nothing says so: it stays.

    Use is looked at, and kept, as often as the settings say; meanwhile a person may say that all
    consumers moved, or that it is to go whoever still uses it. Abuse that the incident records
    lets it go at once.
    """
    if case.dry:
        return "only planned"
    current = since(case, f"rotation/{one.name}/current")
    if found := abuse(case.incident.alert):
        return _settled(case, one, f"abused: {found}")
    uses: tuple[KeyUse, ...] = ()
    if look:
        uses, gone = await _looked(case, one, new, current, look)
        if gone:
            return _settled(case, one, "no longer used")
    return _word(case, one, new, uses)


async def _looked(
    case: "Case", one: Credential, new: str, current: datetime, look: Look
) -> tuple[tuple[KeyUse, ...], bool]:
    """Return the last use that was seen, and whether the old ones have been left."""
    terms = case.parts.settings.rotation
    for number in count():
        at = since(case, f"rotation/{one.name}/look/{number}")
        uses = await look(f"look {number}")
        if left(uses, new, current, at, timedelta(minutes=terms.quiet_minutes)):
            return uses, True
        due = at + timedelta(minutes=terms.look_minutes)
        if case.clock() < due:
            case.timers.add(due)
            return uses, False
    raise AssertionError("looking goes on until one look is not due")


def _word(case: "Case", one: Credential, new: str, uses: tuple[KeyUse, ...]) -> str:
    """Return who said that it may go. Raises Waiting until somebody has; a no is a not yet."""
    step, asked = _step(one), _asked(case, one)
    if yes := next((q for q in asked if q.state in ("yes", "used")), None):
        return f"{yes.approver} said so in {yes.id}"
    _lapse(case, [q for q in asked if case.clock() >= q.expires], "nobody answered in time")
    about: dict[str, Any] = {
        "asked": f"have all readers of {one.stored or one.target} taken the new {one.kind}?",
        "yes means": "the old one is taken away, and whoever still uses it fails",
        "read by": list(one.consumers) or ["nobody that is declared"],
        "use": [str(use) for use in uses],
        "new": new,
        "seen": f"{case.clock().astimezone(UTC):%Y-%m-%d %H:%M} UTC",
    }
    points.open_point(case, f"rotation/{one.name}", f"the old {one.kind} of {one.name} still works")
    raise Waiting(asking.put(case, step, [], about).id)


def _settled(case: "Case", one: Credential, why: str) -> str:
    """Take a question back that nobody need answer any more."""
    _lapse(case, _asked(case, one), why)
    return why


def _lapse(case: "Case", asked: Iterable[Question], why: str) -> None:
    def work(conn: Connection) -> None:
        for question in still:
            store.change_question(conn, question.id, state="lapsed")
            body = {"question": question.id, "why": why}
            case.record.note(conn, case.incident.id, "approval.lapsed", body)

    if still := [q for q in asked if q.state == "open"]:
        case.store.commit(work)


def _step(one: Credential) -> str:
    return f"old-may-go/{one.name}"


def _asked(case: "Case", one: Credential) -> list[Question]:
    questions = case.store.read(lambda conn: store.questions(conn, case.incident.id))
    return [q for q in questions if q.step == _step(one)]
