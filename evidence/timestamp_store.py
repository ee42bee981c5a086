"""Keeps timestamp tokens in the ledger's database, and notes each of them in the ledger.

An entry `tsa.token` holds the token's digest, so what is recorded after it was recorded after the
token's time; what a stamped checkpoint holds was recorded before. Both on the caller's transaction.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select, update

from evidence import ledger_schema as table
from evidence import timestamp_schema as own
from evidence.errors import TimestampError
from evidence.heads import KIND as HEADS
from evidence.leaf import Entry, read_leaf, stamp
from evidence.ledger import append
from evidence.ledger_engine import in_dialect, run
from evidence.timestamp_client import Stamped

KIND = "tsa.token"
# What says only that the ledger was looked at: to stamp, or count, that again would never end.
OUTSIDE = frozenset({KIND, "tsa.failed", "witness.cosig", HEADS})
MAX_TOLD = 300

_ADD = (
    "INSERT INTO ledger_timestamps (size, authority, asked, answer, gen_time, entry_id)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (size, authority) DO NOTHING RETURNING size"
)
_TELL = (
    "INSERT INTO ledger_timestamp_tries (authority, tried_at, failed, since)"
    " VALUES (?, ?, ?, ?) ON CONFLICT (authority) DO UPDATE SET tried_at = excluded.tried_at,"
    " failed = excluded.failed, since = excluded.since"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A token over the checkpoint of `size` entries; `entry` is the row that notes it.

    `index` is that entry's place in the ledger, None until it is integrated.
    """

    size: int
    authority: str
    asked: bytes
    answer: bytes
    time: datetime
    entry: int
    index: int | None


@dataclass(frozen=True, slots=True)
class Tried:
    """How asking an authority went last: `failed` says why there is no token, else it is empty."""

    authority: str
    at: datetime
    failed: str
    since: datetime


def keep(
    conn: Connection,
    size: int,
    stamped: Stamped,
    case: str,
    actor: str,
    *,
    now: datetime,
    salt: bytes,
) -> bool:
    """Store a token and note it under `case`; return False where there is one already.

    Raises:
        TimestampError: when the checkpoint of that size is not in the ledger.
    """
    root = conn.scalar(select(table.checkpoints.c.root).where(table.checkpoints.c.size == size))
    if root is None:
        raise TimestampError(f"the ledger has no checkpoint of {size} entries to be stamped")
    time = stamp(stamped.token.time)
    row = (size, stamped.authority, stamped.asked, stamped.answer, time, 0)
    # First, so that of two processes that ask at once the second waits, and notes nothing.
    if not run(conn, in_dialect(conn, _ADD), row):
        return False
    body = {
        "authority": stamped.authority,
        "policy": stamped.token.policy,
        "serial": str(stamped.token.serial),
        "gen_time": time,
        "checkpoint_size": size,
        "checkpoint_root": root.hex(),
        "token_sha256": hashlib.sha256(stamped.answer).hexdigest(),
    }
    noted = append(conn, Entry(KIND, case, body, actor, now), record_time=now, salt=salt)
    added = (own.tokens.c.size == size) & (own.tokens.c.authority == stamped.authority)
    conn.execute(update(own.tokens).where(added).values(entry_id=noted.id))
    return True


def tokens(conn: Connection, up_to: int | None = None) -> list[Kept]:
    """Return the tokens over checkpoints of at most `up_to` entries, by size and authority."""
    entries, kept = table.entries, own.tokens
    asked = (
        select(kept, entries.c.idx)
        .join_from(kept, entries, kept.c.entry_id == entries.c.id)
        .order_by(kept.c.size, kept.c.authority)
    )
    if up_to is not None:
        asked = asked.where(kept.c.size <= up_to)
    return [
        Kept(
            row.size,
            row.authority,
            row.asked,
            row.answer,
            _moment(row.gen_time),
            row.entry_id,
            row.idx,
        )
        for row in conn.execute(asked)
    ]


def last_sizes(conn: Connection) -> dict[str, int]:
    """Return, by authority, the size of the largest checkpoint that it stamped."""
    kept = own.tokens.c
    rows = conn.execute(select(kept.authority, func.max(kept.size)).group_by(kept.authority))
    return {row[0]: row[1] for row in rows}


def last_times(conn: Connection) -> dict[str, datetime]:
    """Return, by authority, the time of its newest token."""
    kept = own.tokens.c
    rows = conn.execute(select(kept.authority, func.max(kept.gen_time)).group_by(kept.authority))
    return {row[0]: _moment(row[1]) for row in rows}


def unstamped(conn: Connection, size: int, limit: int = 500) -> frozenset[str]:
    """Return the kinds of the newest `limit` integrated entries from index `size` on.

    What tells only of stamps and witnesses does not count.
    """
    entries = table.entries.c
    rows = conn.execute(
        select(entries.leaf).where(entries.idx >= size).order_by(entries.idx.desc()).limit(limit)
    )
    return frozenset(read_leaf(data).kind for (data,) in rows) - OUTSIDE


def tell(conn: Connection, authority: str, failed: str, *, now: datetime) -> bool:
    """Record how asking went: `failed` is empty, or why. Return whether that is news."""
    before = {one.authority: one for one in tries(conn)}.get(authority)
    news = bool(failed) != bool(before and before.failed)
    since = now if before is None or news else before.since
    row = (authority, stamp(now), failed[:MAX_TOLD], stamp(since))
    run(conn, in_dialect(conn, _TELL), row)
    return news


def tries(conn: Connection) -> Sequence[Tried]:
    """Return how asking went last, by authority."""
    rows = conn.execute(select(own.tries).order_by(own.tries.c.authority))
    return [
        Tried(row.authority, _moment(row.tried_at), row.failed, _moment(row.since)) for row in rows
    ]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
