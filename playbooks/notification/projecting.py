"""Brings an incident's clocks up to what was derived, and says what that changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from playbooks.case.store.duties import ClockRow
from playbooks.duties.changes import changes, date_of, owed
from playbooks.duties.condition import Answer
from playbooks.duties.duty import Clock, Duty
from playbooks.duties.moment import Moment, parse
from playbooks.duties.shown import duty_json
from playbooks.notification.doings import Doings
from playbooks.notification.standing import CLOSED, NO_LONGER_OWED, Standing, standing

_TRUTH: Final[Mapping[str, bool | None]] = {"yes": True, "no": False, "unknown": None}
_GONE: Final = "its rule is no longer in the rule files"


@dataclass(frozen=True, slots=True)
class Moved:
    """The rows that changed, and the differences by duty: what, date before and now."""

    rows: tuple[ClockRow, ...]
    differences: Mapping[str, tuple[str, str, str]]


def project(
    before: Mapping[str, ClockRow], duties: Mapping[str, Duty], done: Doings, now: datetime
) -> Moved:
    """Return what is to be written. A row is never taken away, and never closed by itself."""
    rows = []
    for key, duty in duties.items():
        old = before.get(key)
        if old is None and not owed(duty) and done.of(key).sent is None:
            continue
        was_owed = old.body["owed_since"] if old else ""
        stands = standing(duty, duties, done, was_owed=bool(was_owed))
        made = _row(old, duty, stands, was_owed, now)
        if made != old:
            rows.append(made)
    for key, row in before.items():
        if key not in duties and row.state != CLOSED:
            made = _orphan(row, bool(done.of(key).dropped), now)
            rows += [made] if made != row else []
    return Moved(tuple(rows), _differences(before, duties, rows))


def _row(
    old: ClockRow | None, duty: Duty, stands: Standing, owed_since: str, now: datetime
) -> ClockRow:
    date = date_of(duty)
    said = date.said() if date else ""
    moved = old is None or old.body["date"] != said
    # Since when this date stands: reminders are counted over the time that was left then.
    since = now.isoformat() if moved or old is None else old.body["since"]
    if not owed_since and owed(duty) and duty.applies.truth:
        owed_since = now.isoformat()
    body = duty_json(duty) | {"date": said, "since": since, "owed_since": owed_since}
    body |= {"flags": list(stands.flags)}
    closing = stands.state == CLOSED
    again = old is not None and old.closed_how == stands.closed_how
    return ClockRow(
        duty=duty.key,
        opened=old.opened if old else now,
        due=date.last if date else None,
        state=stands.state,
        closed=(old.closed if again and old else now) if closing else None,
        closed_how=stands.closed_how,
        level=0 if moved or old is None else old.level,
        body=body,
        incident=old.incident if old else "",
    )


def _orphan(row: ClockRow, dropped: bool, now: datetime) -> ClockRow:
    """Return the clock of a duty whose rule is gone: it too is closed by a person alone."""
    gone = replace(row, state=NO_LONGER_OWED, body={**row.body, "why": [_GONE]})
    if row.body["owed_since"] and not dropped:
        return gone
    how = NO_LONGER_OWED if dropped else "not_owed"
    return replace(gone, state=CLOSED, closed=now, closed_how=how)


def _differences(
    before: Mapping[str, ClockRow], duties: Mapping[str, Duty], rows: Iterable[ClockRow]
) -> dict[str, tuple[str, str, str]]:
    touched = [row.duty for row in rows if row.duty in duties]
    was = [_was(before[key], duties[key]) for key in touched if key in before]
    told = changes(was, [duties[key] for key in touched])
    found: dict[str, tuple[str, str, str]] = {
        c.duty: (c.what, _said(c.before), _said(c.now)) for c in told
    }
    for row in rows:
        old = before.get(row.duty)
        if old is None or row.duty in found:
            continue
        if old.body["date"] != row.body["date"]:
            found[row.duty] = ("redated", old.body["date"], row.body["date"])
        elif row.duty not in duties:
            found[row.duty] = (NO_LONGER_OWED, old.body["date"], "")
    return found


def states(before: Mapping[str, ClockRow], rows: Iterable[ClockRow]) -> dict[str, list[str]]:
    """Return the state before and now of each clock whose state changed."""
    pairs = ((before.get(row.duty), row) for row in rows)
    return {
        row.duty: [old.state, f"{row.state} {row.closed_how}".strip()]
        for old, row in pairs
        if old and (old.state, old.closed_how) != (row.state, row.closed_how)
    }


def _was(row: ClockRow, duty: Duty) -> Duty:
    """Return the duty as it stood when its row was written, as far as differences go."""
    body: Mapping[str, Any] = row.body
    date = parse(body["date"]) if body["date"] else None
    clock = Clock(body["status"], conservative_due=date)
    return replace(duty, applies=Answer(_TRUTH[body["applies"]]), clock=clock)


def _said(moment: Moment | None) -> str:
    return moment.said() if moment else ""
