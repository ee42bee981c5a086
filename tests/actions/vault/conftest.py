"""A Vault and an operator in it, new for each test."""

import pytest

from playbooks.drills.range.vault.world import VaultWorld
from tests.actions.vault.operating import Operator


@pytest.fixture
def op() -> Operator:
    return Operator(VaultWorld(seed=23, clock=lambda: 1_790_000_000.0))
