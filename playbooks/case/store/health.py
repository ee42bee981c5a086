"""Where the deployment stands, in one cheap read: for metrics and for `stanch doctor`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, func, select

from evidence import ledger_schema
from playbooks.case import schema
from playbooks.case.store.freezes import freezes

# Nothing is left to do for these.
OVER = ("rolled-back", "released, old sessions denied", "released", "gone")
# Work that broke off so often waits for a person, though it is still tried.
STUCK_TRIES = 5


@dataclass(frozen=True, slots=True)
class Health:
    """Counts and times of now. `incidents` is severity -> open ones; times are None if none."""

    incidents: Mapping[str, int]
    work_due: int
    work_stuck: int
    oldest_due: datetime | None
    questions: int
    half_way: int
    frozen: tuple[str, ...]
    rejected: int
    unintegrated: int
    tree_size: int
    checkpoint: datetime | None


def health(conn: Connection, now: datetime) -> Health:
    """Return where everything stands at `now`, the time of `store.clock`."""
    work, cases, questions = schema.work, schema.incidents, schema.questions
    steps, rejected = schema.steps, schema.rejected
    entries, checkpoints = ledger_schema.entries, ledger_schema.checkpoints
    waits = work.c.done.is_(False) & (work.c.due <= now.isoformat())
    due, oldest = conn.execute(select(func.count(), func.min(work.c.due)).where(waits)).one()
    stuck = work.c.done.is_(False) & (work.c.tries >= STUCK_TRIES)
    left = select(cases.c.severity, func.count()).where(cases.c.status.not_in(OVER))
    size, signed = conn.execute(
        select(checkpoints.c.size, checkpoints.c.signed_at)
        .order_by(checkpoints.c.size.desc())
        .limit(1)
    ).one_or_none() or (0, None)
    asked = (questions.c.state == "open") & (questions.c.expires > now.isoformat())
    half = steps.c.phase.in_(("intended", "undoing"))

    def count(table: Table, *where: ColumnElement[bool]) -> int:
        return conn.scalar(select(func.count()).select_from(table).where(*where)) or 0

    return Health(
        incidents={r[0]: r[1] for r in conn.execute(left.group_by(cases.c.severity))},
        work_due=due,
        work_stuck=count(work, stuck),
        oldest_due=datetime.fromisoformat(oldest) if oldest else None,
        questions=count(questions, asked),
        half_way=count(steps, half),
        frozen=tuple(one.account for one in freezes(conn)),
        rejected=count(rejected),
        unintegrated=count(entries, entries.c.idx.is_(None) | (entries.c.idx >= size)),
        tree_size=size,
        checkpoint=datetime.fromisoformat(signed) if signed else None,
    )


def first_intended(conn: Connection, incident: str) -> datetime | None:
    """Return when the incident's first step was intended, or None where there was none."""
    steps = schema.steps
    found = conn.scalar(select(func.min(steps.c.intended)).where(steps.c.incident == incident))
    return datetime.fromisoformat(found) if found else None
