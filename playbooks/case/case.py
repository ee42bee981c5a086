"""What a play is handed: the target, and the verbs act, keep, ask, tell, seal, together."""

import asyncio
import contextvars
import hashlib
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

from sqlalchemy import Connection

from actions.action import Action, step_of
from actions.aws.clients import Aws
from actions.aws.instance import Instance
from actions.aws.principal import Principal
from actions.engine import Steps
from actions.vault.clients import Vault
from playbooks.case import (
    acting,
    asking,
    branches,
    keeping,
    sealing,
    store,
    telling,
)
from playbooks.case.answers import Approval, Done, Failed, Kept, Refusal
from playbooks.case.gate import Gate
from playbooks.case.holding import LeasedStore
from playbooks.case.incident import Incident
from playbooks.case.journal import CaseJournal
from playbooks.case.record import Record
from playbooks.case.residual import residual, status
from playbooks.case.store import Store
from playbooks.case.subject import subject
from playbooks.errors import PlaybookError, RefusedError
from playbooks.latch.probe import Canary, Sighting
from playbooks.wiring import logs
from playbooks.wiring.gated import through
from playbooks.wiring.parts import Parts

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
T = TypeVar("T")
Otherwise = Literal["continue", "stop", "ask"]
Step = Callable[[str, Callable[[], Awaitable[Any]]], Awaitable[Any]]


async def plain(name: str, thunk: Callable[[], Awaitable[Any]]) -> Any:
    """Run a verb as it is; `shown.py` runs it as a Prefect task instead."""
    return await thunk()


