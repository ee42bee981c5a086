"""A simulated Vault with a small site, one action arranged on it, and Stanch logged in to it."""

import functools
import json
import random
from dataclasses import dataclass, field
from typing import Any

import hvac

from actions.vault.clients import Vault
from playbooks.drills.range.vault import inprocess
from playbooks.drills.range.vault.world import URL, VaultWorld
from tests.actions.scene import Scene, mutates
from tests.actions.vault import site
from tests.actions.vault.faults import Faults


@dataclass
class VaultScene(Scene):
    """A scene whose world is a Vault. An operation is a method and a path."""

    faults: Faults = field(init=False)

    def __post_init__(self) -> None:
        self.faults = Faults(self.world)

    def provider(self, credentials: Any) -> Any:
        """Return a provider for this token that reports its calls to this scene."""
        session = inprocess.session(self._handle, URL, "127.0.0.1")
        chance = random.Random(11)
        return Vault(
            site.NAME,
            lambda: hvac.Client(url=URL, token=credentials, session=session),
            lambda n: f"{chance.getrandbits(8 * n):x}",
        )

    def inject(self, fault: str, operation: str, nth: int) -> None:
        self.faults.order(fault, operation, nth)

    def idle(self) -> None:
        self.p.client.sys.is_sealed()

    def _handle(self, environ: dict[str, Any]) -> Any:
        method = environ["REQUEST_METHOD"].upper().replace("PUT", "POST")
        operation = f"{method} {environ['PATH_INFO'].removeprefix('/v1/')}"
        body = json.loads(environ["wsgi.input"].getvalue() or b"{}")
        self.seen.append(("vault", operation, body))
        answer = self.faults.answer(operation, mutates(operation), environ)
        self.after_call(operation)
        return answer


@functools.cache
def _built() -> list[VaultScene]:
    return []


def floor() -> VaultScene:
    """Return the Vault that all tests of this process start from."""
    built = _built()
    if not built:
        world = VaultWorld(seed=7, clock=lambda: 1_790_000_000.0)
        found = VaultScene(world, site.build(world), None, None)
        found.p = found.provider(found.estate.stanch)
        built.append(found)
    return built[0]
