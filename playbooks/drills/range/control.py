"""Control of a served world over HTTP, for its owner alone.

POST /_range/<what> with the header X-Range-Token and a JSON body. It exists only when the server
was started with a token (random, from `secrets`), and compares it in constant time.

    tick          {"seconds": 60}                                 -> {"now": "..."}
    inject        {"fault": "Throttle", "with": {...}, "operation": "...", "nth": 1, "times": 1}
    credentials   {"instance": "i-..."}                           -> access_key, secret_key, token
    digest        {}                                              -> {"digest": "..."}
    calls         {"from": 0}                                     -> {"calls": [...]}
    deliver       {"event": {...}, "queue": "arn:...", "rule": "arn:..."}  -> {"message": "..."}
    reach         {"source": "...", "instance": "i-...", "port": 443}  -> {"reaches": true}

Faults: Throttle, Delay, FailedCall, StaleRead, IgnoredWrite, HalfApplied, LateWrite,
RevertedWrite with their fields, and Kill with pid, signal and after.
"""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

from playbooks.drills.range import injectors
from playbooks.drills.range.errors import RangeError
from playbooks.drills.range.wire import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from playbooks.drills.range.world import World

PREFIX = "/_range/"
FAULTS: dict[str, Callable[..., injectors.Fault]] = {
    "Throttle": injectors.Throttle,
    "Delay": injectors.Delay,
    "FailedCall": injectors.FailedCall,
    "StaleRead": injectors.StaleRead,
    "IgnoredWrite": injectors.IgnoredWrite,
    "HalfApplied": injectors.HalfApplied,
    "LateWrite": injectors.LateWrite,
    "RevertedWrite": injectors.RevertedWrite,
    "Kill": injectors.kill,
}


def controlled(world: World, token: str) -> Callable[[dict[str, Any], Any], list[bytes]]:
    """A WSGI application that is the world plus its control. `token` must not be empty."""
    if not token:
        raise RangeError("a control token must not be empty; use secrets.token_urlsafe()")

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        what = str(environ.get("PATH_INFO", ""))
        if not what.startswith(PREFIX):
            return list(world(environ, start_response))
        answer = _answer(world, token, environ, what.removeprefix(PREFIX))
        start_response(f"{answer.status} -", list(answer.headers.items()))
        return [answer.body]

    return application


def _answer(world: World, token: str, environ: dict[str, Any], what: str) -> Answer:
    given = str(environ.get("HTTP_X_RANGE_TOKEN", ""))
    if not hmac.compare_digest(given.encode(), token.encode()):
        return _json(403, {"error": "the control token is missing or wrong"})
    if environ["REQUEST_METHOD"] != "POST" or what not in ORDERS:
        return _json(404, {"error": f"POST to one of {', '.join(ORDERS)}"})
    text = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        order = json.loads(text or b"{}")
        with world.front.lock:
            return _json(200, ORDERS[what](world, order))
    except (KeyError, TypeError, ValueError, RangeError) as wrong:
        return _json(400, {"error": f"{type(wrong).__name__}: {wrong}"})


def _json(status: int, value: Any) -> Answer:
    body = json.dumps(value).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return Answer(status, headers, body)


def _tick(world: World, order: dict[str, Any]) -> dict[str, Any]:
    world.tick(float(order["seconds"]))
    return {"now": world.now().isoformat()}


def _inject(world: World, order: dict[str, Any]) -> dict[str, Any]:
    fault = FAULTS[order["fault"]](**order.get("with", {}))
    world.inject(fault, order["operation"], int(order.get("nth", 1)), int(order.get("times", 1)))
    return {}


def _credentials(world: World, order: dict[str, Any]) -> dict[str, Any]:
    held = world.instance_credentials(order["instance"])
    return {
        "access_key": held.access_key,
        "secret_key": held.secret_key,
        "token": held.token,
    }


def _calls(world: World, order: dict[str, Any]) -> dict[str, Any]:
    return {
        "calls": [
            {
                "operation": call.operation,
                "service": call.service,
                "principal": call.principal.arn if call.principal else None,
                "at": call.at.isoformat(),
                "status": call.status,
                "error": call.error,
                "mutating": call.mutating,
            }
            for call in world.calls[int(order.get("from", 0)) :]
        ]
    }


def _deliver(world: World, order: dict[str, Any]) -> dict[str, Any]:
    return {"message": world.deliver(order["event"], order["queue"], order["rule"])}


def _reach(world: World, order: dict[str, Any]) -> dict[str, Any]:
    reaches = world.can_connect(order["source"], order["instance"], int(order["port"]))
    return {"reaches": reaches}


ORDERS: dict[str, Callable[[World, dict[str, Any]], dict[str, Any]]] = {
    "tick": _tick,
    "inject": _inject,
    "credentials": _credentials,
    "digest": lambda world, _: {"digest": world.digest()},
    "calls": _calls,
    "deliver": _deliver,
    "reach": _reach,
}
