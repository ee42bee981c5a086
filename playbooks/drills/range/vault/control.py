"""Control of a served Vault over HTTP, for its owner alone.

POST /_range/<what> with the header X-Range-Token and a JSON body. It exists only when the server
was started with a token (random, from `secrets`), and compares it in constant time.

    tick      {"seconds": 60}                                       -> {"now": 1790000000.0}
    inject    {"fault": "Refuse", "with": {"status": 503}, "method": "POST", "path": "sys/*",
               "nth": 1, "times": 1}                                -> {}
    digest    {}                                                    -> {"digest": "..."}
    calls     {"from": 0}                                           -> {"calls": [...]}
    audit     {"device": "file", "from": 0}                         -> {"lines": ["...", ...]}
    log_in    {"url": "postgresql://...", "name": "...", "password": "..."}  -> {"in": true}
    database  {"url": "postgresql://...", "down": true}             -> {}
    throttle  {"capacity": 10, "refill": 1}                         -> {}

Faults: Refuse and Ignore with their fields.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.vault import faults
from playbooks.drills.range.vault.front import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from playbooks.drills.range.vault.world import VaultWorld

PREFIX = "/_range/"
FAULTS: dict[str, Callable[..., faults.Fault]] = {
    "Refuse": faults.Refuse,
    "Ignore": faults.Ignore,
}


def answer(world: VaultWorld, token: str, environ: dict[str, Any]) -> Answer | None:
    """Do one order; None for a request that is none. `token` is the owner's, and not empty."""
    what = str(environ.get("PATH_INFO", ""))
    if not what.startswith(PREFIX):
        return None
    what = what.removeprefix(PREFIX)
    given = str(environ.get("HTTP_X_RANGE_TOKEN", ""))
    if not hmac.compare_digest(given.encode(), token.encode()):
        return _json(403, {"error": "the control token is missing or wrong"})
    if environ["REQUEST_METHOD"] != "POST" or what not in ORDERS:
        return _json(404, {"error": f"POST to one of {', '.join(ORDERS)}"})
    text = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        return _json(200, ORDERS[what](world, json.loads(text or b"{}")))
    except (KeyError, TypeError, ValueError) as wrong:
        return _json(400, {"error": f"{type(wrong).__name__}: {wrong}"})


def _json(status: int, value: Any) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(value).encode())


def _tick(world: VaultWorld, order: dict[str, Any]) -> dict[str, Any]:
    world.tick(float(order["seconds"]))
    return {"now": world.seconds()}


def _inject(world: VaultWorld, order: dict[str, Any]) -> dict[str, Any]:
    fault = FAULTS[order["fault"]](**order.get("with", {}))
    where = (order.get("method", "*"), order.get("path", "*"))
    world.inject(fault, *where, int(order.get("nth", 1)), int(order.get("times", 1)))
    return {}


def _database(world: VaultWorld, order: dict[str, Any]) -> dict[str, Any]:
    world.database(order["url"]).down = bool(order["down"])
    return {}


def _log_in(world: VaultWorld, order: dict[str, Any]) -> dict[str, Any]:
    return {"in": world.database(order["url"]).log_in(order["name"], order["password"])}


def _throttle(world: VaultWorld, order: dict[str, Any]) -> dict[str, Any]:
    world.throttle_aws(float(order["capacity"]), float(order["refill"]))
    return {}


ORDERS: dict[str, Callable[[VaultWorld, dict[str, Any]], dict[str, Any]]] = {
    "tick": _tick,
    "inject": _inject,
    "digest": lambda world, _: {"digest": world.digest()},
    "calls": lambda world, order: {
        "calls": [asdict(call) for call in world.calls[int(order.get("from", 0)) :]]
    },
    "audit": lambda world, order: {
        "lines": world.audit_lines(order["device"])[int(order.get("from", 0)) :]
    },
    "log_in": _log_in,
    "database": _database,
    "throttle": _throttle,
}
