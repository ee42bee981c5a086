"""Reminds of clocks that run out, by the case's own telling: each time once, and never nobody."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from playbooks.case import store
from playbooks.case.store import duties as stored
from playbooks.case.store.duties import ClockRow
from playbooks.duties.ticking import Reminder, Ticking, tick, upcoming
from playbooks.notification.doings import Doings
from playbooks.notification.standing import NO_LONGER_OWED, POSSIBLE

if TYPE_CHECKING:
    from playbooks.case.case import Case

# So many duties are told by name at once; `stanch duties show` has them all.
NAMED = 300


def ticking(clocks: Mapping[str, ClockRow], done: Doings) -> list[Ticking]:
    """Return the clocks that run: those that are open and have a date."""
    return [
        Ticking(row.duty, _since(row), row.due, row.level, _owner(done, row.duty))
        for row in clocks.values()
        if row.due and row.closed is None and row.state != NO_LONGER_OWED
    ]


async def remind(
    case: "Case", incident: str, clocks: Mapping[str, ClockRow], done: Doings, lead: str
) -> datetime | None:
    """Tell what is due to be told, and return when the next is.

    Told first and counted then: a crash between the two tells again rather than never.
    """
    running, now = ticking(clocks, done), case.clock()
    for same in _together(tick(running, now, lead)):
        first = same[0]
        names = [r.duty for r in same]
        # The same date that comes back after another is told anew.
        since = max(_since(clocks[n]) for n in names).isoformat()
        which = hashlib.sha256(" ".join((*names, since)).encode()).hexdigest()[:6]
        what = f"{first.label}: {len(same)} duties, {first.due:%Y-%m-%d %H:%M} UTC ({which})"
        possible = [n for n in names if clocks[n].state == POSSIBLE]
        owed = [n for n in names if n not in possible]
        whom = (*first.whom, *(s for s in case.stakeholders if s not in first.whom))
        await case.tell(whom, what, owed=owed[:NAMED], may_be_owed=possible[:NAMED])
        case.store.commit(partial(_count, incident=incident, same=same, seen=clocks))
    return upcoming(running, now)


def _together(reminders: Iterable[Reminder]) -> list[list[Reminder]]:
    """Return the reminders in groups that are told at once: of one date, to the same people."""
    groups: dict[tuple[str, datetime, tuple[str, ...]], list[Reminder]] = {}
    for one in reminders:
        groups.setdefault((one.label, one.due, one.whom), []).append(one)
    return list(groups.values())


def _count(
    conn: Connection, incident: str, same: list[Reminder], seen: Mapping[str, ClockRow]
) -> None:
    store.lock(conn, f"duties/{incident}")
    now = stored.clocks(conn, incident)
    for reminder in same:
        # Of a date that moved meanwhile nothing was told.
        if _since(now[reminder.duty]) == _since(seen[reminder.duty]):
            stored.set_level(conn, incident, reminder.duty, reminder.told)


def _since(row: ClockRow) -> datetime:
    return datetime.fromisoformat(row.body["since"])


def _owner(done: Doings, duty: str) -> str:
    owner = done.of(duty).checks.get("owner")
    return owner.value if owner else ""
