"""Makes a play: a Prefect flow that takes an incident's id and enters the play for it.

The one composition root. A flow run is only a view of one entry; the journal is the truth.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, overload

from prefect import Flow, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import FlowRunCreate
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.events.worker import EventsWorker
from prefect.flow_engine import run_flow
from prefect.states import Completed, Failed, Pending, to_state_create

from playbooks.case import store
from playbooks.case.case import Step, plain
from playbooks.case.enter import Body, Ending, enter
from playbooks.case.shown import showing
from playbooks.case.store import Store
from playbooks.errors import BusyError, FrozenError, PlaybookError, UnshownError
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import load

Play = Flow[[str], Any]
Entering = Callable[[Step], Awaitable[Ending]]


@overload
def play(body: Body, /) -> Play: ...


@overload
def play(*, reflex: Body) -> Callable[[Body], Play]: ...


def play(body: Body | None = None, /, *, reflex: Body | None = None) -> Any:
    """Return the flow for a play; the play's own function is `body_of(flow)`.

    `reflex` is the beginning of the play, which the play itself awaits: what a responder may run
    alone, at once, where the incident is pre-approved.
    """
    if body is None:
        return lambda body: _made(body, reflex)
    return _made(body, reflex)


def _made(body: Body, reflex: Body | None) -> Play:
    name = body.__name__.replace("_", "-")

    async def entry(incident_id: str) -> State[Any]:
        if shown := _shown.get():
            return await shown.body()
        parts = assemble(load())
        step = showing() if FlowRunContext.get() else plain
        try:
            ending = await enter(parts, Store(parts.engine), incident_id, body, name, step=step)
        except BusyError:
            return Completed(name="Already running")
        except FrozenError as error:
            return Completed(name="Frozen", message=str(error))
        return Completed(name=ending.state, message=ending.says or ending.status)

    entry.__doc__ = body.__doc__
    entry.__name__ = body.__name__
    entry.__module__ = body.__module__
    entry.__qualname__ = body.__name__
    entry.body = body  # type: ignore[attr-defined]
    entry.reflex = reflex  # type: ignore[attr-defined]
    return flow(name=name, persist_result=False, retries=0, validate_parameters=False)(entry)


def scheduled(name: str) -> Flow[[], Any]:
    """Return a flow that enters what is due, each incident once: for where no responder stays."""

    async def entry() -> State[Any]:
        parts = assemble(load())
        db = Store(parts.engine)
        now = db.read(lambda conn: store.clock(conn, parts.now))
        due = db.read(lambda conn: store.due_work(conn, now))
        ended = [await _entered(parts, db, incident) for incident in {w.incident: 1 for w in due}]
        return Completed(message="; ".join(ended) or "nothing was due")

    return flow(name=name, persist_result=False, retries=0, validate_parameters=False)(entry)


async def _entered(parts: Parts, db: Store, incident_id: str) -> str:
    play = db.read(lambda conn: store.incident(conn, incident_id)).play
    if not play:
        return f"{incident_id}: no play answers it"
    made: Play = getattr(import_module(f"playbooks.{play}"), play)
    try:
        ending = await enter(parts, db, incident_id, body_of(made), made.name, due=True)
    except PlaybookError as error:
        return f"{incident_id}: {error}"
    except Exception as error:
        # It stays due; what broke it must not keep the others waiting.
        return f"{incident_id}: broke off: {type(error).__name__}"
    return f"{incident_id}: {ending.state}"


def body_of(made: Play) -> Body:
    """Return the play's own function, which takes a case."""
    return made.fn.body  # type: ignore[attr-defined,no-any-return]


def reflex_of(made: Play) -> Body | None:
    """Return the beginning of the play that may run alone, or None where it names none."""
    return made.fn.reflex  # type: ignore[attr-defined,no-any-return]


