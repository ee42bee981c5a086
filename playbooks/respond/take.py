"""Takes an alert in: one transaction in which it repeats, changes, joins or opens an incident.

The ledger entries and the work that makes the incident run are written in it too; so whoever
acknowledges an alert once this returns can die at any time, and nothing is lost or done twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError

from playbooks.case import store
from playbooks.case.incident import Incident
from playbooks.case.record import DEPLOYMENT, Record
from playbooks.case.store import Store
from playbooks.intake.accepted import Accept, Accepted, Arrival, Came, Reject
from playbooks.intake.alert import Alert
from playbooks.intake.errors import ReplayedError
from playbooks.intake.signed import WINDOW
from playbooks.respond.correlating import Judged, judged, settle
from playbooks.wiring.parts import Parts

# A request is refused for its age after WINDOW; the rest is for clocks that are set back.
REMEMBERED = 2 * WINDOW + timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Taken:
    """The incident that an alert opened or joined; `new` only for the alert that opened it."""

    incident: Incident
    new: bool


def accepting(parts: Parts, db: Store) -> Accept:
    """Return what takes alerts into this deployment, as `accept` does, many with one commit."""

    def together(arrivals: Sequence[Arrival]) -> Sequence[Accepted | Exception]:
        found = [(judged(parts, one.alert, one.came.channel), one.came) for one in arrivals]
        try:
            return db.commit(lambda conn: _all(parts, conn, found))
        except (OperationalError, InterfaceError, TimeoutError) as error:
            # The database is away: to ask it for each again would only take as long again.
            return [error] * len(found)
        except Exception as error:
            if len(found) == 1:
                return [error]
        # One of them is what the database refuses; it must not keep the others out.
        return [result for one in arrivals for result in together([one])]

    return together


def accept(parts: Parts, db: Store, alert: Alert, came: Came) -> Accepted:
    """Take the alert in; durable when this returns.

    An alert that says nothing new is only counted. Raises ReplayedError for a signed request that
    was taken in before, which changes nothing; what the database raises when it cannot commit.
    """
    found = judged(parts, alert, came.channel)
    (result,) = db.commit(lambda conn: _all(parts, conn, [(found, came)]))
    if isinstance(result, ReplayedError):
        raise result
    return result


def _all(
    parts: Parts, conn: Connection, found: Sequence[tuple[Judged, Came]]
) -> list[Accepted | ReplayedError]:
    """Take them in, in the order in which they came."""
    first = _first(conn, parts, [came for _, came in found])
    # What says nothing new needs no more than to be counted, whatever those before it say.
    fresh: dict[str, Judged] = {}
    for (one, _), new in zip(found, first, strict=True):
        if new:
            fresh.setdefault(one.key, one)
    counted = store.repeat_alerts(conn, [_said(one) for one in fresh.values()])
    rest = [
        one
        for (one, _), new in zip(found, first, strict=True)
        if new and not (fresh[one.key] is one and one.key in counted)
    ]
    store.lock(conn, *(one.turn for one in rest))
    known = store.known_alerts(conn, [one.key for one in rest if fresh[one.key] is one])
    results: list[Accepted | ReplayedError] = []
    for (one, _), new in zip(found, first, strict=True):
        if not new:
            # Returned, not raised: in a shared transaction that would undo what others wrote.
            results.append(_replayed())
        elif fresh[one.key] is one and one.key in counted:
            results.append(Accepted(counted[one.key], False))
        else:
            # A further delivery of a finding is settled by what the one before it left.
            mine = fresh[one.key] is one
            before = known.get(one.key) if mine else store.known_alert(conn, one.key)
            record = Record(one.alert.source, parts.now, parts.random)
            results.append(settle(record, conn, one, before))
    return results


def _said(found: Judged) -> store.Said:
    return store.Said(found.delivery, found.severity, bool(found.why))


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
            if not all(_first(conn, parts, [came])):
                return False
            store.add_rejected(conn, letter)
            record.note(conn, DEPLOYMENT, "alert.rejected", body | {"reason": letter.reason})
            return True

        if not db.commit(work):
            raise _replayed()

    return reject


def _first(conn: Connection, parts: Parts, arrivals: Sequence[Came]) -> list[bool]:
    """Return of each whether it comes for the first time; what was not signed always does."""
    signed = [(came.digest, came.signed) for came in arrivals if came.signed is not None]
    if any(digest.endswith("00") for digest, _ in signed):
        # Now and then, and no later for a sender who never stops.
        store.forget_requests(conn, parts.now() - REMEMBERED)
    new = store.first_times(conn, signed)
    first = []
    for came in arrivals:
        first.append(came.signed is None or came.digest in new)
        new.discard(came.digest)  # It may have come twice among these.
    return first


def _replayed() -> ReplayedError:
    return ReplayedError(
        "This signed request was taken in before; each counts once. To send a finding again,"
        " sign it again with the time of sending."
    )
