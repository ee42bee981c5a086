"""The incident store: the only SQL of this room, and the one place that commits.

A state change and its ledger entry go through `commit` together, so that neither is ever alone.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, Table, delete, func, insert, select, update

from actions.journal import Intent, Plan
from playbooks.case import schema
from playbooks.case.incident import Incident, Question
from playbooks.case.severity import Severity
from playbooks.errors import UnknownIncidentError

T = TypeVar("T")


class Store:
    """The database. Values are given and returned whole; times are aware UTC."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._queue: list[_Unit] = []
        self._queued = threading.Lock()
        self._led = False

    def commit(self, work: Callable[[Connection], T]) -> T:
        """Run the work in a transaction; when this returns, it is durable.

        Callers at the same time share one transaction and one fsync: one leads and takes all that
        wait, then hands the lead to the first that came meanwhile, and wakes no other. Where a
        shared transaction fails, each work is run again by itself.
        """
        unit = _Unit(work)
        with self._queued:
            self._queue.append(unit)
            leads, self._led = not self._led, True
        if not leads:
            unit.woken.wait()
        if not unit.future.done():
            self._lead()
        result: T = unit.future.result()
        return result

    def _lead(self) -> None:
        with self._queued:
            batch, self._queue = self._queue, []
        try:
            self._run(batch)
        finally:
            with self._queued:
                self._led = bool(self._queue)
                if self._queue:
                    self._queue[0].woken.set()

    def _run(self, batch: "list[_Unit]") -> None:
        try:
            with self.engine.begin() as conn:
                results = [unit.work(conn) for unit in batch]
        except BaseException as error:
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                batch[0].woken.set()
            else:
                for one in batch:
                    self._run([one])
            return
        for unit, result in zip(batch, results, strict=True):
            unit.future.set_result(result)
            unit.woken.set()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run work that only reads."""
        with self.engine.connect().execution_options(read_only=True) as conn:
            return work(conn)


class _Unit:
    """One caller's work in a commit. `woken` is set when it is done, or is to lead."""

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.future: Future[Any] = Future()
        self.woken = threading.Event()


def add_incident(conn: Connection, incident: Incident) -> Incident:
    """Record a new incident and return it with its id."""
    number = (conn.scalar(select(func.max(schema.incidents.c.number))) or 0) + 1
    named = replace(incident, id=f"INC-{number:04d}")
    conn.execute(
        insert(schema.incidents).values(
            number=number,
            id=named.id,
            play=named.play,
            title=named.title,
            severity=named.severity.value,
            target=dict(named.target),
            opened=named.opened.isoformat(),
            requester=named.requester,
            hindrances=list(named.hindrances),
            status=named.status,
            says=named.says,
            entry=named.entry,
            alert=dict(named.alert),
            holder="",
        )
    )
    return named


def incident(conn: Connection, id: str) -> Incident:
    """Return the incident, or raise UnknownIncidentError."""
    row = conn.execute(select(schema.incidents).where(schema.incidents.c.id == id)).one_or_none()
    if row is None:
        raise UnknownIncidentError(f"there is no incident {id!r}. `stanch show` lists them.")
    return _incident(row)


def incidents(conn: Connection) -> list[Incident]:
    """Return all incidents, oldest first."""
    query = select(schema.incidents).order_by(schema.incidents.c.number)
    return [_incident(row) for row in conn.execute(query)]


def _incident(row: Row[Any]) -> Incident:
    return Incident(
        id=row.id,
        play=row.play,
        title=row.title,
        severity=Severity(row.severity),
        target=row.target,
        opened=datetime.fromisoformat(row.opened),
        requester=row.requester,
        hindrances=tuple(row.hindrances),
        status=row.status,
        says=row.says,
        entry=row.entry,
        alert=row.alert,
    )


def set_status(conn: Connection, id: str, status: str, says: str = "") -> None:
    """Record how far the incident has come."""
    _change(conn, schema.incidents, schema.incidents.c.id == id, status=status, says=says)


