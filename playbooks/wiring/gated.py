"""Puts a gate before each request that would change the world; nothing is cached behind it."""

import re
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter

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
    client.meta.events.register("request-created", _pass_aws, unique_id="stanch-gate")
    return client


# Vault reads with POST and PUT too; and logging in is nothing that a freeze is about (Vault API
# docs: "/sys/leases", "Token auth method", "AppRole auth method", "/sys/audit-hash"). A secret of
# a KV engine may be called login as well, so only auth/ and sys/ count.
VAULT_READS = re.compile(
    r"/v1/((auth|sys)/.*/(lookup|lookup-self|lookup-accessor)|auth/.*/login(/[^/]+)?"
    r"|sys/audit-hash/.*)$"
)
# And it changes something with GET (Vault API docs: "PKI secrets engine", "Rotate CRLs").
VAULT_WRITES = re.compile(r"/crl/rotate(-delta)?$")


class GatedAdapter(HTTPAdapter):
    """Sends requests to a Vault; each that changes something passes the gate of whoever calls.

    A client's own retries go through here again, and so pass it again.
    """

    def send(self, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
        """Send the request once the gate let it pass."""
        path = (request.url or "").partition("?")[0]
        reads = request.method in ("GET", "LIST", "HEAD") or bool(VAULT_READS.search(path))
        if not reads or VAULT_WRITES.search(path):
            _pass(f"{request.method} {path.partition('/v1/')[2]}")
        return super().send(request, *args, **how)


def through(gate: Gate, work: Callable[[], T]) -> T:
    """Run the work in this thread; its mutating requests pass the gate, or raise what it raises."""
    token = _gate.set(gate)
    try:
        return work()
    finally:
        _gate.reset(token)


def _pass(operation: str) -> None:
    gate = _gate.get()
    if gate is not None:
        gate(operation)


def _pass_aws(operation_name: str, **_: Any) -> None:
    if mutating(operation_name):
        _pass(operation_name)
