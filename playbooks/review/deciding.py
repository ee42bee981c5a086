"""Takes decisions on rows, each signed by a person on their own account of what the row is."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from evidence import canonical, jws, jws_token
from evidence.errors import EvidenceError
from playbooks.case import store
from playbooks.case.record import Record
from playbooks.case.store import Store
from playbooks.case.store import reviews as stored
from playbooks.case.store.reviews import Decided, ReviewRow
from playbooks.review import csv_form
from playbooks.review.errors import DecisionError
from playbooks.review.outcome import free
from playbooks.review.row import choices_of
from playbooks.review.selves import names_of, own

TYPE = "stanch-review+jws"
FIELDS = {"review", "row", "principal", "privilege", "digest", "decision", "reason", "at"}
LONGEST = 500
# So many reasons for a refusal are told; who repairs the file sees the rest then.
TOLD = 50
# Bytes of decisions that stand in one entry of the ledger, which holds 64 KiB.
ENTRY = 40_000


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody chose for a row, and in which line of a file; line 0 for none."""

    row: str
    decision: str
    reason: str
    line: int = 0

    @property
    def where(self) -> str:
        """Return where the choice stands."""
        return f"line {self.line}" if self.line else f"row {self.row}"


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A person who decides: their name, their private key, and what else they are known by."""

    name: str
    key: Any
    names: frozenset[str]


def reviewer(name: str, key: Any, identities: Mapping[str, Iterable[str]]) -> Reviewer:
    """Return a person as a reviewer, with the identities that the settings give them."""
    return Reviewer(name, key, names_of(name, identities))


def from_file(review: str, text: str, rows: Mapping[str, ReviewRow]) -> list[Choice]:
    """Return the choices in a file that came back; lines without a decision are left out.

    Raises DecisionError with the number of every line that is wrong: a formula, an unknown row, a
    row twice, a cell that was not for changing, a file of another review.
    """
    wrong: list[str] = []
    found: dict[str, Choice] = {}
    for line in csv_form.lines(text):
        cells = line.cells
        why = _misread(review, cells, rows)
        if not why and cells["row"] in found:
            why = f"row {cells['row']} stands in line {found[cells['row']].line} too"
        if why:
            wrong.append(f"line {line.number}: {why}")
        elif cells["decision"] or cells["reason"]:
            decision = cells["decision"].strip().lower()
            found[cells["row"]] = Choice(cells["row"], decision, cells["reason"], line.number)
    refuse(wrong)
    return list(found.values())


def _misread(review: str, cells: Mapping[str, str], rows: Mapping[str, ReviewRow]) -> str:
    for column, cell in cells.items():
        if csv_form.is_formula(cell):
            return f"the cell {column} begins a formula"
    if cells["review"] != review:
        return f"it is of {cells['review']!r}, not of {review}"
    row = rows.get(cells["row"])
    if row is None:
        return f"there is no row {cells['row']!r}"
    expected = csv_form.shown(review, row)
    changed = [c for c in csv_form.SHOWN if cells[c] != expected[c]]
    return f"the cell {changed[0]} was changed, and is only shown" if changed else ""


def check(
    choices: Sequence[Choice],
    rows: Mapping[str, ReviewRow],
    names: frozenset[str],
    stale: Mapping[str, str],
    undone: frozenset[str] = frozenset(),
) -> None:
    """Raise DecisionError, which says why of each, where any choice does not count.

    `undone` are rows that an incident carried out and undid.

    All or none: who signs a file signs it as a whole, and a half of it that was taken could not be
    told from one that was meant.
    """
    wrong = []
    for one in choices:
        row = rows.get(one.row)
        why = (
            f"there is no row {one.row!r}"
            if row is None
            else _wrong(one, row, names, stale, undone)
        )
        if why:
            wrong.append(f"{one.where}: {why}")
    refuse(wrong)


def _wrong(
    one: Choice,
    row: ReviewRow,
    names: frozenset[str],
    stale: Mapping[str, str],
    undone: frozenset[str],
) -> str:
    if one.decision not in choices_of(row.privilege):
        can = ", ".join(choices_of(row.privilege))
        return f"{one.decision!r} cannot be decided of {row.privilege}; expected {can}"
    if not one.reason.strip() or len(one.reason) > LONGEST or not one.reason.isprintable():
        return f"a reason of 1 to {LONGEST} printable characters is needed"
    if csv_form.is_formula(one.reason):
        return "the reason begins a formula"
    if why := own(names, row):
        return f"{why} ({row.principal}), so somebody else must decide"
    if row.incident and row.id not in undone:
        return f"it is being carried out by {row.incident}; roll that back first"
    return stale.get(row.id, "") and f"{stale[row.id]}; start a new review for what it is now"


def refuse(wrong: Sequence[str]) -> None:
    """Raise DecisionError with these reasons, if there are any."""
    if not wrong:
        return
    more = (f"and {len(wrong) - TOLD} more",) if len(wrong) > TOLD else ()
    raise DecisionError(
        f"nothing was recorded: {len(wrong)} of it cannot count. Correct this and give it again.",
        (*wrong[:TOLD], *more),
    )


def sign(review: str, row: ReviewRow, one: Choice, by: Reviewer, at: datetime) -> str:
    """Return a decision as a JWS (RFC 7515) with the person's own ES256 key."""
    said = {
        "review": review,
        "row": row.id,
        "principal": row.principal,
        "privilege": row.privilege,
        "digest": row.digest,
        "decision": one.decision,
        "reason": one.reason,
        "at": at.isoformat(),
    }
    return jws.sign(canonical.canonical(said), by.key, by.name, TYPE)


