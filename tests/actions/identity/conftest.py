"""A world and an operator, new for each test."""

import pytest

from playbooks.drills.range.world import World
from tests.actions.aws.operating import Operator


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    return World(seed=29)


@pytest.fixture
def op(world):
    return Operator(world)


@pytest.fixture
def sso(world):
    return world.client("sso-admin", world.admin)
