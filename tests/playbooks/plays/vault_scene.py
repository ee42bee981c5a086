"""A deployment's fork with a Vault that was robbed, and an incident about it."""

import os
from dataclasses import replace
from typing import Any

import hvac

from playbooks.case.enter import Ending
from playbooks.case.incident import Incident, Question
from playbooks.case.play import body_of
from playbooks.compromised_vault import compromised_vault
from playbooks.drills.range.vault import inprocess
from playbooks.drills.range.vault.world import URL
from playbooks.drills.robbed_vault import DELIVERED, NAME, Robbed, robbed
from playbooks.drills.vault_thief import VaultThief
from playbooks.respond.opening import open_by_hand
from playbooks.wiring.gated import GatedAdapter, through
from playbooks.wiring.settings import VaultLogin
from tests.playbooks.scene import Scene

PLAY = body_of(compromised_vault)


def in_vault(scene: Scene, **more: Any) -> VaultThief:
    """Give the deployment the Vault, Stanch a login to it, and the thief the login of web."""
    made = robbed(scene.world)
    stanch = made.estate.stanch
    os.environ |= {"OWN_ROLE": stanch.role_id, "OWN_SECRET": stanch.secret_id}
    known = {"role_id": "env:OWN_ROLE", "secret_id": "env:OWN_SECRET"}
    known |= {"deliver": {"approle/web": DELIVERED}} | more
    scene.set(vaults={NAME: VaultLogin(url="https://vault.invalid", **known)})
    session = inprocess.session(made.world.handle, URL, "127.0.0.1")
    client = hvac.Client(url=URL, session=session)
    client.auth.approle.login(stanch.role_id, stanch.secret_id, mount_point="stanch")
    scene.parts = replace(scene.parts, vaults=lambda name: client)
    thief = VaultThief(made, scene.world)
    thief.take()
    return thief


def opened(scene: Scene, target: str = f"{NAME}/approle/web", **more: Any) -> Incident:
    for name in ("alice", "bob"):
        scene.person(name)
    aim = {"id": target, "account": "", "region": ""}
    why = "in a public repository"
    return open_by_hand(scene.parts, scene.store, "compromised-vault", aim, why, "alice", **more)


def entered(scene: Scene, incident: Incident, no: tuple[str, ...] = ()) -> Ending:
    """Enter, say yes to what is asked (no to steps named), and again until nothing is asked."""
    ending = scene.enter(incident, PLAY)
    for _ in range(12):
        open_ = [q for q in scene.questions(incident) if q.state == "open"]
        if not open_:
            return ending
        for question in open_:
            scene.say(question, question.step.removeprefix("ask/") not in no)
        ending = scene.enter(incident, PLAY)
    raise AssertionError("it asks without end")


def asked(scene: Scene, incident: Incident, step: str) -> Question:
    return next(q for q in scene.questions(incident) if q.step == f"ask/{step}")


__all__ = ["PLAY", "GatedAdapter", "Robbed", "asked", "entered", "in_vault", "opened", "through"]
