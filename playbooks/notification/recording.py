"""Records what a person says: log, ledger, derivation and clocks in one transaction, or nothing."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from playbooks.case import store
from playbooks.case.record import DEPLOYMENT, Record
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.case.store import duties as stored
from playbooks.case.store.duties import LogRow
from playbooks.duties.moment import parse
from playbooks.duties.reading import Rulebook
from playbooks.notification import signing
from playbooks.notification.confirming import rule_digest
from playbooks.notification.entry import checked, stage_of
from playbooks.notification.entry_kinds import DERIVED, LEDGER
from playbooks.notification.errors import EntryError
from playbooks.notification.looking import Look, look
from playbooks.notification.projecting import Moved, project, states
from playbooks.notification.rules import rules
from playbooks.notification.signing import Said
from playbooks.notification.standing import NO_LONGER_OWED
from playbooks.notification.subject import workers
from playbooks.wiring import people
from playbooks.wiring.parts import Parts

# Bytes of differences that stand in one entry of the ledger, which holds 64 KiB.
ENTRY: Final = 40_000
NOTHING: Final = Moved((), {})


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was written into the log, and what it changed."""

    rows: tuple[LogRow, ...]
    moved: Moved = NOTHING


def record(
    parts: Parts,
    db: Store,
    incident: str,
    person: str,
    key: Any,
    entries: Sequence[tuple[str, Mapping[str, Any]]],
    book: Rulebook | None = None,
) -> Recorded:
    """Sign what the person says (kind and body), and take it: all of it, or none.

    Raises EntryError, DutiesError or UnknownIncidentError, which say what is wrong.
    """
    book, at = book or rules(parts), parts.now()
    said = [(kind, checked(kind, body, book, at)) for kind, body in entries]
    tokens = [signing.sign(incident, kind, body, person, key, at) for kind, body in said]
    return take(parts, db, incident, tokens, book)


def take(parts: Parts, db: Store, incident: str, tokens: Sequence[str], book: Rulebook) -> Recorded:
    """Take signed entries of one incident. Raises EntryError for one that does not count."""
    known = people.known(parts.settings)
    said = [signing.read(token, known, parts.now()) for token in tokens]
    for one in said:
        _admit(one, incident, book, parts.now())
    if not said:
        raise EntryError("nothing is said: name at least one fact, anchor or decision")

    found = None if incident == DEPLOYMENT else db.read(lambda c: look(c, incident, book))

    def work(conn: Connection) -> Recorded:
        store.lock(conn, f"duties/{incident}")
        if incident == DEPLOYMENT:
            # It holds for all incidents, each of which finds it at its next look.
            return Recorded(tuple(_written(parts, conn, incident, one) for one in said))
        # First as it was, so that what the entry changes is told apart from what newer rules do.
        _, before = derived(parts, conn, incident, book, found, wake=False)
        for one in said:
            _fitting(before, one.kind, one.body, book)
        rows = tuple(_written(parts, conn, incident, one) for one in said)
        return Recorded(rows, derived(parts, conn, incident, book)[0])

    made = db.commit(work)
    checkpoint(db, parts)
    return made


def refresh(
    parts: Parts, db: Store, incident: str, book: Rulebook | None = None, *, wake: bool = True
) -> Look:
    """Derive the duties anew, and write what changed: at the first look, or with newer rules.

    `wake` has whoever works the duties look again.
    """
    book = book or rules(parts)
    found = db.read(lambda conn: look(conn, incident, book))
    if not project(found.clocks, found.duties, found.done, parts.now()).rows:
        return found

    def work(conn: Connection) -> Look:
        store.lock(conn, f"duties/{incident}")
        return derived(parts, conn, incident, book, found, wake=wake)[1]

    return db.commit(work)


def derived(
    parts: Parts,
    conn: Connection,
    incident: str,
    book: Rulebook,
    earlier: Look | None = None,
    *,
    wake: bool = True,
) -> tuple[Moved, Look]:
    """Derive the duties on this connection; write what changed, into the ledger too."""
    now = look(conn, incident, book, earlier=earlier)
    moved = project(now.clocks, now.duties, now.done, parts.now())
    if not moved.rows:
        return moved, now
    stored.put_clocks(conn, incident, moved.rows)
    record = Record("stanch", parts.now, parts.random)
    for body in _told(moved.differences, states(now.clocks, moved.rows)):
        record.note(conn, incident, DERIVED, body)
    at = store.clock(conn, parts.now)
    for one in workers(conn, incident) if wake else ():
        # It sets its timers anew.
        store.count_entry(conn, one.id)
        store.add_work(conn, one.id, "duties changed", at)
    return moved, replace(now, clocks=stored.clocks(conn, incident))


