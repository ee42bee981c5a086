"""Duties of an incident and its log as JSON, for machines and for who asks later."""

from typing import Any

from playbooks.case.store.duties import LogRow
from playbooks.duties.duty import Duty
from playbooks.duties.shown import duty_json
from playbooks.notification.checklist import checklist
from playbooks.notification.looking import Look


def duty_told(found: Look, duty: Duty) -> dict[str, Any]:
    """Return a duty with where it stands, what was done about it, and its checklist."""
    stands, doing = found.standing(duty.key), found.done.of(duty.key)
    row = found.clocks.get(duty.key)
    items = checklist(duty, doing, stands.flags, found.known.facts)
    return duty_json(duty) | {
        "duty": duty.key,
        "state": stands.state,
        "closed_how": stands.closed_how,
        "flags": list(stands.flags),
        "opened": row.opened.isoformat() if row else None,
        "sent": doing.sent.json() if doing.sent else None,
        "received": doing.received.json() if doing.received else None,
        "acknowledged": doing.acknowledged.json() if doing.acknowledged else None,
        "decisions": [
            {"by": d.person, "at": d.at.isoformat(), "why": d.why}
            for d in (*doing.decisions, *doing.dropped)
        ],
        "checklist": [
            {
                "item": item.name,
                "means": item.means,
                "asks": item.asks,
                "value": item.value,
                "by": item.person,
                "done": item.done,
            }
            for item in items
        ],
    }


def log_told(row: LogRow) -> dict[str, Any]:
    """Return an entry of the log, with its signature."""
    return {
        "number": row.number,
        "recorded": row.at.isoformat(),
        "by": row.by,
        "kind": row.kind,
        "proof": row.proof,
    } | dict(row.body)
