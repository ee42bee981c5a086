"""What should have moved on by now and has not, for `stanch doctor`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, select

from playbooks.case import schema
from playbooks.case.incident import Incident, Question
from playbooks.case.store.freezes import Freeze, freezes
from playbooks.case.store.health import OVER, STUCK_TRIES
from playbooks.case.store.incidents import incidents
from playbooks.case.store.questions import questions

# A step takes seconds; a snapshot is not waited for.
HALF_WAY = timedelta(minutes=10)
# Work is taken within a second of being due.
UNTAKEN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class HalfWay:
    """A step that was begun and not ended."""

    incident: str
    step: str
    phase: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Stuck:
    """Work that broke off again and again, or that nobody took; `error` says why it broke off."""

    incident: str
    why: str
    due: datetime
    tries: int
    error: str


@dataclass(frozen=True, slots=True)
class Dead:
    """A lease that ran out while somebody held it."""

    incident: str
    holder: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Overdue:
    """All of it, at the time `at`; `incidents` and `questions` are those still open, `answered`
    the ids of incidents in which a person has answered."""

    at: datetime
    half_way: tuple[HalfWay, ...]
    stuck: tuple[Stuck, ...]
    untaken: tuple[Stuck, ...]
    dead: tuple[Dead, ...]
    freezes: tuple[Freeze, ...]
    incidents: tuple[Incident, ...]
    questions: tuple[Question, ...]
    answered: frozenset[str]


def overdue(conn: Connection, now: datetime) -> Overdue:
    """Return what waits longer than it should at `now`, the time of `store.clock`."""
    steps, work, cases = schema.steps, schema.work, schema.incidents
    late = steps.c.intended <= (now - HALF_WAY).isoformat()
    half = select(steps).where(steps.c.phase.in_(("intended", "undoing")), late)
    open_work = select(work).where(work.c.done.is_(False)).order_by(work.c.due)
    untaken = work.c.due <= (now - UNTAKEN).isoformat()
    ran_out = select(cases.c.id, cases.c.holder, cases.c.until).where(
        cases.c.holder != "", cases.c.until <= now.isoformat()
    )

    asked = questions(conn)

    def rows(*where: ColumnElement[bool]) -> tuple[Stuck, ...]:
        found = conn.execute(open_work.where(*where))
        return tuple(
            Stuck(r.incident, r.why, datetime.fromisoformat(r.due), r.tries, r.error) for r in found
        )

    return Overdue(
        at=now,
        half_way=tuple(
            HalfWay(r.incident, r.step, r.phase, datetime.fromisoformat(r.intended))
            for r in conn.execute(half.order_by(steps.c.number))
        ),
        stuck=rows(work.c.tries >= STUCK_TRIES),
        untaken=rows(work.c.tries < STUCK_TRIES, untaken),
        dead=tuple(
            Dead(r.id, r.holder, datetime.fromisoformat(r.until))
            for r in conn.execute(ran_out)
            if r.until
        ),
        freezes=tuple(freezes(conn)),
        incidents=tuple(i for i in incidents(conn) if i.status not in OVER),
        questions=tuple(q for q in asked if q.state == "open" and q.expires > now),
        answered=frozenset(q.incident for q in asked if q.approver),
    )
