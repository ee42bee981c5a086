"""A deployment over the simulated AWS, built once a process; each test owns a fork of it.

Building the world takes a second or two. A fork owns a copy of its memory, and makes a home folder
of its own with new keys and an empty database.
"""

import asyncio
import functools
import inspect
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from actions.journal import Intent
from evidence import keys, ledger
from playbooks.case import schema, store
from playbooks.case.answering import answer, sign
from playbooks.case.case import Case
from playbooks.case.enter import Body, Ending
from playbooks.case.incident import Incident, Question
from playbooks.case.store import Store
from playbooks.desk.cli.init import make
from playbooks.drills.range.world import World
from playbooks.wiring import people
from playbooks.wiring.automatic_terms import Guard
from playbooks.wiring.gated import gated
from playbooks.wiring.parts import Parts
from tests.actions.scene import ONCE, in_child, mutates
from tests.deployment import Deployment, deployed, go


class Quick(Deployment):
    """A deployment whose clients fail at once: the engine waits, on the world's clock."""

    def maker(self, account: str, region: str) -> Any:
        def make_client(service: str) -> Any:
            key = (region, service)
            if key not in self.clients:
                session = self.world.session(self.world.admin, region)
                self.clients[key] = gated(session.client(service, config=ONCE))
            return self.clients[key]

        return make_client


@dataclass
class Scene:
    """One fork's deployment, an incident in it, and people who answer."""

    deployment: Deployment
    folder: Path
    parts: Parts
    store: Store
    people: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)

    @property
    def world(self) -> Any:
        return self.deployment.world

    @property
    def estate(self) -> Any:
        return self.deployment.estate

    def aws(self, service: str) -> Any:
        return self.deployment.maker(self.estate.account, self.estate.region)(service)

    def set(self, **changes: Any) -> None:
        """Change the settings from here on."""
        self.deployment.settings = self.deployment.settings.model_copy(update=changes)
        self.parts = replace(self.parts, settings=self.deployment.settings)

    def guard(self, **limits: Any) -> None:
        self.set(guard=Guard(**limits))

    def take(self, **changes: Any) -> Incident:
        """Take the drill's finding in, with members of its detail replaced."""
        data = self.deployment.finding(**changes)
        return self.deployment.take(self.parts, data).incident

    def enter(self, incident: Incident, body: Body, **more: Any) -> Ending:
        return asyncio.run(go(self.parts, incident, body, **more))

    def play(self, body: Body, **more: Any) -> tuple[Incident, Ending]:
        """Take the finding in and enter the body for it; return both as they then stand."""
        incident = self.take(**more)
        ending = self.enter(incident, body)
        return self.now(incident), ending

    def now(self, incident: Incident) -> Incident:
        return self.store.read(lambda conn: store.incident(conn, incident.id))

    def case(self, incident: Incident, body: Body | None = None) -> Case:
        return Case(self.parts, self.store, self.now(incident), body or nothing, incident.play)

    def steps(self, incident: Incident) -> dict[str, Intent]:
        """Return the incident's steps by the name of their action."""
        rows = self.store.read(lambda conn: store.steps(conn, incident.id))
        return {i.step.partition("/")[0]: i for i, _ in rows}

    def questions(self, incident: Incident) -> list[Question]:
        return self.store.read(lambda conn: store.questions(conn, incident.id))

    def kinds(self, incident: Incident) -> list[str]:
        """Return the kinds of the incident's ledger entries, in order."""
        return [e.leaf.kind for e in self.entries(incident)]

    def entries(self, incident: Incident) -> list[Any]:
        return self.store.read(lambda conn: list(ledger.entries(conn, incident.id)))

    def changed(self) -> list[str]:
        """Return the operations that would have changed the world, in the order received."""
        return [c.operation for c in self.world.calls if mutates(c.operation) and not _sts(c)]

    def person(self, name: str) -> Any:
        """Return a person's private key; they are known to the deployment from then on."""
        if name not in self.keys:
            path = self.folder / f"{name}.key"
            known = dict(self.parts.settings.people) | {name: people.make(path)}
            self.set(people=known)
            self.keys[name] = people.who(self.parts.settings, path)[1]
        return self.keys[name]

    def say(
        self, question: Question, yes: bool = True, by: str = "bob", **changed: Any
    ) -> Question:
        """Answer a question, signed by the person; `changed` replaces what is signed about."""
        key = self.person(by)
        told = replace(question, **changed)
        token = sign(told, yes, "because", by, key, self.parts.now())
        known = people.known(self.parts.settings)
        case = self.store.read(lambda conn: store.incident(conn, question.incident))
        return answer(self.store, self.case(case).record, question.id, token, known)

    def asked(self, incident: Incident) -> Question:
        """Return the one question that is open."""
        (found,) = [q for q in self.questions(incident) if q.state == "open"]
        return found

    def holder(self, incident: Incident) -> str:
        """Return who holds the incident now."""
        table = schema.incidents
        query = select(table.c.holder).where(table.c.id == incident.id)
        return str(self.store.read(lambda conn: conn.scalar(query)))

    def find(self, question: Question) -> Question:
        """Return the question as it stands in the store."""
        return next(q for q in self.store.read(store.questions) if q.id == question.id)

    def incident_of(self, question: Question) -> Incident:
        return self.store.read(lambda conn: store.incident(conn, question.incident))

    def entries_of(self, question: Question) -> list[Any]:
        return self.entries(self.incident_of(question))

    def jwk(self, name: str) -> dict[str, str]:
        return keys.public_jwk(self.person(name).public_key())

    def change_requester(self, conn: Any, question: Question, name: str) -> None:
        store.change_question(conn, question.id, requester=name)

    def change_scopes(self, conn: Any, question: Question, scopes: list[Any]) -> None:
        store.change_question(conn, question.id, scopes=scopes)


