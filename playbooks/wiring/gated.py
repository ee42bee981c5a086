"""Puts a gate before each request that would change the world; nothing is cached behind it."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
Gate = Callable[[str], None]

READS = ("Describe", "Get", "List", "Lookup", "Assume")

_gate: ContextVar[Gate | None] = ContextVar("gate", default=None)


def mutating(operation: str) -> bool:
    """Return whether an AWS operation, such as RunInstances, changes anything, by its name."""
    return not operation.startswith(READS)


def gated(client: Any) -> Any:
    """Return the boto3 client; each request it sends passes the gate of whoever calls.

    request-created comes before each attempt, and so before a retry too; before-call would come
    once, and a client may retry for a minute (boto3 guide, "Extensibility guide"). A client that
    is used outside of `through` has no gate.
    """
    client.meta.events.register("request-created", _pass, unique_id="stanch-gate")
    return client


def through(gate: Gate, work: Callable[[], T]) -> T:
    """Run the work in this thread; its mutating requests pass the gate, or raise what it raises."""
    token = _gate.set(gate)
    try:
        return work()
    finally:
        _gate.reset(token)


def _pass(operation_name: str, **_: Any) -> None:
    gate = _gate.get()
    if gate is not None and mutating(operation_name):
        gate(operation_name)
