"""Opens an incident: its row, its ledger entry and the work that makes it run, all at once."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from playbooks.case import severity, store
from playbooks.case.incident import Incident
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.errors import SettingsError
from playbooks.intake.printable import printable
from playbooks.respond import plays
from playbooks.respond.aims import aim_by_hand
from playbooks.wiring.parts import Parts


def open_by_hand(
    parts: Parts,
    db: Store,
    play: str,
    target: Mapping[str, str],
    reason: str,
    person: str,
    since: datetime | None = None,
) -> Incident:
    """Open an incident because a person says so; that person has approved its reversible acts.

    `since`, aware, is the first sign, where the person knows it.
    """
    plays.find(play)
    printable("reason", reason, limit=500)
    given = (target[part] for part in ("id", "account", "region"))
    aimed = aim_by_hand(parts.settings, play, *given)
    opening = Incident(
        id="",
        play=play.replace("-", "_"),
        title=f"{reason} ({aimed['id']})",
        severity=severity.Severity.P1,
        target=aimed,
        opened=parts.now(),
        requester=person,
        alert=_first_seen(parts, since),
    )
    record = Record(person, parts.now, parts.random)
    return db.commit(lambda conn: opened(record, conn, opening, {"reason": reason}, "by hand"))


def _first_seen(parts: Parts, since: datetime | None) -> Mapping[str, Any]:
    if since is None:
        return {}
    if since.tzinfo is None or since > parts.now():
        raise SettingsError(
            "the first sign must be a time with its zone, and not in the future. Give --since as "
            "2026-01-31T23:59:59Z."
        )
    return {"finding_info": {"first_seen_time_dt": since.astimezone(UTC).isoformat()}}


def opened(
    record: Record, conn: Connection, opening: Incident, body: Mapping[str, Any], why: str
) -> Incident:
    """Open the incident on this connection, with `body` added to its ledger entry.

    `why` is that of the work; an incident that no play fits gets none: people work it.
    """
    incident = store.add_incident(conn, opening)
    facts: dict[str, Any] = {
        "incident": incident.id,
        "title": incident.title,
        "play": incident.play,
    }
    facts |= {"severity": incident.severity.value, "target": dict(incident.target)}
    record.note(conn, incident.id, "case.open", facts | dict(body), happened=incident.opened)
    store.count_entry(conn, incident.id)
    if incident.play:
        store.add_work(conn, incident.id, why, store.clock(conn, record.now))
    return incident