def _admit(said: Said, incident: str, book: Rulebook, now: datetime) -> None:
    """Raise EntryError where what is signed is not in its one form, or does not belong here."""
    body = checked(said.kind, said.body, book, now)
    if (said.incident, dict(said.body)) != (incident, body):
        raise EntryError("it was signed for another incident, or not in its one form: sign again")
    if (said.kind == "confirmed") != (incident == DEPLOYMENT) and said.kind != "withdrawn":
        raise EntryError(f"{said.kind} cannot be recorded of {incident}")
    if said.kind == "confirmed" and body["rule"] != rule_digest(*stage_of(body["duty"], book)):
        raise EntryError(f"{body['duty']}: its rule reads otherwise than what was signed")


def _written(parts: Parts, conn: Connection, incident: str, said: Said) -> LogRow:
    body = dict(said.body)
    row = stored.add_log(conn, LogRow(incident, said.at, said.person, said.kind, body, said.token))
    record = Record(said.person, parts.now, parts.random)
    told = {"number": row.number, "what": _what(said.kind, body)} | body | {"proof": said.token}
    record.note(conn, incident, LEDGER[said.kind], told, happened=_happened(body, said.at))
    return row


def _fitting(now: Look, kind: str, body: Mapping[str, Any], book: Rulebook) -> None:
    """Raise EntryError where the entry makes no sense as things stand."""
    if kind == "sent" and "sent" not in body and now.done.of(body["duty"]).sent is None:
        raise EntryError(f"{body['duty']}: when was it sent? Give --at TIME as well")
    if kind == "withdrawn":
        there = _withdrawable(now)
        if unknown := [n for n in body["names"] if n not in there]:
            near = ", ".join(sorted(there)[:20]) or "nothing"
            raise EntryError(f"{', '.join(unknown)}: nothing of it stands; there is: {near}")
    if kind != "not_notifying":
        return
    duty = body["duty"]
    if duty in now.duties and body["rule"] != rule_digest(*stage_of(duty, book)):
        raise EntryError(f"{duty}: its rule reads otherwise than what was signed; decide anew")
    clock = now.clocks.get(duty)
    how = now.standing(duty).closed_how if duty in now.duties else ""
    if now.done.of(duty).sent or how == "not_owed":
        why = "its notice went out" if now.done.of(duty).sent else "nothing is owed"
        raise EntryError(f"{duty}: there is nothing to decide, for {why}")
    state = now.standing(duty).state if duty in now.duties else clock.state if clock else "unknown"
    if clock is None or (body["how"] == NO_LONGER_OWED) != (state == NO_LONGER_OWED):
        state = state.replace("_", " ")
        raise EntryError(
            f"{duty} is {state}: sign off with --no-longer-owed what no longer is, and decide "
            "without it on what is"
        )


def _withdrawable(now: Look) -> set[str]:
    names: set[str] = set()
    for row in now.rows:
        for part in ("facts", "anchors"):
            names |= row.body.get(part, {}).keys()
        if row.kind == "hold":
            names.add(row.body["document"])
        if row.kind == "not_notifying":
            names.add(row.body["duty"])
        if row.kind == "sent":
            regime, _, stage = row.body["duty"].partition("/")
            names.add(f"{regime}/stage:{stage}")
    return names


def _happened(body: Mapping[str, Any], at: datetime) -> datetime:
    """Return when it happened: the earliest time that the entry names, or when it was said."""
    times = [*body.get("anchors", {}).values()]
    times += [body[name] for name in ("sent", "received", "acknowledged", "since") if name in body]
    return min((parse(time).first for time in times), default=at)


def _what(kind: str, body: Mapping[str, Any]) -> str:
    names = [*body.get("facts", {}), *body.get("anchors", {}), *body.get("names", ())]
    names += [body[n] for n in ("duty", "authority") if n in body]
    names += sorted(body.get("items", {}))
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{kind.replace('_', ' ')}: {shown}"


def _told(
    differences: Mapping[str, tuple[str, str, str]], changed: Mapping[str, list[str]]
) -> Iterator[dict[str, Any]]:
    """Yield bodies of ledger entries: one, or as many as it takes."""
    count = f"{len(differences)} duties differ, {len(changed)} changed their state"
    items = [("differences", k, list(v)) for k, v in differences.items()]
    items += [("states", k, v) for k, v in changed.items()]
    body: dict[str, Any] = {"what": count, "differences": {}, "states": {}}
    size = 0
    for part, key, value in items:
        length = len(json.dumps([key, value]))
        if size + length > ENTRY:
            yield body
            body, size = {"what": count, "differences": {}, "states": {}}, 0
        body[part][key] = value
        size += length
    yield body