@dataclass
class Case:
    """One incident being worked on. Verbs return the journalled value on re-entry."""

    parts: Parts
    store: Store
    incident: Incident
    body: Callable[["Case"], Awaitable[None]]
    play: str = ""
    step: Step = plain
    dry: bool = False
    planned: list[acting.Planned] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    # Steps that a freeze kept from being done in this entry.
    frozen: list[str] = field(default_factory=list)
    # When the play wants to be entered again.
    timers: set[datetime] = field(default_factory=set)
    # A session of the canary role and what it could do before the deny; of this entry alone.
    canary: tuple[Canary, Sighting] | None = field(default=None, repr=False)
    gate: Gate = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Set up the gate that each mutating call passes."""
        lease = self.store.lease if isinstance(self.store, LeasedStore) else None
        self.gate = Gate(self.store, self.place, lease, self.parts.now)

    @property
    def place(self) -> str:
        """Return the AWS account, or the Vault's name, that the incident is about."""
        return self.incident.target["account"]

    @property
    def region(self) -> str:
        """Return the incident's region; of what has none, the account's first."""
        region = self.incident.target["region"]
        return self.parts.aws(self.place, region).region

    @property
    def target(self) -> Instance:
        """Return the host that the incident is about. Raise RefusedError where it is none."""
        self._must_be("instance")
        target = self.incident.target
        return Instance(target["account"], target["region"], target["id"])

    @property
    def principal(self) -> Principal:
        """Return the user or role that the incident is about. Raise RefusedError on others."""
        self._must_be("user", "role")
        kind, _, name = self.incident.target["id"].partition("/")
        return Principal(self.place, "role" if kind == "role" else "user", name)

    def _must_be(self, *kinds: str) -> None:
        if (kind := self.incident.kind) not in kinds:
            raise RefusedError(
                f"{self.play} acts on {' or '.join(kinds)}, and {self.incident.id} is about "
                f"{kind} {self.incident.target['id']!r}. Open an incident for what is to be acted "
                "on: `stanch open`."
            )

    def provider(self, action: Action[Any]) -> Aws | Vault:
        """Return where the act happens, by its target; a freeze there binds from then on."""
        self.gate.watch(action.target.partition("/")[0])
        return self.parts.provider(action.target)

    @property
    def stakeholders(self) -> tuple[str, ...]:
        """Return who is told."""
        return self.parts.settings.stakeholders

    @property
    def residual(self) -> tuple[str, ...]:
        """Return what the attacker may still have, worst first."""
        return self.store.read(self.open_now)

    def open_now(self, conn: Connection) -> tuple[str, ...]:
        """Return the residual exposure as this connection sees it."""
        steps = [intent for intent, _ in store.steps(conn, self.incident.id)]
        own = subject(conn, self.incident)
        return residual(steps, store.left(conn, self.incident.id), self.incident.play, own)

    @property
    def contained(self) -> bool:
        """Return whether the target is cut off and its credentials denied, both read back."""
        return self.store.read(self._contained)

    def _contained(self, conn: Connection) -> bool:
        steps = [intent for intent, _ in store.steps(conn, self.incident.id)]
        left = store.left(conn, self.incident.id)
        return status(steps, left, self.incident.play, subject(conn, self.incident)).startswith(
            "contained"
        )

    @property
    def keep_ssm(self) -> bool:
        """Return whether the team wants the management agent to stay reachable."""
        return self.parts.settings.keep_ssm

    @property
    def first_sign(self) -> datetime:
        """Return when the finding was first seen; when the incident was opened, where none was."""
        seen = self.incident.alert.get("finding_info", {}).get("first_seen_time_dt")
        return datetime.fromisoformat(seen) if seen else self.incident.opened

    @property
    def since(self) -> datetime:
        """Return from when on the attacker is looked for: the first sign, or an hour of doubt.

        Whoever opens an incident by hand, and names no time, knows of it later than it began.
        """
        return self.first_sign if self.sign_known else self.first_sign - timedelta(hours=1)

    @property
    def sign_known(self) -> bool:
        """Return whether an alert, or whoever opened the incident, says when it began."""
        return "first_seen_time_dt" in self.incident.alert.get("finding_info", {})

    @property
    def window(self) -> tuple[datetime, datetime]:
        """Return the time to look at: from an hour before the first sign to a day after opening."""
        return self.first_sign - timedelta(hours=1), self.incident.opened + timedelta(days=1)

    def due(self, after: timedelta, what: str) -> bool:
        """Return whether so much time has passed since opening; else note the follow-up."""
        at = self.incident.opened + after
        if self.dry or self.clock() >= at:
            return True
        id, step = self.incident.id, f"due/{what}"
        self.timers.add(at)
        if self.store.read(lambda conn: store.kept(conn, id, step)) is None:
            self.store.commit(lambda conn: self._follow_up(conn, step, at))
        return False

    def _follow_up(self, conn: Connection, step: str, at: datetime) -> None:
        store.keep(conn, self.incident.id, step, {"at": at.isoformat()})
        store.add_timer(conn, self.incident.id, at)
        body = {"step": step, "at": at.isoformat()}
        self.record.note(conn, self.incident.id, "follow-up.noted", body)

    def clock(self) -> datetime:
        """Return the time by which timers and expiry are measured, aware UTC."""
        return self.store.read(lambda conn: store.clock(conn, self.parts.now))

    async def quiet(self) -> None:
        """Wait until no process that lost this incident can still be in the middle of a call.

        For what is not the same when it is done twice: undoing, and one-way acts.
        """
        lease = self.store.lease if isinstance(self.store, LeasedStore) else None
        # Taken after it had run out, so no longer than a call is left, wherever the clock goes.
        left = store.CALL.total_seconds()
        while lease and lease.quiet_from and (now := self.clock()) < lease.quiet_from and left > 0:
            pause = min((lease.quiet_from - now).total_seconds(), 1.0)
            await self.parts.sleep(pause)
            left -= pause

    @property
    def code(self) -> str:
        """Return SHA-256, in hex, of the file that the play was read from."""
        return hashlib.sha256(Path(inspect.getfile(self.body)).read_bytes()).hexdigest()

    @property
    def record(self) -> Record:
        """Return the writer of ledger entries."""
        return Record("stanch", self.parts.now, self.parts.random)

    @property
    def journal(self) -> CaseJournal:
        """Return the write-ahead journal."""
        return CaseJournal(self.store, self.record, self.incident.id, self.play)

    async def act(
        self,
        action: Action[Any],
        approval: Approval | Refusal | None = None,
        *,
        otherwise: Otherwise = "continue",
        again: str = "",
    ) -> Done | Failed:
        """Do it, guarded and journalled. `otherwise` says what to do when it fails."""
        name = step_of(action, again)
        done: Done | Failed = await self._verb(
            name, lambda: acting.act(self, action, name, approval, otherwise)
        )
        return done

    async def keep(self, source: Any, *, again: str = "") -> Kept:
        """Collect evidence into the locker. What fails is recorded as missed, never raised."""
        name = keeping.step_of(source, again)
        kept: Kept = await self._verb(name, lambda: keeping.keep(self, source, name))
        return kept

    async def ask(
        self, action: Action[Any], *, about: Kept | None = None, again: str = ""
    ) -> Approval | Refusal:
        """Ask a person whether the act may happen; without an answer the play waits."""
        name = "ask/" + step_of(action, again)
        answer: Approval | Refusal = await self._verb(
            name, lambda: asking.ask(self, action, name, about)
        )
        return answer

    async def tell(self, whom: tuple[str, ...], what: str, **facts: Any) -> None:
        """Tell people, at least once."""
        await self._verb(f"tell/{what}", lambda: telling.tell(self, whom, what, facts))

    async def seal(self, kind: str) -> None:
        """Sign a checkpoint over everything so far."""
        await self._verb(f"seal/{kind}", lambda: sealing.seal(self, kind))

    @overload
    async def together(
        self, one: Coroutine[Any, Any, A], two: Coroutine[Any, Any, B], /
    ) -> tuple[A, B]: ...

    @overload
    async def together(
        self,
        one: Coroutine[Any, Any, A],
        two: Coroutine[Any, Any, B],
        three: Coroutine[Any, Any, C],
        /,
    ) -> tuple[A, B, C]: ...

    @overload
    async def together(self, *many: Coroutine[Any, Any, T]) -> list[T]: ...

    async def together(self, *many: Coroutine[Any, Any, Any]) -> Any:
        """Run branches to their end; only then raise what waits, so nothing hides behind it."""
        return await branches.together(*many)

    async def in_turn(
        self, first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B], /
    ) -> tuple[A, B]:
        """Run both to their end as `together` does; the second begins once the first waits.

        So nothing competes with what is most urgent, here and in the other incidents at work, and
        no read-back of it delays what follows.
        """
        return await branches.in_turn(first, second, self.parts.urgent)

    def now(self) -> datetime:
        """Return the time at which this case was opened for this play; the same on re-entry."""
        return self.incident.opened

    async def drive(self, steps: Steps[T]) -> T:
        """Run the engine's generator: calls in the pool, waits here."""
        while True:
            end, value = await self.call(lambda: _next(steps))
            if end:
                return value  # type: ignore[no-any-return]
            if waits := branches.waits.get():
                waits()
                await self.parts.urgent.over()
            await self.parts.sleep(value)

    async def call(self, work: Callable[[], T]) -> T:
        """Run blocking work in the pool, or inline where there is none; mind the gate."""
        if self.parts.pool is None:
            return through(self._pass, work)
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self.parts.pool, lambda: context.run(through, self._pass, work)
        )

    def _pass(self, operation: str) -> None:
        try:
            self.gate(operation)
        except PlaybookError as error:
            self.parts.metrics.stopped(type(error).__name__)
            raise

    async def _verb(self, name: str, thunk: Callable[[], Awaitable[Any]]) -> Any:
        self.named.add(name)
        with logs.about(incident=self.incident.id, entry=self.incident.entry, step=name):
            return await self.step(name, lambda: branches.whole(thunk))


def _next(steps: Steps[Any]) -> tuple[bool, Any]:
    try:
        return False, next(steps)
    except StopIteration as stop:
        return True, stop.value
