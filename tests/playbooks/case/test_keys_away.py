"""While the service that holds the keys is away: containment goes on, and only sealing waits."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from evidence import ledger
from evidence.errors import KeyServiceError, LedgerError
from evidence.signing.place import Clients
from evidence.sources.item import Item
from playbooks.case.case import Case
from playbooks.drills.range.vault.world import VaultWorld
from playbooks.respond import integrator
from playbooks.wiring import keyring
from tests.playbooks.case.test_approvals import tagging
from tests.playbooks.scene import Scene, apart

TYPES = {"log": "ed25519", "manifest": "ecdsa-p256", "wrap": "aes256-gcm96"}


@dataclass(frozen=True)
class Source:
    """One sensitive item and one that is not."""

    account: str
    region: str
    name: str = "test_facts"

    def collect(self, reading: Any) -> Iterator[Any]:
        yield Item("secret", "text/plain", b"TOKEN=hunter2", True, "ec2.describe")
        yield Item("facts", "application/json", b"{}", False, "ec2.describe")


def in_vault(scene: Scene) -> VaultWorld:
    """Have the scene's keys in a Vault."""
    world = VaultWorld(seed=5)
    root = world.client(world.root_token)
    root.sys.enable_secrets_engine("transit", path="keys")
    for name, kind in TYPES.items():
        root.write(f"keys/keys/{name}", type=kind)
    given = {use: f"vault-transit://prod/keys/{use}?version=1" for use in TYPES}
    clients = Clients(lambda name: root, lambda account, region: None)
    folder, origin = scene.folder / "vault-keys", scene.parts.settings.origin
    ring = keyring.create(folder, origin, given, clients)
    scene.parts = replace(scene.parts, keys=ring)
    return world


@apart
def test_the_host_is_contained_and_sealing_comes_later(scene: Scene) -> None:
    world = in_vault(scene)
    root = world.client(world.root_token)
    root.sys.seal()
    seen: list[Any] = []

    async def contained(case: Case) -> None:
        seen.append(await case.keep(Source(case.target.account, case.target.region)))
        await tagging(case)

    async def sealed(case: Case) -> None:
        await contained(case)
        await case.seal("interim")

    incident, ending = scene.play(contained)
    # Partial, for what was missed; the act is done.
    assert (ending.state, incident.status) == ("Completed", "partial")
    assert scene.changed() == ["CreateTags"]
    (missed,) = seen[0].missed
    assert "Vault prod does not encrypt" in missed["error"]

    with pytest.raises(KeyServiceError, match="does not sign"):
        scene.enter(incident, sealed)
    # It says that it was to be sealed, and nobody is told that it is proven.
    assert scene.kinds(incident).count("case.seal") == 1
    with pytest.raises(LedgerError):
        scene.store.read(ledger.latest_checkpoint)

    for share in world.unseal_keys[:3]:
        root.sys.submit_unseal_key(share)
    integrator.once(scene.parts, scene.store)
    assert scene.store.read(ledger.latest_checkpoint).checkpoint.size > 0
    assert scene.enter(scene.now(incident), sealed).state == "Completed"


@apart
def test_each_look_of_the_responder_tries_again_and_says_so(scene: Scene) -> None:
    world = in_vault(scene)
    root = world.client(world.root_token)
    scene.take()
    root.sys.seal()
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("stanch.integrator").addHandler(handler)
    for _ in range(2):
        integrator.once(scene.parts, scene.store)
    assert len(said) == 2
    assert "Vault prod does not sign" in said[0]
    for share in world.unseal_keys[:3]:
        root.sys.submit_unseal_key(share)
    integrator.once(scene.parts, scene.store)
    assert len(said) == 2
    assert scene.store.read(ledger.latest_checkpoint).checkpoint.size > 0
