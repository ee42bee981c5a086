"""Starts a campaign: lists what there is, and opens it for decisions once all of it is recorded."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from actions.aws.principal import GLOBAL
from evidence.sources.item import Item
from playbooks.case.record import Record
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.case.store import reviews as stored
from playbooks.case.store.reviews import Review, ReviewRow
from playbooks.review import credential_report, csv_form, custody, details
from playbooks.review.credential_report import Report
from playbooks.review.flags import Ages
from playbooks.review.inventory import inventory
from playbooks.review.row import Reading, Row
from playbooks.review.vault_rows import vault_rows
from playbooks.wiring.parts import Parts

# So many rows are committed at a time: none who takes an alert in waits for a whole inventory.
CHUNK = 1000
# A gathering that is older broke off; nobody has seen its rows.
GATHERS = timedelta(days=1)


async def start(parts: Parts, db: Store, account: str, person: str) -> Review:
    """Start a periodic campaign over an account, owned by the person, and return it.

    Raises SettingsError for an account that is not ours, InventoryError, or what AWS said.
    """
    aws = parts.aws(account, GLOBAL)
    report = await credential_report.report(aws, parts.sleep)
    found = inventory(aws, details.known(aws), reading(parts, report))
    facts = {
        "report made": report.made.isoformat(),
        "report age in hours": f"{(parts.now() - report.made).total_seconds() / 3600:.1f}",
    }
    return gathered(parts, db, {"account": account, "why": "periodic"}, person, found, facts)


def start_in_vault(parts: Parts, db: Store, vault: str, person: str) -> Review:
    """Start a periodic campaign over a Vault of the settings.

    Raises SettingsError for one that is not ours, or what hvac raises.
    """
    found = vault_rows(parts.vault(vault), parts.settings.review.owner_tag)
    scope = {"account": vault, "vault": vault, "why": "periodic"}
    return gathered(parts, db, scope, person, found, {"report age in hours": "0.0"})


def reading(parts: Parts, report: Report) -> Reading:
    """Return what rows are made with: the report, and what the team has set."""
    terms = parts.settings.review
    unused, key = timedelta(days=terms.unused_days), timedelta(days=terms.key_days)
    return Reading(report, Ages(parts.now(), unused, key), terms.owner_tag)


def gathered(
    parts: Parts,
    db: Store,
    scope: Mapping[str, Any],
    person: str,
    found: Iterator[Row],
    facts: Mapping[str, Any],
    *more: Item,
) -> Review:
    """Record the rows in chunks and open the campaign when all are there; `more` is evidence."""
    begun = parts.now()
    due = begun + timedelta(days=parts.settings.review.answer_days)
    record = Record(person, parts.now, parts.random)
    opening = Review("", scope, person, begun, due)

    def first(conn: Connection) -> Review:
        _forget_broken_off(conn, parts)
        made = stored.add_review(conn, opening)
        record.note(conn, made.id, "review.started", {"review": made.id, "scope": dict(scope)})
        return made

    review = db.commit(first)
    digest, sheet, count = hashlib.sha256(), bytearray(), 0
    for line in csv_form.out(review.id, ()):
        sheet += line.encode()
    while chunk := [_recorded(row) for row in islice(found, CHUNK)]:
        db.commit(partial(stored.add_rows, review=review.id, rows=chunk))
        count += len(chunk)
        for line in islice(csv_form.out(review.id, chunk), 1, None):
            sheet += line.encode()
    digest.update(sheet)
    place = f"{scope['account']}/{GLOBAL}"
    item = Item(
        "as-found.csv", "text/csv", bytes(sheet), False, "iam.get_account_authorization_details"
    )
    bodies = custody.keep(parts, db, review.id, place, [item, *more], begun)
    said = {**facts, "rows": count, "as found sha256": digest.hexdigest()}

    def last(conn: Connection) -> None:
        stored.change_review(conn, review.id, status="open", facts=said)
        custody.note(record, conn, review.id, bodies)
        body = {"review": review.id, "due": due.isoformat(), "facts": said}
        record.note(conn, review.id, "review.opened", body)

    db.commit(last)
    checkpoint(db, parts)
    return replace(review, status="open", facts=said)


def _recorded(row: Row) -> ReviewRow:
    return ReviewRow(
        id=row.id,
        principal=row.principal,
        privilege=row.privilege,
        owner=row.owner,
        used=row.used,
        flags=row.flags,
        digest=row.digest,
        about=row.about,
    )


def _forget_broken_off(conn: Connection, parts: Parts) -> None:
    for old in stored.reviews(conn):
        if old.status == "gathering" and old.opened < parts.now() - GATHERS:
            stored.drop_rows(conn, old.id)
            stored.change_review(conn, old.id, status="broken off")
