"""Takes an alert in: one transaction that finds or opens its incident, with the ledger entry."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection

from evidence import ledger
from playbooks.case import schema, severity, store
from playbooks.case.incident import Incident
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.errors import SettingsError
from playbooks.intake.alert import Alert
from playbooks.intake.automatic import AutomaticPolicy, hindrances
from playbooks.intake.identifiers import PATTERNS
from playbooks.intake.known_types import known_types
from playbooks.intake.meaning import Meaning, meaning
from playbooks.intake.printable import printable
from playbooks.respond import plays
from playbooks.wiring.parts import Parts
from playbooks.wiring.settings import Settings

INSTANCE = re.compile(r"i-[0-9a-f]{8}(?:[0-9a-f]{9})?")


@dataclass(frozen=True, slots=True)
class Taken:
    """The incident that an alert opened or joined; `new` only for the alert that opened it."""

    incident: Incident
    new: bool


def policy(settings: Settings) -> AutomaticPolicy:
    """Return what the team lets happen by itself; nothing set means the cautious default."""
    automatic = settings.automatic
    if automatic is None:
        return AutomaticPolicy()
    return AutomaticPolicy(frozenset(automatic.types), automatic.severity_floor)


def judge(alert: Alert, settings: Settings) -> tuple[Meaning, tuple[str, ...]]:
    """Return what the alert means, and every reason why nothing may happen by itself."""
    meant = meaning(alert, known_types())
    why = list(hindrances(alert, meant, policy(settings)))
    if meant.play is None or meant.play not in plays.names():
        why.append(f"there is no play for it yet ({meant.play or 'none fits'})")
    if alert.account not in settings.accounts:
        why.append(f"account {alert.account} is not in the settings")
    return meant, tuple(why)


def take(parts: Parts, db: Store, alert: Alert) -> Taken:
    """Record the alert. The same finding again updates count and severity, and opens nothing."""
    meant, why = judge(alert, parts.settings)
    target = {"account": alert.account, "region": alert.region, "id": alert.resource.uid or ""}
    opening = Incident(
        id="",
        play=meant.play if meant.play in plays.names() else "",
        title=f"{alert.finding_type} on {alert.resource.uid or alert.resource.kind}",
        severity=severity.from_finding(alert.severity),
        target=target | {"kind": alert.resource.kind},
        opened=parts.now(),
        requester=alert.source,
        hindrances=why,
        alert=alert.to_json(),
    )
    record = Record(alert.source, parts.now, parts.random)

    def work(conn: Connection) -> Taken:
        known = store.join_alert(conn, alert.dedupe_key, alert.count, alert.last_seen)
        body = {"alert": alert.to_json(), "means": meant.why, "hindrances": list(why)}
        if known is not None:
            record.note(conn, known, "alert.repeated", body, happened=alert.last_seen)
            if store.raise_severity(conn, known, opening.severity):
                record.note(conn, known, "severity.raised", {"to": opening.severity.value})
            return Taken(store.incident(conn, known), False)
        incident = store.add_incident(conn, opening)
        store.add_alert(conn, alert.dedupe_key, incident.id, alert.count, alert.last_seen)
        _opened(record, conn, incident, body)
        return Taken(incident, True)

    return db.commit(work)


def open_by_hand(
    parts: Parts, db: Store, play: str, target: Mapping[str, str], reason: str, person: str
) -> Incident:
    """Open an incident because a person says so; that person has approved its reversible acts."""
    plays.find(play)
    if not INSTANCE.fullmatch(target["id"]):
        raise SettingsError(
            f"{target['id']!r} is no instance id. Expected i- and 8 or 17 hex digits."
        )
    if not PATTERNS["region"].fullmatch(target["region"]):
        raise SettingsError(f"{target['region']!r} is no region. Expected one such as eu-west-1.")
    printable("reason", reason, limit=500)
    if target["account"] not in parts.settings.accounts:
        raise SettingsError(f"account {target['account']} is not in the settings.")
    opening = Incident(
        id="",
        play=play.replace("-", "_"),
        title=f"{reason} ({target['id']})",
        severity=severity.Severity.P1,
        target={**target, "kind": "instance"},
        opened=parts.now(),
        requester=person,
    )
    record = Record(person, parts.now, parts.random)

    def work(conn: Connection) -> Incident:
        incident = store.add_incident(conn, opening)
        _opened(record, conn, incident, {"reason": reason})
        return incident

    return db.commit(work)


def _opened(record: Record, conn: Connection, incident: Incident, body: Mapping[str, Any]) -> None:
    facts: dict[str, Any] = {
        "incident": incident.id,
        "title": incident.title,
        "play": incident.play,
    }
    facts |= {"severity": incident.severity.value, "target": dict(incident.target)}
    record.note(conn, incident.id, "case.open", facts | dict(body), happened=incident.opened)
    store.count_entry(conn, incident.id)


@contextmanager
def scratch(parts: Parts) -> Iterator[tuple[Parts, Store]]:
    """Yield the parts and a store over an empty database that is thrown away: for dry runs."""
    with TemporaryDirectory(prefix="stanch-dry-") as folder:
        engine = ledger.sqlite_engine(Path(folder) / "stanch.db")
        with engine.begin() as conn:
            ledger.create_schema(conn)
            schema.metadata.create_all(conn)
        try:
            yield replace(parts, engine=engine), Store(engine)
        finally:
            engine.dispose()
