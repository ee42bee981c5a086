"""Takes an alert in: one transaction in which it repeats, changes, joins or opens an incident.

The ledger entries and the work that makes the incident run are written in it too; so whoever
acknowledges an alert once this returns can die at any time, and nothing is lost or done twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError

from playbooks.case import severity, store
from playbooks.case.asking import UNDOING
from playbooks.case.incident import Incident
from playbooks.case.record import Record
from playbooks.case.severity import Severity
from playbooks.case.store import Store
from playbooks.intake.accepted import Accept, Accepted, Arrival, Came, Reject
from playbooks.intake.alert import Alert
from playbooks.intake.errors import ReplayedError
from playbooks.intake.meaning import Meaning
from playbooks.intake.signed import WINDOW
from playbooks.respond import plays
from playbooks.respond.judging import judge, own_parts
from playbooks.respond.opening import opened
from playbooks.wiring.parts import Parts

# Deployment-wide entries of the ledger stand under this case.
DEPLOYMENT = "deployment"
# A request is refused for its age after WINDOW; the rest is for clocks that are set back.
REMEMBERED = 2 * WINDOW + timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Taken:
    """The incident that an alert opened or joined; `new` only for the alert that opened it."""

    incident: Incident
    new: bool


@dataclass(frozen=True, slots=True)
class _Judged:
    """An alert, and what this deployment makes of it."""

    alert: Alert
    meant: Meaning
    why: tuple[str, ...]
    severity: Severity
    delivery: store.Delivery

    @property
    def play(self) -> str:
        return self.meant.play if self.meant.play in plays.names() else ""

    @property
    def place(self) -> str:
        alert = self.alert
        return f"{alert.account}/{alert.region}/{alert.resource.uid or ''}"

    @property
    def body(self) -> dict[str, Any]:
        return {
            "alert": self.alert.to_json(),
            "means": self.meant.why,
            "hindrances": list(self.why),
            "channel": self.delivery.channel,
        }


def accepting(parts: Parts, db: Store) -> Accept:
    """Return what takes alerts into this deployment, as `accept` does, many with one commit."""

    def together(arrivals: Sequence[Arrival]) -> Sequence[Accepted | Exception]:
        judged = [(_judged(parts, one.alert, one.came.channel), one.came) for one in arrivals]
        try:
            return db.commit(lambda conn: [_one(parts, conn, *both) for both in judged])
        except (OperationalError, InterfaceError, TimeoutError) as error:
            # The database is away: to ask it for each again would only take as long again.
            return [error] * len(judged)
        except Exception as error:
            if len(judged) == 1:
                return [error]
        # One of them is what the database refuses; it must not keep the others out.
        return [result for one in arrivals for result in together([one])]

    return together


def accept(parts: Parts, db: Store, alert: Alert, came: Came) -> Accepted:
    """Take the alert in; durable when this returns.

    An alert that says nothing new is only counted. Raises ReplayedError for a signed request that
    was taken in before, which changes nothing; what the database raises when it cannot commit.
    """
    found = _judged(parts, alert, came.channel)
    result = db.commit(lambda conn: _one(parts, conn, found, came))
    if isinstance(result, ReplayedError):
        raise result
    return result


def _one(parts: Parts, conn: Connection, found: _Judged, came: Came) -> Accepted | ReplayedError:
    # Returned, not raised: in a shared transaction that would undo what is written for others.
    if not _first(conn, parts, came):
        return _replayed()
    known = store.repeat_alert(conn, found.delivery, found.severity, bool(found.why))
    if known:
        return Accepted(known, False)
    return _settle(Record(found.alert.source, parts.now, parts.random), conn, found)


def take(parts: Parts, db: Store, alert: Alert, channel: str = "by hand") -> Taken:
    """Take the alert in as `accept` does, and return its incident whole."""
    accepted = accept(parts, db, alert, Came(channel))
    incident = db.read(lambda conn: store.incident(conn, accepted.incident))
    return Taken(incident, accepted.new)


def rejecting(parts: Parts, db: Store) -> Reject:
    """Return what records that a known sender's message was not understood, with its reason."""
    record = Record("stanch", parts.now, parts.random)

    def reject(data: bytes, came: Came, reason: str) -> None:
        letter = store.rejected_letter(came.channel, parts.now(), reason[:2000], data)
        body = {"channel": letter.channel, "sha256": letter.sha256, "size": letter.size}

        def work(conn: Connection) -> bool:
            if not _first(conn, parts, came):
                return False
            store.add_rejected(conn, letter)
            record.note(conn, DEPLOYMENT, "alert.rejected", body | {"reason": letter.reason})
            return True

        if not db.commit(work):
            raise _replayed()

    return reject


def _first(conn: Connection, parts: Parts, came: Came) -> bool:
    if came.signed is None:
        return True
    if came.digest.endswith("00"):  # Now and then, and no later for a sender who never stops.
        store.forget_requests(conn, parts.now() - REMEMBERED)
    return store.first_time(conn, came.digest, came.signed)


def _replayed() -> ReplayedError:
    return ReplayedError(
        "This signed request was taken in before; each counts once. To send a finding again,"
        " sign it again with the time of sending."
    )


def _judged(parts: Parts, alert: Alert, channel: str) -> _Judged:
    own = parts.own()
    meant, why = judge(alert, parts.settings, own)
    # Whoever holds Stanch's role can undo all that it did.
    ours = bool(own_parts(alert, parts.settings, own))
    how_bad = Severity.P0 if ours else severity.from_finding(alert.severity)
    delivery = store.Delivery(
        alert.dedupe_key, alert.count, alert.last_seen, channel, alert.received
    )
    return _Judged(alert, meant, why, how_bad, delivery)


def _settle(record: Record, conn: Connection, found: _Judged) -> Accepted:
    """Change, join or open. What is read here to decide stays so until the commit."""
    alert = found.alert
    store.lock(conn, f"place/{found.place}" if alert.resource.uid else alert.dedupe_key)
    known = store.known_alert(conn, alert.dedupe_key)
    if known is not None:
        incident = store.incident(conn, known.incident)
        later = alert.count > known.count or alert.last_seen > known.last_seen
        if not (later and _after_release(conn, incident, alert)):
            _changed(record, conn, found, known, incident, later)
            return Accepted(incident.id, False)
    other = _other(conn, found)
    if other is None:
        incident = opened(record, conn, _opening(record, found), found.body, "alert")
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


def _opening(record: Record, found: _Judged) -> Incident:
    alert = found.alert
    target = {"account": alert.account, "region": alert.region, "id": alert.resource.uid or ""}
    return Incident(
        id="",
        play=found.play,
        title=f"{alert.finding_type} on {alert.resource.uid or alert.resource.kind}",
        severity=found.severity,
        target=target | {"kind": alert.resource.kind},
        opened=record.now(),
        requester=alert.source,
        hindrances=found.why,
        alert=alert.to_json(),
    )


def _other(conn: Connection, found: _Judged) -> Incident | None:
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
    found: _Judged,
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


def _worsened(record: Record, conn: Connection, found: _Judged, incident: Incident) -> None:
    """Make the incident as severe and as free to act as the finding says it must be."""
    worse = found.severity.value < incident.severity.value
    if worse and store.raise_severity(conn, incident.id, found.severity):
        record.note(conn, incident.id, "severity.raised", {"to": found.severity.value})
    if incident.hindrances and not found.why:
        store.lift_hindrances(conn, incident.id)
        body = {"lifted": list(incident.hindrances), "by": found.delivery.key}
        record.note(conn, incident.id, "case.allowed", body)
        store.add_work(conn, incident.id, "alert", store.clock(conn, record.now))