@dataclass
class _Shown:
    """One entry that a flow run of this process shows. It begins once, or is given up before."""

    entering: Entering
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: bool = False
    task: "asyncio.Task[Ending] | None" = None

    async def body(self) -> State[Any]:
        """Enter the play, and tell Prefect how it ended but not what broke it: it stores that."""
        if self.given_up:
            return Failed(name="Unshown", message="accepted too late; the play ran without it")
        self.task = asyncio.ensure_future(_awaited(self.entering(showing())))
        self.begun.set()
        await asyncio.wait({self.task})
        if self.task.cancelled():
            return Failed(name="Cancelled")
        if error := self.task.exception():
            return Failed(name="Crashed", message=type(error).__name__)
        ending = self.task.result()
        return Completed(name=ending.state, message=ending.says or ending.status)


async def _awaited(entering: Awaitable[Ending]) -> Ending:
    return await entering


# The entry that a flow run of this process is to show: a flow's parameters are plain values.
_shown: ContextVar[_Shown | None] = ContextVar("shown", default=None)


async def show(
    made: Play, incident_id: str, entry: int, entering: Entering, *, patience: float, linger: float
) -> Ending:
    """Run one entry of a play as a flow run in this process, once a key, and return its ending.

    The idempotency key is incident:play:entry; the same key would return the finished run, so
    each entry has its own number. Raises UnshownError when the play's body has not begun within
    `patience` seconds; then it never begins. Once it has, it goes on whatever becomes of Prefect,
    which is given `linger` seconds to take the end of it; what it raises comes out as it is.
    """
    shown = _Shown(entering)
    token = _shown.set(shown)
    try:
        run = asyncio.ensure_future(_tried(_flow_run(made, incident_id, entry)))
    finally:
        _shown.reset(token)
    task = None
    try:
        task = await _begun(shown, run, patience)
    finally:
        if task is None:
            shown.given_up = True
            run.cancel()
    try:
        return await task
    finally:
        await asyncio.wait({run}, timeout=linger)
        run.cancel()


async def _begun(
    shown: _Shown, run: "asyncio.Future[Exception | None]", patience: float
) -> "asyncio.Task[Ending]":
    """Return the entry once it runs, in this turn of the loop; else raise UnshownError."""
    waiting = asyncio.ensure_future(shown.begun.wait())
    either: set[asyncio.Future[Any]] = {waiting, run}
    try:
        await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        if shown.task is not None:
            shown.task.cancel()
            await asyncio.wait({shown.task})
        raise
    finally:
        waiting.cancel()
    if shown.task is not None:
        return shown.task
    error = run.result() if run.done() and not run.cancelled() else None
    why = type(error).__name__ if error else f"it took more than {patience:g} s"
    raise UnshownError(f"Prefect did not run it: {why}") from error


async def _tried(flow_run: Awaitable[None]) -> Exception | None:
    """Return what Prefect raised: nobody may be there any more to take it."""
    try:
        await flow_run
    except Exception as error:
        return error
    return None


async def _flow_run(made: Play, incident_id: str, entry: int) -> None:
    async with get_client() as client:
        create = FlowRunCreate(
            flow_id=await client.create_flow(made),
            name=f"{incident_id}-{entry}",
            parameters={"incident_id": incident_id},
            state=to_state_create(Pending()),
            idempotency_key=f"{incident_id}:{made.name}:{entry}",
        )
        answer = await client._client.post(
            "/flow_runs/", json=create.model_dump(mode="json", exclude_unset=True)
        )
        run = FlowRun.model_validate(answer.json())
    await run_flow(  # type: ignore[misc]
        made, flow_run=run, parameters={"incident_id": incident_id}, return_type="state"
    )


async def drained(seconds: float) -> None:
    """Let Prefect deliver what it has to tell, before this process ends.

    At exit it tries for ten seconds to deliver each event that its server, which ends with us, no
    longer takes (prefect.events.clients, reconnection_attempts): minutes for a play.
    """
    draining: Any = EventsWorker.drain_all(timeout=seconds)
    await draining
