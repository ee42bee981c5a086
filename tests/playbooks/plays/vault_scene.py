"""A deployment's fork with a Vault that was robbed, and an incident about it."""

import asyncio
import os
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import hvac
import pytest

from playbooks.case import way_back
from playbooks.case.answers import Waiting
from playbooks.case.enter import Ending
from playbooks.case.incident import Incident, Question
from playbooks.case.play import body_of
from playbooks.case.vault_known import gathered, path_of
from playbooks.compromised_vault import compromised_vault
from playbooks.drills.range.vault import inprocess
from playbooks.drills.range.vault.world import URL
from playbooks.drills.robbed_vault import DELIVERED, NAME, robbed
from playbooks.drills.vault_thief import VaultThief
from playbooks.respond.opening import open_by_hand
from playbooks.wiring.vault_terms import VaultLogin
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
    known_ends: list[Any] = [None, 0.0]

    def client(name: str) -> Any:
        """Return the client of now, as the wiring does: logged in anew near the token's end."""
        if made.world.seconds() >= known_ends[1]:
            fresh = hvac.Client(url=URL, session=session)
            fresh.auth.approle.login(stanch.role_id, stanch.secret_id, mount_point="stanch")
            known_ends[:] = [fresh, made.world.seconds() + 3000]
        return known_ends[0]

    scene.parts = replace(scene.parts, vaults=client)
    return VaultThief(made, scene.world)


def baseline(scene: Scene) -> None:
    """Keep what the Vault is like now."""
    found, missed = gathered(scene.parts.vault(NAME))
    assert missed == []
    path = path_of(scene.parts.settings, NAME)
    path.parent.mkdir()
    path.write_text(found.text())


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


def works(thief: VaultThief) -> list[str]:
    """Return by what the thief still gets in."""
    return [way for way, could in thief.can().items() if could]


def robbery(scene: Scene, **more: Any) -> tuple[VaultThief, datetime]:
    """Return a thief who took what it could an hour or two after a baseline, and since when."""
    thief = in_vault(scene, **more)
    scene.world.tick(timedelta(hours=2).total_seconds())
    baseline(scene)
    since = scene.parts.now()
    thief.take()
    return thief, since


def gone_back(scene: Scene, incident: Incident, verb: Any) -> list[Any]:
    """Ask for the way back, let another person allow it, and go it."""

    async def back() -> list[Any]:
        case = scene.case(incident, PLAY)
        undos = await way_back.planned(case, verb)
        return await way_back.go_back(case, undos, "alice", verb=verb)

    with pytest.raises(Waiting):
        asyncio.run(back())
    open_ = [q for q in scene.questions(incident) if q.step.startswith(f"{verb}/")]
    scene.say(open_[-1])
    return asyncio.run(back())
