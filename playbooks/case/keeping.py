"""The verb keep: collect, hash, store, sign, record. What fails is recorded and blocks nothing."""

import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from evidence import ledger
from evidence.deposit import KIND, Acquisition, Custody, deposit
from evidence.errors import EvidenceError
from evidence.sources.item import Item
from playbooks.case import indicators, locking, store
from playbooks.case.answers import Kept
from playbooks.errors import PlaybookError

if TYPE_CHECKING:
    from playbooks.case.case import Case

log = logging.getLogger("stanch.keep")


def step_of(source: Any, again: str = "") -> str:
    """Return the step's key: what is collected, of what, and why again."""
    return f"keep/{source.name}/{source.account}/{source.region}" + (f"#{again}" if again else "")


async def keep(case: "Case", source: Any, step: str) -> Kept:
    """Collect once; a re-entry returns what was kept. Never raises for a source that fails."""
    if case.dry:
        return Kept(step, (), ())
    before = case.store.read(lambda conn: store.kept(conn, case.incident.id, step))
    if before is not None:
        return _kept(step, before)
    custody = await case.call(lambda: locking.custody(case.parts, case.store, case.incident.id))
    stored, missed, seen, found = await case.call(lambda: _collect(case, source, custody))

    def work(conn: Connection) -> Kept:
        if (known := store.kept(conn, case.incident.id, step)) is not None:
            # Two branches of the play asked for the same at once.
            return _kept(step, known)
        for body in stored:
            case.record.note(conn, case.incident.id, KIND, body)
        body = {"step": step, "artifacts": [s["artifact_id"] for s in stored], "missed": missed}
        case.record.note(conn, case.incident.id, "keep.done", body)
        noted = indicators.new(case, conn, seen)
        for one in noted:
            case.record.note(conn, case.incident.id, "indicator.noted", one)
        value: dict[str, Any] = {"artifacts": stored, "missed": missed}
        value |= {"indicators": noted} if noted else {}
        value |= {"found": found} if found else {}
        store.keep(conn, case.incident.id, step, value)
        return _kept(step, value)

    kept = case.store.commit(work)
    if stored:
        await case.call(lambda: locking.late(case.parts, case.store, case.incident.id, custody))
    return kept


def _kept(step: str, value: Any) -> Kept:
    found = tuple(value.get("found", ()))
    return Kept(step, tuple(value["artifacts"]), tuple(value["missed"]), found)


def _collect(
    case: "Case", source: Any, custody: Custody
) -> tuple[list[dict[str, Any]], list[dict[str, str]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what was stored, what was missed, what in it points to an attacker, and findings."""
    parts = case.parts
    target = f"{source.account}/{source.region}"
    pseudonym = case.store.read(lambda conn: ledger.pseudonym(conn, case.incident.id))
    stored: list[dict[str, Any]] = []
    missed: list[dict[str, str]] = []
    seen: list[dict[str, Any]] = []
    items: list[Item] = []
    found: list[dict[str, Any]] = []
    start = parts.now()
    try:
        for item in source.collect(parts.source(source.account, source.region)):
            end = parts.now()
            if isinstance(item, Item):
                about = Acquisition(source.name, target, pseudonym, start, end, now=parts.now)
                stored.append(deposit(custody, item, about))
                if hasattr(source, "indicators"):
                    seen.extend(source.indicators(item))
                if hasattr(source, "findings"):
                    items.append(item)
            else:
                missed.append({"name": item.name, "call": item.call, "error": item.error_code})
            start = end
        found = [one.json() for one in source.findings(items)] if items else []
    except PlaybookError:
        raise
    except Exception as error:
        # A full disk, a broken locker or an answer that nobody foresaw must not hold containment
        # up. Only our own errors and the system's may be quoted: others may hold what was read.
        told = str(error) if isinstance(error, (EvidenceError, OSError)) else _place(error)
        log.error("%s: %s could not be kept: %s", case.incident.id, source.name, told)
        missed.append({"name": source.name, "call": "", "error": told})
    return stored, missed, seen, found


def _place(error: Exception) -> str:
    """Return what kind of error it is and where it arose, which is all that may be told of it."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