def raise_severity(conn: Connection, id: str, severity: Severity) -> bool:
    """Make the incident as severe as this, if it was less so; return whether it was."""
    # P0 is the worst, so the lower name is the more severe.
    if severity.value >= incident(conn, id).severity.value:
        return False
    _change(conn, schema.incidents, schema.incidents.c.id == id, severity=severity.value)
    return True


def count_entry(conn: Connection, id: str) -> int:
    """Record that the incident became runnable again, and return the entry's number."""
    entry = incident(conn, id).entry + 1
    _change(conn, schema.incidents, schema.incidents.c.id == id, entry=entry)
    return entry


def take(conn: Connection, id: str, holder: str, alive: Callable[[str], bool]) -> str:
    """Hold the incident for one entry; return the living holder that has it, or nothing."""
    query = select(schema.incidents.c.holder).where(schema.incidents.c.id == id)
    now = str(conn.scalar(query) or "")
    if now and now != holder and alive(now):
        return now
    _change(conn, schema.incidents, schema.incidents.c.id == id, holder=holder)
    return ""


def let_go(conn: Connection, id: str, holder: str) -> None:
    """Give the incident up, if it is still held."""
    table = schema.incidents
    conn.execute(update(table).where(table.c.id == id, table.c.holder == holder).values(holder=""))


def join_alert(conn: Connection, dedupe_key: str, count: int, seen: datetime) -> str | None:
    """Return the incident that this finding already opened, its count updated; else None."""
    table = schema.alerts
    row = conn.execute(select(table).where(table.c.dedupe_key == dedupe_key)).one_or_none()
    if row is None:
        return None
    if count > row._mapping["count"]:
        where = table.c.dedupe_key == dedupe_key
        _change(conn, table, where, count=count, last_seen=seen.isoformat())
    return str(row.incident)


def add_alert(conn: Connection, dedupe_key: str, incident: str, count: int, at: datetime) -> None:
    """Record that this finding opened the incident."""
    conn.execute(
        insert(schema.alerts).values(
            dedupe_key=dedupe_key, incident=incident, count=count, last_seen=at.isoformat()
        )
    )


def add_step(
    conn: Connection, incident: str, intent: Intent, at: datetime, approval: str | None = None
) -> None:
    """Record a step that is about to touch the world."""
    conn.execute(
        insert(schema.steps).values(
            incident=incident,
            step=intent.step,
            action=intent.action,
            fields=dict(intent.fields),
            plan=plan_json(intent.plan),
            phase=intent.phase,
            mark=intent.mark,
            approval=approval,
            error="",
            intended=at.isoformat(),
        )
    )


def change_step(conn: Connection, incident: str, step: str, **values: Any) -> None:
    """Record what became of a step."""
    table = schema.steps
    _change(conn, table, (table.c.incident == incident) & (table.c.step == step), **values)


def steps(conn: Connection, incident: str) -> list[tuple[Intent, Mapping[str, Any]]]:
    """Return the incident's steps in order, each with its times and last error."""
    table = schema.steps
    query = select(table).where(table.c.incident == incident).order_by(table.c.number)
    return [(_intent(row), _story(row)) for row in conn.execute(query)]


def step(conn: Connection, incident: str, name: str) -> Intent | None:
    """Return one step, or None when it was never intended."""
    table = schema.steps
    where = (table.c.incident == incident) & (table.c.step == name)
    row = conn.execute(select(table).where(where)).one_or_none()
    return None if row is None else _intent(row)


def approval_of(conn: Connection, incident: str, step: str) -> str | None:
    """Return the question by which a step was allowed, or None."""
    table = schema.steps
    where = (table.c.incident == incident) & (table.c.step == step)
    return conn.scalar(select(table.c.approval).where(where))


