"""Stops Stanch from changing anything, in one account or in all, and lets it go on.

What is half-way is taken to its end; evidence and clocks go on; all else waits.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from actions.action import Action, Lens
from actions.engine import finish
from actions.errors import ActionError
from actions.journal import Intent
from playbooks.case import store
from playbooks.case.answers import Failed
from playbooks.case.gate import finishing, said
from playbooks.case.record import DEPLOYMENT, Record
from playbooks.case.store import EVERYWHERE, Freeze, Store
from playbooks.case.store.freezes import held_back
from playbooks.errors import FrozenError, UnknownIncidentError

if TYPE_CHECKING:
    from playbooks.case.case import Case

# A step is left for a freeze before it is lifted, or sees that it was: never in between.
LOCK = "freezes"


def freeze(db: Store, record: Record, account: str, reason: str) -> Freeze:
    """Freeze an account (twelve digits), or all (`*`). Raise FrozenError where it is already.

    From the commit on no mutating call is made there but what ends a half-way change; a call that
    was on its way before may still arrive.
    """
    made = Freeze(account, record.actor, reason, record.now())

    def work(conn: Connection) -> Freeze:
        if not store.add_freeze(conn, made):
            standing = next(f for f in store.freezes(conn) if f.account == account)
            raise FrozenError(said(standing))
        body = {"account": account, "by": made.by, "reason": reason}
        record.note(conn, DEPLOYMENT, "freeze.set", body)
        return made

    return db.commit(work)


def unfreeze(db: Store, record: Record, account: str, reason: str) -> list[str]:
    """Lift a freeze; return the incidents that it held back, which go on from here.

    Raises UnknownIncidentError where there is none.
    """

    def work(conn: Connection) -> list[str]:
        store.lock(conn, LOCK)
        if not store.drop_freeze(conn, account):
            raise UnknownIncidentError(_unfrozen(store.freezes(conn), account))
        body = {"account": account, "by": record.actor, "reason": reason}
        record.note(conn, DEPLOYMENT, "freeze.lifted", body)
        return _go_on(conn, store.clock(conn, record.now))

    return db.commit(work)


def _unfrozen(standing: Sequence[Freeze], account: str) -> str:
    what = "every account at once" if account == EVERYWHERE else f"account {account} by itself"
    others = " ".join(map(said, standing)) or "Nothing is: Stanch may change things."
    return f"not frozen: {what}. {others}"


def _go_on(conn: Connection, due: datetime) -> list[str]:
    """Make each incident that waits runnable, unless another freeze still binds it."""
    waiting = [i for i, account in held_back(conn) if store.frozen(conn, account) is None]
    for incident in waiting:
        store.add_work(conn, incident, "unfreeze", due)
        store.count_entry(conn, incident)
    return waiting


def must_not_be_frozen(case: "Case") -> None:
    """Raise FrozenError, which says who froze it and how it is lifted, where it is frozen."""
    if why := case.gate.frozen():
        raise FrozenError(why)


async def halted(case: "Case", action: Action[Any], step: str, why: str) -> Failed:
    """Record that a freeze keeps the step from being done; what stands half-way ends first.

    The play goes on with what changes nothing, and does the step when it is entered after.
    """
    case.frozen.append(step)
    known = case.journal.find(step)
    if known is not None:
        why += await forward(case, action, known)

    def work(conn: Connection) -> None:
        store.lock(conn, LOCK)
        if known is not None:
            store.change_step(conn, case.incident.id, step, error=why)
        elif store.left(conn, case.incident.id).get(step, {}).get("error") == why:
            return
        else:
            store.leave(conn, case.incident.id, step, {"kind": "frozen", "error": why})
        body = {"step": step, "why": why}
        case.record.note(conn, case.incident.id, "action.frozen", body)
        if case.gate.lifted(conn):
            # Lifted meanwhile: whoever did it did not see that this incident waits.
            store.add_work(conn, case.incident.id, "unfreeze", store.clock(conn, case.parts.now))

    case.store.commit(work)
    return Failed(step, why)


async def forward(case: "Case", action: Action[Any], intent: Intent) -> str:
    """Take what of a step stands half-way to its wanted value; return what stood in the way."""
    if not isinstance(action, Lens):
        return ""
    provider = case.provider(action)
    try:
        with finishing():
            await case.drive(finish(action, provider, intent))
    except ActionError as error:
        return f" And it stands half-way: {error}"
    return ""