def take(
    db: Store,
    record: Record,
    review: str,
    tokens: Sequence[str],
    people: Mapping[str, Any],
    identities: Mapping[str, Iterable[str]],
) -> int:
    """Check signed decisions and record them all, or raise DecisionError and record none.

    The people's keys say who signed; the row must still be as it was signed. Returns their number.
    """
    said = [_read(token, people) for token in tokens]

    def work(conn: Connection) -> int:
        store.lock(conn, f"review/{review}")
        if stored.review(conn, review).status != "open":
            raise DecisionError(f"{review} is not open, so nothing of it can be decided.")
        rows = {row.id: row for row in stored.review_rows(conn, review)}
        undone = free(conn, rows.values())
        made: dict[str, Decided] = {}
        for token, (person, one) in zip(tokens, said, strict=True):
            choice = Choice(one["row"], one["decision"], one["reason"])
            check([choice], rows, names_of(person, identities), {}, undone)
            _same(review, rows[choice.row], one)
            at = datetime.fromisoformat(one["at"])
            made[choice.row] = Decided(choice.decision, choice.reason, person, at, token)
        stored.decide_rows(conn, review, made)
        _note(conn, record, review, made)
        return len(tokens)

    return db.commit(work)


def _note(conn: Connection, record: Record, review: str, made: Mapping[str, Decided]) -> None:
    """Write the decisions into the ledger, as many to an entry as it holds, each with its proof."""
    entries: list[list[dict[str, str]]] = [[]]
    size = 0
    for row, one in made.items():
        told = {"row": row, "decision": one.decision, "reason": one.reason, "proof": one.proof}
        size += (length := len(json.dumps(told)))
        if size > ENTRY:
            entries.append([])
            size = length
        entries[-1].append(told)
    for some in entries:
        body = {"review": review, "decisions": some}
        record.note(conn, review, "review.decided", body, actor=made[some[0]["row"]].reviewer)


def _read(token: str, people: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    try:
        said = json.loads(jws.verify(token, people, TYPE))
    except (EvidenceError, ValueError) as error:
        raise DecisionError(
            f"a decision's signature does not hold: {error}. It must be signed with the key of a "
            "person under [people] in stanch.toml."
        ) from error
    if not isinstance(said, dict) or said.keys() != FIELDS:
        raise DecisionError("a decision lacks a part. Make it with `stanch review decide`.")
    return jws_token.take_apart(token, TYPE).kid, said


def _same(review: str, row: ReviewRow, said: Mapping[str, str]) -> None:
    meant = (review, row.principal, row.privilege, row.digest)
    if tuple(said[k] for k in ("review", "principal", "privilege", "digest")) != meant:
        raise DecisionError(f"row {row.id}: the decision was signed for something else.")
