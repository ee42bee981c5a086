"""Where nothing may be changed now: one account, or all of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from playbooks.case import schema
from playbooks.case.store.commit import lock

EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Freeze:
    """Who stopped what, when and why. `account` is twelve digits or `*`."""

    account: str
    by: str
    reason: str
    since: datetime


def freezes(conn: Connection) -> list[Freeze]:
    """Return all that hold now."""
    rows = conn.execute(select(schema.freezes).order_by(schema.freezes.c.account))
    return [Freeze(r.account, r.by, r.reason, datetime.fromisoformat(r.since)) for r in rows]


def frozen(conn: Connection, account: str) -> Freeze | None:
    """Return the freeze that binds the account, or None."""
    table = schema.freezes
    where = table.c.account.in_((account, EVERYWHERE))
    row = conn.execute(select(table).where(where).order_by(table.c.account).limit(1)).one_or_none()
    if row is None:
        return None
    return Freeze(row.account, row.by, row.reason, datetime.fromisoformat(row.since))


def add_freeze(conn: Connection, freeze: Freeze) -> bool:
    """Record a freeze; return False where one stands already, which is left as it is."""
    table = schema.freezes
    lock(conn, "freezes")
    if conn.scalar(select(table.c.account).where(table.c.account == freeze.account)):
        return False
    conn.execute(
        insert(table).values(
            account=freeze.account,
            by=freeze.by,
            reason=freeze.reason,
            since=freeze.since.isoformat(),
        )
    )
    return True


def drop_freeze(conn: Connection, account: str) -> bool:
    """Lift a freeze; return whether there was one."""
    gone = conn.execute(delete(schema.freezes).where(schema.freezes.c.account == account))
    return gone.rowcount == 1


def held_back(conn: Connection) -> list[tuple[str, str]]:
    """Return the incidents, each with its account, that have steps a freeze may have kept back."""
    kept, steps, incidents = schema.kept, schema.steps, schema.incidents
    left = select(kept.c.incident, kept.c.step, kept.c.value).where(kept.c.step.like("left/%"))
    waiting = {
        (row.incident, row.step.removeprefix("left/"))
        for row in conn.execute(left)
        if row.value["kind"] == "frozen"
    }
    known = {
        (row.incident, row.step): row.phase
        for row in conn.execute(
            select(steps.c.incident, steps.c.step, steps.c.phase).where(
                steps.c.incident.in_({incident for incident, _ in waiting})
                | steps.c.phase.in_(("intended", "undoing"))
            )
        )
    }
    found = {i for i, step in waiting if (i, step) not in known}
    found |= {i for (i, _), phase in known.items() if phase in ("intended", "undoing")}
    query = select(incidents.c.id, incidents.c.target).order_by(incidents.c.number)
    rows = conn.execute(query.where(incidents.c.id.in_(found)))
    return [(row.id, row.target["account"]) for row in rows]
