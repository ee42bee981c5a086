"""What can go wrong between hvac and a Vault, on order: lies, delays, failures."""

import copy
import json
from dataclasses import dataclass, field
from typing import Any, cast

from playbooks.drills.range.vault.front import Answer
from playbooks.drills.range.vault.world import VaultWorld

Environ = dict[str, Any]


@dataclass
class Faults:
    """Stands between a client and a world. `order` names a fault, an operation and its nth call.

    A fault is one of ignored, half, late, reverted, stale, failed, lost, echoed, throttled; what
    `half` cuts is each list of the body.
    """

    world: VaultWorld
    fault: str = ""
    operation: str = ""
    nth: int = 0
    seen: int = 0
    stale: tuple[Any, int] | None = None
    revert: tuple[Any, int] | None = None
    late: list[tuple[int, Environ]] = field(default_factory=list)

    def order(self, fault: str, operation: str, nth: int) -> None:
        self.fault, self.operation, self.nth, self.seen = fault, operation, nth, 0

    def answer(self, operation: str, changes: bool, environ: Environ) -> Answer:
        """Answer one request, with what earlier faults left to be done first."""
        self._due(changes)
        if operation == self.operation:
            self.seen += 1
            if self.seen == self.nth:
                return cast("Answer", getattr(self, f"_{self.fault}")(environ))
        if not changes and self.stale:
            kept, left = self.stale
            self.stale = (kept, left - 1) if left > 1 else None
            return self._aside(environ, kept)
        return self.world.handle(environ)

    def _due(self, changes: bool) -> None:
        waiting, self.late = self.late, []
        for calls, environ in waiting:
            if calls:
                self.late.append((calls - 1, environ))
            else:
                self.world.handle(environ)
        if self.revert:
            kept, reads = self.revert
            if changes or reads == 0:
                self.world.core, self.revert = kept, None
            else:
                self.revert = (kept, reads - 1)

    def _aside(self, environ: Environ, core: Any) -> Answer:
        """Answer from another state, and leave the world as it is."""
        living, self.world.core = self.world.core, core
        try:
            return self.world.handle(environ)
        finally:
            self.world.core = living

    def _ignored(self, environ: Environ) -> Answer:
        return self._aside(environ, copy.deepcopy(self.world.core))

    def _half(self, environ: Environ) -> Answer:
        body = json.loads(environ["wsgi.input"].getvalue() or b"{}")
        cut = {
            k: v[: len(v) // 2] if isinstance(v, list) and len(v) > 1 else v
            for k, v in body.items()
        }
        if cut == body:
            return self._ignored(environ)
        return self.world.handle(again(environ, json.dumps(cut).encode()))

    def _late(self, environ: Environ) -> Answer:
        self.late.append((6, again(environ)))
        return self._ignored(environ)

    def _reverted(self, environ: Environ) -> Answer:
        self.revert = (copy.deepcopy(self.world.core), 1)
        return self.world.handle(environ)

    def _stale(self, environ: Environ) -> Answer:
        self.stale = (copy.deepcopy(self.world.core), 6)
        return self.world.handle(environ)

    def _failed(self, environ: Environ) -> Answer:
        return refusal(500, "internal error")

    def _lost(self, environ: Environ) -> Answer:
        self.world.handle(environ)
        return refusal(500, "internal error")

    def _echoed(self, environ: Environ) -> Answer:
        """Refuse, and quote what was asked."""
        return refusal(400, environ["wsgi.input"].getvalue().decode())

    def _throttled(self, environ: Environ) -> Answer:
        return refusal(429, "request path rate limit quota exceeded")


def again(environ: Environ, body: bytes | None = None) -> Environ:
    """Return the same request once more, or with another body."""
    raw = environ["wsgi.input"].getvalue() if body is None else body
    return environ | {
        "wsgi.input": type(environ["wsgi.input"])(raw),
        "CONTENT_LENGTH": str(len(raw)),
    }


def refusal(status: int, message: str) -> Answer:
    body = json.dumps({"errors": [message]}).encode()
    return Answer(status, {"Content-Type": "application/json"}, body)
