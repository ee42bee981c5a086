"""A range with a small site, one action arranged on it, and everything it needs.

`arrange(world, estate) -> action` stands in the action's own test file, found by its name; the
estate is the site. The site takes a second to build, so it is built once and each test runs in
a fork, which owns a copy of the world.
"""

import functools
import gc
import importlib
import os
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import pytest
from botocore.config import Config

from actions.action import Action, Lens, fields_of, name_of, step_of
from actions.aws.clients import Aws
from actions.catalogue import catalogue
from actions.engine import Applied, Steps, apply, rollback
from actions.journal import Intent, Json
from actions.one_way import OneWay, do_once, foresee
from playbooks.drills.range.injectors import (
    FailedCall,
    Fault,
    HalfApplied,
    IgnoredWrite,
    LateWrite,
    RevertedWrite,
    StaleRead,
    Throttle,
)
from playbooks.drills.range.keys import Credentials
from playbooks.drills.range.world import World
from tests.actions.aws import site
from tests.actions.aws.site import Site
from tests.actions.driver import run
from tests.actions.memory_journal import MemoryJournal

# The driver waits, on the range's clock; botocore must not sleep on its own.
ONCE = Config(retries={"total_max_attempts": 1})

FAULTS: dict[str, Fault] = {
    "ignored": IgnoredWrite(),
    "half": HalfApplied(),
    "late": LateWrite(calls=6),
    "reverted": RevertedWrite(reads=1),
    "stale": StaleRead(reads=6),
    "failed": FailedCall(),
    "lost": FailedCall(applied=True),
    "throttled": Throttle(),
}


def arranged(name: str) -> Callable[[World, Site], Action[Any]]:
    """Return the action's `arrange`; fail when its test file or the function is missing."""
    folder = catalogue()[name].__module__.split(".")[1]
    module = f"tests.actions.{folder}.test_{name}"
    if find_spec(module) is None:
        raise AssertionError(f"no test file {module.replace('.', '/')}.py for action {name}")
    arrange = getattr(importlib.import_module(module), "arrange", None)
    if arrange is None:
        raise AssertionError(f"{module} has no arrange(world, estate) -> action")
    return arrange  # type: ignore[no-any-return]


