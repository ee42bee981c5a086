"""Each contract test runs against the simulator, and against a real server where one is named."""

from collections.abc import Iterator

import pytest

from playbooks.drills.range.vault.world import VaultWorld
from tests.contract_vault.server import Server, real, real_is_set, simulator

KINDS = {"simulator": simulator, "real": real}


@pytest.fixture(params=["simulator", *(["real"] if real_is_set() else [])])
def vault(request) -> Iterator[Server]:
    made = KINDS[request.param]()
    yield made
    made.clear()


@pytest.fixture
def world(vault) -> VaultWorld:
    """The simulator's own world, for what a real server shows to nobody, or has no backend for."""
    if vault.world is None:
        pytest.skip("only the simulator can be looked into, sealed, or given a database")
    return vault.world
