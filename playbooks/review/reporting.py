"""Writes what an auditor needs of a review: report, decisions with signatures, evidence, manifest.

OUT/report.json report.csv        what was found, decided, done and read back
OUT/manifest.jws                  ES256 over the SHA-256 of every other file
OUT/evidence/                     the review's own bundle: as-found.csv, decisions, both reports
OUT/incidents/INC-n/              a bundle for each incident that carried decisions out
"""

import csv
import hashlib
import io
import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from evidence import jws
from evidence.canonical import canonical
from evidence.sources.item import Item
from playbooks.case import exporting
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.case.store import reviews as stored
from playbooks.case.store.reviews import Review, ReviewRow
from playbooks.review import controls, csv_form, custody
from playbooks.review.outcome import Outcome, outcomes
from playbooks.wiring.parts import Parts

TYPE = "stanch-review-report+jws"
MORE = ("reviewer", "decided", "outcome", "incident", "step", "why", "proof")


@dataclass(frozen=True, slots=True)
class Reported:
    """A report that was written: its folder, and how many rows have which outcome."""

    path: Path
    states: dict[str, int]
    incidents: tuple[str, ...]


def report(parts: Parts, db: Store, review: str, person: str, out: Path) -> Reported:
    """Write the report into the new folder `out`, and keep it in the ledger's evidence.

    Raises FileExistsError where the folder exists; what is reported may be unfinished, and says so.
    """
    begun = parts.now()
    found = db.read(lambda conn: stored.review(conn, review))
    rows = db.read(lambda conn: list(stored.review_rows(conn, review)))
    came = db.read(lambda conn: outcomes(conn, rows))
    files = {
        "report.json": _json(found, rows, came, begun.isoformat()),
        "report.csv": _csv(review, rows, came),
    }
    out.mkdir(mode=0o700)
    kinds = {"report.json": "application/json", "report.csv": "text/csv"}
    items = [Item(n, kinds[n], data, False, "stanch.review_report") for n, data in files.items()]
    bodies = custody.keep(parts, db, review, str(found.scope["account"]), items, begun)
    record = Record(person, parts.now, parts.random)
    states = Counter(one.state for one in came.values())

    def note(conn: Connection) -> None:
        custody.note(record, conn, review, bodies)
        body = {"review": review, "states": dict(states), "status": found.status}
        record.note(conn, review, "review.reported", body)

    db.commit(note)
    incidents = tuple(sorted({row.incident for row in rows if row.incident}))
    exporting.export(parts, db, review, out / "evidence")
    (out / "incidents").mkdir(mode=0o700)
    for incident in incidents:
        exporting.export(parts, db, incident, out / "incidents" / incident)
    for name, data in files.items():
        _write(out / name, data)
    _write(out / "manifest.jws", _manifest(parts, review, out).encode())
    return Reported(out, dict(states), incidents)


def _json(review: Review, rows: list[ReviewRow], came: dict[str, Outcome], at: str) -> bytes:
    told = {
        "review": review.id,
        "status": review.status,
        "closing statement": review.proof,
        "scope": dict(review.scope),
        "owner": review.owner,
        "opened": review.opened.isoformat(),
        "reported": at,
        "made from": dict(review.facts),
        "outcomes": dict(Counter(one.state for one in came.values())),
        "controls": controls.answered(rows, came),
        "rows": [_told(review.id, row, came[row.id]) for row in rows],
    }
    return json.dumps(told, indent=1, sort_keys=True).encode()


def _told(review: str, row: ReviewRow, came: Outcome) -> dict[str, Any]:
    decision, reason = csv_form.written(row)
    made = row.decided
    return {
        **csv_form.shown(review, row),
        "decision": decision,
        "reason": reason,
        "reviewer": made.reviewer if made else "",
        "decided": made.at.isoformat() if made else "",
        "outcome": came.state,
        "incident": came.incident,
        "step": came.step,
        "why": csv_form.harmless(came.why),
        "proof": made.proof if made else "",
    }


def _csv(review: str, rows: list[ReviewRow], came: dict[str, Outcome]) -> bytes:
    made = io.StringIO(newline="")
    writer = csv.DictWriter(made, (*csv_form.COLUMNS, *MORE))
    writer.writeheader()
    writer.writerows(_told(review, row, came[row.id]) for row in rows)
    return made.getvalue().encode()


def _manifest(parts: Parts, review: str, out: Path) -> str:
    files = sorted(p for p in out.rglob("*") if p.is_file())
    listed = {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    said = {"review": review, "made": parts.now().isoformat(), "files": listed}
    signer = parts.keys.manifest
    return jws.sign(canonical(said), signer.key, signer.kid, TYPE)


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
