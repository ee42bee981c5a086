"""A case worked on while the database cannot commit: what it records goes to the spool first.

Guard, journal and engine are the same as ever, over a store in memory; only the place where an
intent becomes durable differs. One-way acts are left, evidence is recorded as missed, and only
sealing fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from actions.action import Action, Lens, step_of
from actions.journal import Intent, Json, Plan
from playbooks.case import keeping, spool, store
from playbooks.case.answers import Approval, Done, Failed, Kept, Refusal
from playbooks.case.case import Case, Otherwise
from playbooks.case.journal import BY_ITSELF, Allowed, CaseJournal
from playbooks.case.record import Record
from playbooks.case.spool import Spool
from playbooks.case.store.memory import Within
from playbooks.errors import BusyError, StoppedError
from playbooks.wiring.settings import Settings

# What a statement of ours did wrong; with a healthy database too.
_OURS = (IntegrityError, ProgrammingError, DataError, NotSupportedError)


def cannot_commit(error: BaseException) -> bool:
    """Return whether the database is at fault: full, gone, locked, read-only, broken."""
    if isinstance(error, PoolTimeoutError):
        return True
    return isinstance(error, DBAPIError) and not isinstance(error, _OURS)


@dataclass(frozen=True, slots=True)
class Run:
    """One emergency run: its id (SPOOL-...), its incident's id in memory, and what it is about.

    `place` is account/region/id. All that is spooled for it names it.
    """

    id: str
    incident: str
    place: str
    spool: Spool
    now: Callable[[], datetime]

    def tell(self, what: str, *, spare: int = 0, **facts: Any) -> None:
        """Spool one record of this run. Raise SpoolError when it cannot be."""
        about = {"run": self.id, "incident": self.incident, "place": self.place}
        about |= {"at": self.now().isoformat(), "what": what}
        self.spool.append(about | facts, spare=spare)


@dataclass(frozen=True, slots=True)
class SpooledRecord(Record):
    """Notes an entry in the spool too, in the transaction of what it is about."""

    run: Run

    def note(
        self,
        conn: Connection,
        incident: str,
        kind: str,
        body: Mapping[str, Any],
        *,
        happened: datetime | None = None,
        actor: str = "",
    ) -> None:
        """Append the entry to the ledger in memory, and to the spool."""
        Record.note(self, conn, incident, kind, body, happened=happened, actor=actor)
        self.run.tell("note", kind=kind, body=dict(body), actor=actor or self.actor)


@dataclass(frozen=True, slots=True)
class SpooledJournal(CaseJournal):
    """Each record is in memory and in the spool when the call returns, or in neither."""

    run: Run = field(kw_only=True)

    def intend(
        self,
        step: str,
        action: str,
        fields: Mapping[str, Json],
        plan: Plan,
        allowed: Allowed = BY_ITSELF,
        **more: Any,
    ) -> Intent:
        """Record the step as about to happen; the world is touched after that."""

        def work(conn: Connection) -> Intent:
            intent = self._under(conn).intend(step, action, fields, plan, allowed, **more)
            told: dict[str, Any] = {"step": step, "action": action, "fields": dict(fields)}
            told |= {"plan": store.plan_json(intent.plan), "mark": intent.mark}
            told |= {"approval": allowed.by, "places": dict(allowed.places)}
            self.run.tell("intend", **told, play=self.play)
            return intent

        return self.store.commit(work)

    def done(self, step: str, result: Mapping[str, Json], verdict: str) -> None:
        """Record that the step is in effect."""

        def work(conn: Connection) -> None:
            self._under(conn).done(step, result, verdict)
            self.run.tell("done", step=step, result=dict(result), verdict=verdict)

        self.store.commit(work)

    def failed(self, step: str, error: str) -> None:
        """Record that the step could not be brought into effect."""

        def work(conn: Connection) -> None:
            self._under(conn).failed(step, error)
            self.run.tell("failed", step=step, error=error)

        self.store.commit(work)

    def undoing(self, step: str) -> None:
        """Refuse: undoing is riskier than containing, and waits for the database."""
        raise StoppedError(f"{step} is not undone while the database cannot commit; wait for it.")

    def _under(self, conn: Connection) -> CaseJournal:
        return CaseJournal(Within(conn), self.record, self.incident, self.play)


@dataclass
class SpooledCase(Case):
    """One incident while the database is away."""

    run: Run = field(kw_only=True)

    @property
    def record(self) -> Record:
        """Return the writer of entries: to the spool, and to the ledger at the import."""
        return SpooledRecord("stanch", self.parts.now, self.parts.random, self.run)

    @property
    def journal(self) -> CaseJournal:
        """Return the write-ahead journal: the spool."""
        # What the journal notes is noted again when it is imported, so it is not spooled twice.
        plain = Record("stanch", self.parts.now, self.parts.random)
        return SpooledJournal(self.store, plain, self.incident.id, self.play, run=self.run)

    async def act(
        self,
        action: Action[Any],
        approval: Approval | Refusal | None = None,
        *,
        otherwise: Otherwise = "continue",
        again: str = "",
    ) -> Done | Failed:
        """Do it when it has a way back; leave it for the play otherwise."""
        if isinstance(action, Lens):
            return await Case.act(self, action, approval, otherwise=otherwise, again=again)
        step = step_of(action, again)
        why = "it has no way back, and the database cannot commit; the play does it later"
        self._note("action.left", {"step": step, "why": why})
        return Failed(step, why)

    async def keep(self, source: Any, *, again: str = "") -> Kept:
        """Record it as missed: the play collects it once the ledger takes it."""
        step = keeping.step_of(source, again)
        missed = {"name": str(source.name), "call": "", "error": "the database cannot commit"}
        self._note("keep.missed", {"step": step, "missed": [missed]})
        return Kept(step, (), (missed,))

    async def seal(self, kind: str) -> None:
        """Refuse: what is not in the ledger cannot be signed."""
        raise StoppedError(
            f"{self.incident.id} is not sealed ({kind}): the database cannot commit. What is done "
            "is in the spool; it is imported and sealed when the database is back."
        )

    def _note(self, kind: str, body: Mapping[str, Any]) -> None:
        self.store.commit(lambda conn: self.record.note(conn, self.incident.id, kind, body))


def ready(settings: Settings, random: Callable[[int], bytes]) -> Spool:
    """Return this host's spool, made where there is none yet. Raise SpoolError when it cannot be.

    `random` gives so many random bytes.
    """
    path = settings.spool_path
    if not path.exists():
        spool.make(path, settings.spool.mebibytes << 20, random)
    return Spool(path)


def refuse_waiting(settings: Settings, place: str) -> None:
    """Raise BusyError while something about account/region/id waits in this host's spool."""
    held = Spool(settings.spool_path)
    if not held.path.exists() or held.empty():
        return
    if any(record.body.get("place") == place for record in held.read().records):
        raise BusyError(
            f"what was done to {place} while the database could not commit waits in the spool "
            f"{held.path} and is not imported yet; until it is, nothing else is done there. "
            "`stanch serve` and `stanch worker` import it; `stanch doctor` says what keeps them."
        )