def _sts(call: Any) -> bool:
    return call.operation in ("AssumeRole", "GetCallerIdentity")


async def nothing(case: Case) -> None:
    """Do nothing."""


_floors: list[Quick] = []


def _floor() -> Quick:
    """Return the deployment that all tests of this process fork from."""
    # Tests of other rooms make worlds too, and only the newest one works.
    if not _floors or World.newest is not _floors[0].world:
        _floors[:] = [_built()]
    return _floors[0]


def _built() -> Quick:
    made = deployed(Path(tempfile.mkdtemp(prefix="stanch-tests-")))
    quick = Quick(made.world, made.estate, made.home, made.settings)
    for service in ("ec2", "iam", "autoscaling", "elbv2", "cloudtrail"):
        quick.maker(made.estate.account, made.estate.region)(service)
    return quick


def apart(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test in a fork with a scene of its own, passed as the last argument."""

    @functools.wraps(test)
    def forked(tmp_path: Path, **more: Any) -> None:
        floor = _floor()

        def child() -> None:
            settings = floor.settings.model_copy(update={"home": tmp_path / "home"})
            make(settings)
            own = replace(floor, home=settings.home, settings=settings)
            own.world.calls.clear()
            parts = own.parts()
            test(Scene(own, tmp_path, parts, Store(parts.engine)), **more)

        if said := in_child(child):
            pytest.fail(said, pytrace=False)

    return _signed(forked, test)


def _signed(forked: Callable[..., None], test: Callable[..., None]) -> Callable[..., None]:
    """Give the fork the test's own parameters, for pytest, without the scene and with tmp_path."""
    del forked.__wrapped__  # type: ignore[attr-defined]
    _, *given = inspect.signature(test).parameters.values()
    where = inspect.Parameter("tmp_path", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    forked.__signature__ = inspect.Signature([where, *given])  # type: ignore[attr-defined]
    return forked


def calls(work: Callable[[Case], Awaitable[Any]]) -> Body:
    """Return a play's body that does the work alone."""

    async def body(case: Case) -> None:
        await work(case)

    return body
