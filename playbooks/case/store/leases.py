"""Who works on an incident now, until when, and by which fence its commits count."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from playbooks.case import schema
from playbooks.errors import LostLeaseError, UnknownIncidentError

# How long a holder may stay silent; a living one renews well within it.
LEASE = timedelta(seconds=30)
# What one call of a paused process may still take once it wakes: connect and read timeouts over
# all attempts of the client (wiring/sessions.py).
CALL = timedelta(seconds=150)


@dataclass(frozen=True, slots=True)
class Lease:
    """One entry's hold on an incident. `fence` rises with each; `quiet_from` is when a process
    that lost it can no longer write."""

    incident: str
    holder: str
    fence: int
    quiet_from: datetime | None = None


def take(
    conn: Connection, id: str, holder: str, alive: Callable[[str], bool], now: datetime
) -> Lease | str:
    """Hold the incident for one entry; return the lease, or the holder that has it.

    A holder that is surely dead is replaced at once; any other once its lease has run out, and
    then what cannot be repeated waits until `quiet_from`.
    """
    table = schema.incidents
    query = select(table.c.holder, table.c.fence, table.c.until, table.c.quiet_from)
    row = conn.execute(query.where(table.c.id == id).with_for_update()).one_or_none()
    if row is None:
        raise UnknownIncidentError(f"there is no incident {id!r}. `stanch show` lists them.")
    until = datetime.fromisoformat(row.until) if row.until else now
    quiet = datetime.fromisoformat(row.quiet_from) if row.quiet_from else None
    if row.holder and row.holder != holder and alive(row.holder):
        if now < until:
            return str(row.holder)
        quiet = max(quiet or until, until + CALL)
    if quiet is not None and quiet <= now:
        quiet = None
    values = {
        "holder": holder,
        "fence": row.fence + 1,
        "until": (now + LEASE).isoformat(),
        "quiet_from": quiet.isoformat() if quiet else "",
    }
    conn.execute(update(table).where(table.c.id == id).values(values))
    return Lease(id, holder, row.fence + 1, quiet)


def hold(conn: Connection, lease: Lease) -> None:
    """Raise LostLeaseError unless the lease is the incident's newest; locks it till commit."""
    table = schema.incidents
    query = select(table.c.fence).where(table.c.id == lease.incident).with_for_update()
    if conn.scalar(query) != lease.fence:
        raise LostLeaseError(
            f"{lease.incident} was taken over meanwhile by another process; this one does no more "
            "for it. Nothing is lost: what was done is recorded, and the other goes on."
        )


def fence(conn: Connection, incident: str) -> int | None:
    """Return the fence of the incident's newest lease, without holding it."""
    table = schema.incidents
    return conn.scalar(select(table.c.fence).where(table.c.id == incident))


def renew(conn: Connection, lease: Lease, now: datetime) -> None:
    """Hold the incident for longer. Raise LostLeaseError when it was taken over."""
    hold(conn, lease)
    table = schema.incidents
    until = (now + LEASE).isoformat()
    conn.execute(update(table).where(table.c.id == lease.incident).values(until=until))


def let_go(conn: Connection, lease: Lease) -> None:
    """Give the incident up, if it is still held under this lease."""
    table = schema.incidents
    mine = (table.c.id == lease.incident) & (table.c.fence == lease.fence)
    conn.execute(update(table).where(mine).values(holder="", until=""))