def steps_allowed_by(conn: Connection, question: str) -> list[Intent]:
    """Return the steps that used this question's approval."""
    table = schema.steps
    query = select(table).where(table.c.approval == question).order_by(table.c.number)
    return [_intent(row) for row in conn.execute(query)]


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON; the order of its keys is kept, for they are written in that order."""
    return {
        "before": list(plan.before.items()),
        "wanted": list(plan.wanted.items()),
        "unseen": dict(plan.unseen),
        "blast": list(plan.blast),
        "lost": list(plan.lost),
    }


def _intent(row: Row[Any]) -> Intent:
    plan = row.plan
    return Intent(
        step=row.step,
        action=row.action,
        fields=row.fields,
        plan=Plan(
            before=dict(plan["before"]),
            wanted=dict(plan["wanted"]),
            unseen=plan["unseen"],
            blast=tuple(plan["blast"]),
            lost=tuple(plan["lost"]),
        ),
        phase=row.phase,
        mark=row.mark,
        result=row.result,
        verdict=row.verdict,
    )


def _story(row: Row[Any]) -> Mapping[str, Any]:
    return {"intended": row.intended, "finished": row.finished, "error": row.error}


def keep(conn: Connection, incident: str, step: str, value: Any) -> None:
    """Record a value that must be the same on re-entry."""
    conn.execute(insert(schema.kept).values(incident=incident, step=step, value=value))


def kept(conn: Connection, incident: str, step: str) -> Any:
    """Return the value recorded under this step, or None."""
    table = schema.kept
    where = (table.c.incident == incident) & (table.c.step == step)
    return conn.scalar(select(table.c.value).where(where))


def leave(conn: Connection, incident: str, step: str, why: Mapping[str, str]) -> None:
    """Record why a step was never intended, in place of an earlier reason."""
    table, key = schema.kept, f"left/{step}"
    conn.execute(delete(table).where(table.c.incident == incident, table.c.step == key))
    keep(conn, incident, key, dict(why))


def left(conn: Connection, incident: str) -> dict[str, Mapping[str, str]]:
    """Return step -> kind (needless, unfit or failed) and error, of steps never intended."""
    known = {intent.step for intent, _ in steps(conn, incident)}
    found = {
        key.removeprefix("left/"): value
        for key, value in all_kept(conn, incident)
        if key.startswith("left/")
    }
    return {step: why for step, why in found.items() if step not in known}


def all_kept(conn: Connection, incident: str) -> list[tuple[str, Any]]:
    """Return all recorded values of the incident, in order, each with its step."""
    table = schema.kept
    query = select(table.c.step, table.c.value).where(table.c.incident == incident)
    return [(row.step, row.value) for row in conn.execute(query.order_by(table.c.number))]


def add_question(conn: Connection, question: Question) -> Question:
    """Record a question and return it with its id."""
    table = schema.questions
    number = (conn.scalar(select(func.max(table.c.number))) or 0) + 1
    named = replace(question, id=f"Q-{number:04d}")
    conn.execute(
        insert(table).values(
            number=number,
            id=named.id,
            incident=named.incident,
            step=named.step,
            scopes=[dict(s) for s in named.scopes],
            about=dict(named.about),
            requester=named.requester,
            asked=named.asked.isoformat(),
            expires=named.expires.isoformat(),
            state=named.state,
        )
    )
    return named


def change_question(conn: Connection, id: str, **values: Any) -> None:
    """Record an answer to a question, or that it was used."""
    _change(conn, schema.questions, schema.questions.c.id == id, **values)


def questions(conn: Connection, incident: str | None = None) -> list[Question]:
    """Return the questions of one incident, or all, in the order they were asked."""
    table = schema.questions
    query = select(table).order_by(table.c.number)
    if incident is not None:
        query = query.where(table.c.incident == incident)
    return [_question(row) for row in conn.execute(query)]


def _question(row: Row[Any]) -> Question:
    return Question(
        id=row.id,
        incident=row.incident,
        step=row.step,
        scopes=tuple(row.scopes),
        about=row.about,
        requester=row.requester,
        asked=datetime.fromisoformat(row.asked),
        expires=datetime.fromisoformat(row.expires).astimezone(UTC),
        state=row.state,
        approver=row.approver,
        reason=row.reason,
        proof=row.proof,
    )


def _change(conn: Connection, table: Table, where: Any, **values: Any) -> None:
    changed = conn.execute(update(table).where(where).values(**values))
    if changed.rowcount != 1:
        raise UnknownIncidentError(f"nothing in {table.name} to record {sorted(values)} on.")
