"""A Stanch deployment over an in-process world: one thread, no socket, waits tick the world."""

import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

from evidence.locker import Locker
from playbooks.case.case import Case
from playbooks.case.enter import Body, Ending, enter
from playbooks.case.incident import Incident
from playbooks.case.store import Store
from playbooks.desk.cli.init import make
from playbooks.drills.range.estate import Estate, build_estate
from playbooks.drills.range.world import World
from playbooks.drills.scenario import TYPE, finding
from playbooks.intake.read import read_alert
from playbooks.respond.take import Taken, take
from playbooks.wiring import keyring, people
from playbooks.wiring.automatic_terms import Automatic
from playbooks.wiring.database import open_engine
from playbooks.wiring.gated import gated
from playbooks.wiring.parts import Parts
from playbooks.wiring.settings import Account, Settings


@dataclass
class Deployment:
    """World, estate and a Stanch with its home in `home`; `clients` caches boto3 clients."""

    world: World
    estate: Estate
    home: Path
    settings: Settings
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    seed: int = 0

    def maker(self, account: str, region: str) -> Any:
        def make_client(service: str) -> Any:
            key = (region, service)
            if key not in self.clients:
                made = self.world.client(service, self.world.admin, region)
                self.clients[key] = gated(made)
            return self.clients[key]

        return make_client

    def over_http(self, endpoint: str) -> Any:
        """Return a maker of clients that reach the endpoint, as a process of its own has them."""
        keys = self.world.admin
        session: Any = boto3.Session(keys.access_key, keys.secret_key)
        made: dict[tuple[str, str], Any] = {}

        def maker(account: str, region: str) -> Any:
            def make(service: str) -> Any:
                if (service, region) not in made:
                    client = session.client(service, region_name=region, endpoint_url=endpoint)
                    made[service, region] = gated(client)
                return made[service, region]

            return make

        return maker

    async def sleep(self, seconds: float) -> None:
        self.world.tick(seconds)

    def now(self) -> datetime:
        return self.world.now()

    def parts(self, home: Path | None = None) -> Parts:
        """Open the deployment at `home` (another folder: a copy of it) with its own connection."""
        home = home or self.home
        return Parts(
            settings=self.settings,
            engine=open_engine(self.settings.model_copy(update={"home": home})),
            keys=keyring.load(home / "keys", self.settings.origin),
            locker=Locker(home / "evidence"),
            maker=self.maker,
            now=self.now,
            random=os.urandom,
            sleep=self.sleep,
            pool=None,
        )

    def finding(self, **changes: Any) -> bytes:
        """Return the drill's finding, with members of its detail replaced."""
        told = finding(self.world, self.estate)
        told["detail"] |= changes
        return json.dumps(told).encode()

    def take(self, parts: Parts, data: bytes | None = None) -> Taken:
        alert = read_alert(data or self.finding(), received=self.now())
        return take(parts, Store(parts.engine), alert)


def deployed(folder: Path, seed: int = 0, **settings: Any) -> Deployment:
    """Build the world, the estate and a deployment in the folder."""
    world = World(seed=seed)
    estate = build_estate(world)
    values: dict[str, Any] = {
        "home": folder / "home",
        "accounts": {estate.account: Account(regions=(estate.region,))},
        "automatic": Automatic(types=(TYPE,)),
    }
    made = Settings(**(values | settings))
    make(made)
    return Deployment(world, estate, made.home, made, seed=seed)


def person(folder: Path, name: str) -> tuple[Path, dict[str, str]]:
    """Make a person's key; return its file and public half."""
    path = folder / f"{name}.key"
    return path, people.make(path)


async def go(parts: Parts, incident: Incident, body: Body, **more: Any) -> Ending:
    """Enter a play's body for the incident."""
    return await enter(parts, Store(parts.engine), incident.id, body, incident.play, **more)


def case(parts: Parts, incident: Incident, body: Body) -> Case:
    """Return a case without entering anything."""
    return Case(parts, Store(parts.engine), incident, body, incident.play)
