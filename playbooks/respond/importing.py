"""Brings what waits in the spool into the database: in order, each record once, then empties it."""

import logging
import shutil
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from actions.journal import Plan
from evidence.errors import EvidenceError
from playbooks.case import store
from playbooks.case.incident import Incident
from playbooks.case.journal import Allowed, CaseJournal
from playbooks.case.record import DEPLOYMENT, Record
from playbooks.case.spool import Contents, Spool, Spooled, alone
from playbooks.case.store import Store
from playbooks.case.store.memory import Within
from playbooks.errors import PlaybookError, SpoolError
from playbooks.intake.accepted import Came
from playbooks.intake.errors import ReplayedError
from playbooks.respond import spooled_alert
from playbooks.respond.take import accept
from playbooks.wiring.parts import Parts

log = logging.getLogger("stanch.spool")
# A record that can never be imported: it is told, kept in a copy of the file, and passed over.
_UNFIT = (PlaybookError, EvidenceError, KeyError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class _Imported(Record):
    """Notes entries of what happened earlier: event time then, record time now."""

    at: datetime

    def note(self, conn: Connection, incident: str, kind: str, body: Any, **more: Any) -> None:
        happened = {"happened": self.at} | more
        Record.note(self, conn, incident, kind, dict(body) | {"spooled": True}, **happened)


def bring_in(parts: Parts, db: Store, spool: Spool) -> int:
    """Import all that waits, one transaction a record; return how many records there were.

    Returns 0 while a run still goes on, or another process imports. Whoever dies on the way, or
    cannot commit, leaves the rest for the next call; what was imported is not imported again.
    Raises SpoolError, or what the database raises when it cannot commit.
    """
    if not spool.path.exists() or spool.empty():
        return 0
    with alone(spool) as ours:
        if not ours:
            return 0
        seen = spool.read()
        unfit = [record.number for record in seen.records if not _import(parts, db, record)]
        if seen.damage or unfit:
            copy = spool.path.with_name(f"damaged-{seen.generation.hex()}")
            _keep_copy(spool, copy)
        db.commit(lambda conn: _ended(parts, conn, seen, unfit))
        spool.reset(seen, parts.random)
    log.warning("imported %s records from the spool", len(seen.records))
    return len(seen.records)


def _import(parts: Parts, db: Store, record: Spooled) -> bool:
    try:
        db.commit(lambda conn: _once(parts, conn, record))
    except _UNFIT as error:
        log.error("record %s of the spool cannot be imported: %s", record.number, error)
        return False
    return True


def _once(parts: Parts, conn: Connection, record: Spooled) -> None:
    mark = f"spool/{record.digest}"
    if store.kept(conn, DEPLOYMENT, mark) is not None:
        return
    incident = _record(parts, conn, record.body)
    store.keep(conn, DEPLOYMENT, mark, {"incident": incident})


def _record(parts: Parts, conn: Connection, told: Any) -> str:
    """Import one record; return the id of the incident that it belongs to."""
    at, run = datetime.fromisoformat(told["at"]), f"spool/{told['run']}"
    record = _Imported("stanch", parts.now, parts.random, at)
    if told["what"] == "alert":
        found = _accepted(parts, conn, told)
    else:
        known = store.kept(conn, DEPLOYMENT, run)
        found = store.incident(conn, known["incident"] if known else told["incident"])
    if store.kept(conn, DEPLOYMENT, run) is None:
        store.keep(conn, DEPLOYMENT, run, {"incident": found.id})
        body = {"run": told["run"], "place": told["place"], "why": told.get("why", "")}
        record.note(conn, found.id, "spool.began", body)
    journal = CaseJournal(Within(conn), record, found.id, told.get("play", found.play))
    if told["what"] == "intend":
        _intend(journal, conn, told, at)
    elif told["what"] in ("done", "failed"):
        _moved(journal, conn, told, at)
    elif told["what"] == "note":
        record.note(conn, found.id, told["kind"], told["body"], actor=told["actor"])
    return found.id


def _accepted(parts: Parts, conn: Connection, told: Any) -> Incident:
    alert, came = spooled_alert.read(told)
    try:
        taken = accept(parts, Within(conn), alert, came)
    except ReplayedError:
        # It was accepted after all, though the answer to the commit was lost: it is a repeat.
        taken = accept(parts, Within(conn), alert, Came(came.channel))
    return store.incident(conn, taken.incident)


def _intend(journal: CaseJournal, conn: Connection, told: Any, at: datetime) -> None:
    incident, step, plan = journal.incident, told["step"], told["plan"]
    rows = {intent.step: rest for intent, rest in store.steps(conn, incident)}
    if step not in rows:
        allowed = Allowed(told["approval"], told["places"])
        journal.intend(step, told["action"], told["fields"], _plan(plan), allowed)
        store.change_step(conn, incident, step, mark=told["mark"], intended=at.isoformat())
        return
    # It was recorded there too. What was found first is what is given back.
    if at < datetime.fromisoformat(rows[step]["intended"]):
        store.change_step(conn, incident, step, plan=plan, intended=at.isoformat())
    body = {"step": step, "plan": plan, "mark": told["mark"]}
    journal.record.note(conn, incident, "intent.known", body)


def _plan(told: Any) -> Plan:
    values = dict(told) | {name: dict(told[name]) for name in ("before", "wanted")}
    values |= {name: tuple(told[name]) for name in ("blast", "lost")}
    if "passing" in told:
        values["passing"] = {key: tuple(v) for key, v in told["passing"].items()}
    return Plan(**values)


def _moved(journal: CaseJournal, conn: Connection, told: Any, at: datetime) -> None:
    known = store.step(conn, journal.incident, told["step"])
    if known is None or known.phase != "intended":
        return  # What became of it is recorded already.
    if told["what"] == "failed":
        journal.failed(told["step"], told["error"])
        return
    journal.done(told["step"], told["result"], told["verdict"])
    store.change_step(conn, journal.incident, told["step"], finished=at.isoformat())


def _ended(parts: Parts, conn: Connection, seen: Contents, unfit: list[int]) -> None:
    """Make each incident runnable, and record what the spool had lost."""
    mark = f"spool/{seen.generation.hex()}/{seen.end}"
    if store.kept(conn, DEPLOYMENT, mark) is not None:
        return
    store.keep(conn, DEPLOYMENT, mark, {"records": len(seen.records)})
    runs = {f"spool/{record.body.get('run')}" for record in seen.records}
    known = [store.kept(conn, DEPLOYMENT, run) for run in sorted(runs)]
    for incident in sorted({found["incident"] for found in known if found}):
        store.add_work(conn, incident, "import", store.clock(conn, parts.now))
    body: dict[str, Any] = {"records": len(seen.records), "unfit": unfit, "torn": seen.torn}
    body["damage"] = [[d.offset, d.length] for d in seen.damage]
    Record("stanch", parts.now, parts.random).note(conn, DEPLOYMENT, "spool.imported", body)


def _keep_copy(spool: Spool, copy: Any) -> None:
    try:
        shutil.copyfile(spool.path, copy)
    except OSError as error:
        raise SpoolError(
            f"the spool {spool.path} holds what cannot be read, and no copy of it can be kept: "
            f"{error.strerror}. It is left as it is; make room beside it."
        ) from error