@dataclass
class Scene:
    """One action on one world. `seen` lists (service, operation, body) of each call made."""

    world: Any
    estate: Any
    action: Any
    p: Any
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    seen: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    after_call: Callable[[str], None] = lambda operation: None

    @property
    def step(self) -> str:
        return step_of(self.action)

    @property
    def intent(self) -> Intent:
        return self.journal[self.step]

    def enter(self) -> Steps[Applied]:
        """Enter the step the way a case does, first time or again."""
        if isinstance(self.action, Lens):
            return apply(self.action, self.p, self.journal, self.step)
        return self._once()

    def _once(self) -> Steps[Applied]:
        act: OneWay[Any] = self.action
        known = self.journal.find(self.step)
        intent = known or self.journal.intend(
            self.step, name_of(act), fields_of(act), foresee(act, self.p)
        )
        fresh = known is None
        done = yield from do_once(
            act, self.p, self.journal, intent, fresh=fresh, approval="approval-1"
        )
        return done

    def back(self) -> Steps[Applied]:
        return rollback(self.action, self.p, self.journal, self.intent)

    def run(self, steps: Steps[Any]) -> Any:
        """Drive on the world's clock."""
        return run(steps, self.world.tick)

    def read(self) -> dict[str, Json]:
        return dict(self.action.read(self.p))

    def provider(self, credentials: Credentials) -> Aws:
        """Return a provider for these credentials that reports its calls to this scene."""

        def make(service: str) -> Any:
            session = self.world.session(credentials)
            signed = Config(signature_version="s3v4") if service == "s3" else None
            config = ONCE.merge(signed) if signed else ONCE
            client = session.client(service, config=config)  # type: ignore[call-overload]
            client.meta.events.register("before-call", self._before)
            client.meta.events.register("after-call", self._after)
            return client

        # The same in each fork, so that worlds in which a secret was drawn can be compared.
        return Aws(self.world.account, self.world.region, make, chance=lambda n: "r" * (n * 4 // 3))

    def inject(self, fault: str, operation: str, nth: int) -> None:
        """Let this fault meet the nth call of the operation from now."""
        self.world.inject(FAULTS[fault], operation, nth)

    def idle(self) -> None:
        """Ask something that is nobody's business."""
        self.p.ec2.describe_vpcs()

    def _before(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        body = params["body"] if isinstance(params["body"], dict) else {}
        self.seen.append((model.service_model.service_name, model.name, dict(body)))

    def _after(self, model: Any, **_: Any) -> None:
        self.after_call(model.name)


@functools.cache
def _built() -> list[Scene]:
    return []


def on_vault(name: str) -> bool:
    """Return whether an action's world is a Vault."""
    return catalogue()[name].__module__.startswith("actions.vault.")


def floor(name: str = "") -> Scene:
    """Return the site that all tests of this process start from, with clients made."""
    if name and on_vault(name):
        from tests.actions.vault import scene as vault

        return vault.floor()
    built = _built()
    if not built or World.newest is not built[0].world:
        world = World(seed=7, clock=lambda: 1_790_000_000.0)
        found = Scene(world, site.build(world), None, None)  # type: ignore[arg-type]
        found.p = found.provider(world.admin)
        built[:] = [found]
        _ = (found.p.ec2, found.p.iam, found.p.autoscaling, found.p.elbv2)
    return built[0]


def scene(name: str) -> Scene:
    """Return the site with the action arranged; nothing is done yet. For tests that run apart."""
    found = floor(name)
    if found.action is not None:
        raise AssertionError("this world is in use: run the test apart")
    found.action = arranged(name)(found.world, found.estate)
    found.seen.clear()
    return found


def apart(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test in a fork with a site of its own."""

    @functools.wraps(test)
    def forked(*args: Any, **kwargs: Any) -> None:
        floor(kwargs.get("name", ""))
        if said := in_child(lambda: test(*args, **kwargs)):
            pytest.fail(said, pytrace=False)

    return forked


# What Vault only reads, by POST too (Vault API docs); rotating a CRL is a GET that changes it.
VAULT_READS = re.compile(
    r"(GET|LIST) (?!.*/crl/rotate$)|POST (auth|sys)/.*/(lookup|lookup-self|lookup-accessor|login)$"
)


def mutates(operation: str) -> bool:
    """Return whether an operation changes the world, by AWS's naming or Vault's."""
    if " " in operation:
        return not VAULT_READS.match(operation)
    return not operation.startswith(("Describe", "Get", "List", "Lookup"))


@contextmanager
def forked(check: Callable[[], str | None]) -> Iterator[Callable[[], str]]:
    """Run the check in a fork that owns a copy of the world; yield what waits for what it says."""
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        gc.disable()  # a collection would touch, and so copy, every page of the parent
        said = ""
        try:
            said = check() or ""
        except BaseException:
            said = traceback.format_exc() or "failed"
        finally:
            os.write(into, said.encode()[-60_000:])
            os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        yield lambda: pipe.read().decode()
    os.waitpid(pid, 0)


def in_child(check: Callable[[], str | None]) -> str:
    """Return what the check says in a fork that owns a copy of the world."""
    with forked(check) as said:
        return said()


def crashes(found: Scene, steps: Steps[Any], check: Callable[[], str | None]) -> Iterator[str]:
    """Run the steps; after each call that changed the world, let a child check what is left."""
    said: list[str] = []

    def fork(operation: str) -> None:
        if mutates(operation):
            said.append(in_child(lambda: _alone(found, check)))

    found.after_call = fork
    found.run(steps)
    found.after_call = Scene.after_call
    yield from said


def _alone(found: Scene, check: Callable[[], str | None]) -> str | None:
    found.after_call = Scene.after_call
    return check()
