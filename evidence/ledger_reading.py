"""Reads a case's entries back from the ledger, with what of them is open.

On a connection that the caller owns; only reads.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from evidence import ledger_schema as table
from evidence.errors import LedgerError
from evidence.leaf import Leaf, read_leaf
from evidence.personal import ACTOR, OpenValue, restored


@dataclass(frozen=True, slots=True)
class Opening:
    """What a leaf commits to: 32-byte salt, actor, and the body's canonical bytes.

    Where single values are committed to apart, `body` is the one with commitments in their places,
    `hidden_actor` the actor's commitment as text, and `values` are the openings that are left.
    """

    salt: bytes
    actor: str
    body: bytes
    hidden_actor: str | None = None
    values: tuple[OpenValue, ...] = ()

    @property
    def committed_actor(self) -> str:
        """The actor as the leaf commits to it."""
        return self.actor if self.hidden_actor is None else self.hidden_actor


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as stored; `index` is None until integrated, `opening` None once erased."""

    id: int
    index: int | None
    data: bytes
    leaf_hash: bytes
    leaf: Leaf
    opening: Opening | None

    @property
    def body(self) -> Mapping[str, Any]:
        """The body as a mapping; a value whose own opening is gone is {"commitment": hex}.

        Raises:
            LedgerError: when the opening was erased, or a value is not the one committed to.
        """
        if self.opening is None:
            raise LedgerError(f"entry {self.id}: its body was erased; only its commitment is left")
        found = json.loads(self.opening.body)
        return restored(self.opening.committed_actor, found, self.opening.values)[1]


def entries(conn: Connection, case: str) -> Iterator[Recorded]:
    """Yield a case's entries in the order they were appended; none for an unknown case."""
    rows = conn.execute(
        select(
            table.entries.c.id,
            table.entries.c.idx,
            table.entries.c.leaf,
            table.entries.c.leaf_hash,
            table.openings.c.salt,
            table.openings.c.actor,
            table.openings.c.body,
        )
        .join_from(table.entries, table.cases, table.entries.c.pseudonym == table.cases.c.pseudonym)
        .outerjoin(table.openings, table.openings.c.entry_id == table.entries.c.id)
        .where(table.cases.c.case_id == case)
        .order_by(table.entries.c.case_seq)
    )
    # Before their values, so that none that was just recorded seems to be erased.
    found = rows.all()
    values = open_values(conn, case)
    for row_id, index, data, hashed, salt, actor, body in found:
        opening = None if salt is None else opened(salt, actor, body, values.get(row_id, ()))
        yield Recorded(row_id, index, data, hashed, read_leaf(data), opening)


def opened(salt: bytes, actor: str, body: bytes, values: Sequence[OpenValue]) -> Opening:
    """Return the opening of an entry from what is committed to and the values that are open."""
    known = [one for one in values if one.place == ACTOR]
    if not known:
        return Opening(salt, actor, body, None, tuple(values))
    return Opening(salt, restored(actor, {}, known)[0], body, actor, tuple(values))


def open_values(conn: Connection, case: str) -> dict[int, list[OpenValue]]:
    """Return row id -> the values of a case's entries that are open, in the order of places."""
    at = table.values.c
    rows = conn.execute(
        select(at.entry_id, at.place, at.salt, at.value)
        .join_from(table.values, table.entries, table.entries.c.id == at.entry_id)
        .join(table.cases, table.entries.c.pseudonym == table.cases.c.pseudonym)
        .where(table.cases.c.case_id == case)
        .order_by(at.entry_id, at.number)
    )
    found: dict[int, list[OpenValue]] = {}
    for row_id, *opening in rows:
        found.setdefault(row_id, []).append(OpenValue(*opening))
    return found


def pseudonym(conn: Connection, case: str) -> str:
    """Return the 32 hex digits that stand for a case in the append-only part.

    Raises:
        LedgerError: when the case has no entry yet.
    """
    found = conn.execute(
        select(table.cases.c.pseudonym).where(table.cases.c.case_id == case)
    ).scalar_one_or_none()
    if found is None:
        raise LedgerError(f"case {case!r} has no entry; append one before asking for its pseudonym")
    return str(found)
