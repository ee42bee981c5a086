"""Credentials in a deployment that leaked: one declared by one, opened, entered, and let pass."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import hvac

from playbooks.case.enter import Ending
from playbooks.case.incident import Incident
from playbooks.case.play import body_of
from playbooks.case.rehearsing import rehearse
from playbooks.drills.range.vault import inprocess
from playbooks.drills.range.vault.world import URL, VaultWorld
from playbooks.respond.opening import open_by_hand
from playbooks.respond.plays import find
from playbooks.wiring.rotation_terms import Credential, Rotation
from playbooks.wiring.vault_terms import VaultLogin
from tests.actions.aws.rotating import NAME, USER
from tests.playbooks.scene import Scene

DATABASE, SECRET = "orders", "shop/orders"
OLD = "old-and-leaked"


def play() -> Any:
    return body_of(find("rotate-credentials"))


def declare(s: Scene, **credentials: Credential) -> None:
    s.set(rotation=Rotation(credentials=credentials))


def key_of_ci(s: Scene, **more: Any) -> Credential:
    return Credential(
        kind="access_key",
        target=f"{s.world.account}/aws-global/user/{USER}",
        stored=f"{s.world.account}/{s.world.region}/secret/{NAME}",
        consumers=("the CI runner",),
        **more,
    )


def master(s: Scene, **more: Any) -> Credential:
    """Make a database and the secret of its master password; return how they are declared."""
    rds, manager = (s.world.client(n, s.world.admin) for n in ("rds", "secretsmanager"))
    rds.create_db_instance(
        DBInstanceIdentifier=DATABASE,
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="root",
        MasterUserPassword=OLD,
        AllocatedStorage=20,
    )
    manager.create_secret(Name=SECRET, SecretString=json.dumps({"password": OLD}))
    place = f"{s.world.account}/{s.world.region}"
    return Credential(
        kind="database",
        target=f"{place}/database/{DATABASE}",
        stored=f"{place}/secret/{SECRET}",
        **more,
    )


def in_vault(s: Scene) -> VaultWorld:
    """Give the deployment a Vault, prod."""
    vault = VaultWorld(seed=9, aws=s.world)
    session = inprocess.session(vault.handle, URL, "127.0.0.1")
    client = hvac.Client(url=URL, token=vault.root_token, session=session)
    s.set(vaults={"prod": VaultLogin(url="https://vault.invalid", token="env:NOWHERE")})
    s.parts = replace(s.parts, vaults=lambda name: client)
    return vault


def opened(s: Scene, target: str, region: str = "", **where: str) -> Incident:
    for name in ("alice", "bob"):
        s.person(name)
    aim = {"account": s.world.account, "region": region, "id": target} | where
    return open_by_hand(s.parts, s.store, "rotate-credentials", aim, "leaked", "alice")


def enter(s: Scene, incident: Incident) -> Ending:
    return s.enter(incident, play())


def rehearsed(s: Scene, incident: Incident) -> list[Any]:
    return asyncio.run(rehearse(s.case(incident, play())))


def pass_time(s: Scene, **time: float) -> None:
    s.world.tick(timedelta(**time).total_seconds())
