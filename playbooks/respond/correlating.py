"""Decides which incident a finding belongs to: the one it is known in, one on its target, or new.

All on the connection it is handed, with the ledger entries and the work that makes it run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from playbooks.case import severity, store
from playbooks.case.asking import UNDOING
from playbooks.case.incident import Incident
from playbooks.case.record import Record
from playbooks.case.severity import Severity
from playbooks.intake.accepted import Accepted
from playbooks.intake.alert import Alert
from playbooks.intake.meaning import Meaning
from playbooks.respond.aims import aim, fitting
from playbooks.respond.judging import judge, own_parts
from playbooks.respond.opening import opened
from playbooks.wiring.parts import Parts

# The most that PostgreSQL's `integer` holds ("Numeric Types"); no source counts so far.
MOST: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Judged:
    """An alert, and what this deployment makes of it."""

    alert: Alert
    meant: Meaning
    why: tuple[str, ...]
    severity: Severity
    delivery: store.Delivery

    @property
    def play(self) -> str:
        return fitting(self.meant.play, self.alert)

    @property
    def place(self) -> str:
        return "/".join(self.target[part] for part in ("account", "region", "id"))

    @property
    def target(self) -> Mapping[str, str]:
        return aim(self.alert)

    @property
    def key(self) -> str:
        return self.alert.dedupe_key

    @property
    def turn(self) -> str:
        """Return what findings have in common that must not be settled at the same time."""
        return f"place/{self.place}" if self.alert.resource.uid else self.alert.dedupe_key

    @property
    def body(self) -> dict[str, Any]:
        return {
            "alert": self.alert.to_json(),
            "means": self.meant.why,
            "hindrances": list(self.why),
            "channel": self.delivery.channel,
        }


def judged(parts: Parts, alert: Alert, channel: str) -> Judged:
    """Return the alert with all that is decided of it before the database is asked."""
    own = parts.own()
    meant, why = judge(alert, parts.settings, own)
    # Whoever holds Stanch's role can undo all that it did.
    ours = bool(own_parts(alert, parts.settings, own))
    how_bad = Severity.P0 if ours else severity.from_finding(alert.severity)
    count = min(alert.count, MOST)
    delivery = store.Delivery(alert.dedupe_key, count, alert.last_seen, channel, alert.received)
    return Judged(alert, meant, why, how_bad, delivery)


def settle(record: Record, conn: Connection, found: Judged, known: store.Known | None) -> Accepted:
    """Change, join or open. What is read here to decide stays so until the commit.

    `found.turn` is locked, and `known` was read since.
    """
    alert = found.alert
    if known is not None:
        incident = store.incident(conn, known.incident)
        later = found.delivery.count > known.count or alert.last_seen > known.last_seen
        if not (later and _after_release(conn, incident, alert)):
            _changed(record, conn, found, known, incident, later)
            return Accepted(incident.id, False)
    other = _other(conn, found)
    if other is None:
        incident = opened(record, conn, _opening(found), found.body, "alert")
    else:
        incident = other
        record.note(conn, other.id, "alert.joined", found.body, happened=alert.last_seen)
    if known is None:
        store.add_alert(conn, incident.id, found.delivery)
    else:
        store.change_alert(conn, incident.id, known, found.delivery)
    if other is not None:
        _worsened(record, conn, found, other)
    return Accepted(incident.id, other is None)


def _after_release(conn: Connection, incident: Incident, alert: Alert) -> bool:
    """Return whether it happened again once somebody had asked for the incident's release.

    A source counts on for hours (GuardDuty, "finding aggregation"); what happened before was
    known to whoever judged the host clean, and must not cut it off again.
    """
    if incident.status not in store.RELEASED:
        return False
    questions = store.questions(conn, incident.id)
    asked = [q.asked for q in questions if q.step.startswith(UNDOING) and q.state != "no"]
    return all(alert.last_seen > one for one in asked)


def _opening(found: Judged) -> Incident:
    alert = found.alert
    return Incident(
        id="",
        play=found.play,
        title=f"{alert.finding_type} on {alert.resource.uid or alert.resource.kind}",
        severity=found.severity,
        target=found.target,
        # Not when it is recorded: what waited in the spool was known all the while.
        opened=alert.received,
        requester=alert.source,
        hindrances=found.why,
        alert=alert.to_json(),
    )


def _other(conn: Connection, found: Judged) -> Incident | None:
    """Return the open incident that another finding on the same thing belongs to."""
    if found.alert.resource.uid is None:
        return None
    there = store.open_on(conn, found.place, found.play)
    # An exercise must not raise, allow or hide what is real.
    return next((one for one in there if _sample(one.alert) == found.alert.sample), None)


def _sample(alert: Mapping[str, Any]) -> bool:
    return bool(alert.get("unmapped", {}).get("sample"))


def _changed(
    record: Record,
    conn: Connection,
    found: Judged,
    known: store.Known,
    incident: Incident,
    later: bool,
) -> None:
    """Record what a known finding now says, unless it says nothing new after all."""
    closed = incident.status in store.CLOSED
    worse = not closed and found.severity.value < incident.severity.value
    freer = not closed and not found.why and bool(incident.hindrances)
    if not (later or worse or freer):
        store.count_repeat(conn, found.delivery.key)
        return
    store.change_alert(conn, incident.id, known, found.delivery)
    happened = found.alert.last_seen
    record.note(conn, incident.id, "alert.repeated", found.body, happened=happened)
    if not closed:
        _worsened(record, conn, found, incident)


def _worsened(record: Record, conn: Connection, found: Judged, incident: Incident) -> None:
    """Make the incident as severe and as free to act as the finding says it must be."""
    worse = found.severity.value < incident.severity.value
    if worse and store.raise_severity(conn, incident.id, found.severity):
        record.note(conn, incident.id, "severity.raised", {"to": found.severity.value})
    if incident.hindrances and not found.why:
        store.lift_hindrances(conn, incident.id)
        body = {"lifted": list(incident.hindrances), "by": found.delivery.key}
        record.note(conn, incident.id, "case.allowed", body)
        store.add_work(conn, incident.id, "alert", store.clock(conn, record.now))
