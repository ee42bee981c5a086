"""Makes a play: a Prefect flow that takes an incident's id and enters the play for it.

The one composition root. A flow run is only a view of one entry; the journal is the truth.
"""

import asyncio
from typing import Any

from prefect import Flow, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import FlowRunCreate
from prefect.client.schemas.objects import FlowRun, State
from prefect.context import FlowRunContext
from prefect.events.worker import EventsWorker
from prefect.flow_engine import run_flow
from prefect.states import Completed, Pending, to_state_create

from playbooks.case.case import plain
from playbooks.case.enter import Body, Ending, enter
from playbooks.case.shown import shown
from playbooks.case.store import Store
from playbooks.errors import BusyError, StoppedError
from playbooks.wiring.parts import assemble
from playbooks.wiring.settings import load

Play = Flow[[str], Any]


def play(body: Body) -> Play:
    """Return the flow for a play; the play's own function is `body_of(flow)`."""
    name = body.__name__.replace("_", "-")

    async def entry(incident_id: str) -> State[Any]:
        parts = assemble(load())
        step = shown if FlowRunContext.get() else plain
        try:
            ending = await enter(parts, Store(parts.engine), incident_id, body, name, step=step)
        except BusyError:
            return Completed(name="Already running")
        return Completed(name=ending.state, message=ending.says or ending.status)

    entry.__doc__ = body.__doc__
    entry.__name__ = body.__name__
    entry.__module__ = body.__module__
    entry.__qualname__ = body.__name__
    entry.body = body  # type: ignore[attr-defined]
    return flow(name=name, persist_result=False, retries=0, validate_parameters=False)(entry)


def body_of(made: Play) -> Body:
    """Return the play's own function, which takes a case."""
    return made.fn.body  # type: ignore[attr-defined,no-any-return]


async def show(made: Play, incident_id: str, entry: int, patience: float) -> State[Any]:
    """Run one entry of a play as a flow run in this process, once a key.

    The idempotency key is incident:play:entry; the same key would return the finished run, so
    each entry has its own number. Raise TimeoutError when Prefect has not accepted the run within
    `patience` seconds; nothing has run then.
    """
    async with asyncio.timeout(patience), get_client() as client:
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
    ended: Any = await run_flow(  # type: ignore[misc]
        made, flow_run=run, parameters={"incident_id": incident_id}, return_type="state"
    )
    # At exit Prefect tries for ten seconds to deliver each event that its server, which ends with
    # us, no longer takes (prefect.events.clients, reconnection_attempts): minutes for a play.
    drained: Any = EventsWorker.drain_all(timeout=10)
    await drained
    return ended  # type: ignore[no-any-return]


def ending(state: State[Any]) -> Ending:
    """Return a flow run's final state as an ending. Raise StoppedError when it crashed."""
    if not state.is_completed():
        raise StoppedError(
            f"the play ended {state.name}: {state.message}. What was done is recorded; "
            "enter it again with `stanch resume`."
        )
    return Ending(str(state.name), str(state.message or ""))
