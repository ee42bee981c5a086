"""A world, a site in it, and an operator, new for each test."""

import pytest

from playbooks.drills.range.world import World
from tests.actions.aws import site
from tests.actions.aws.operating import Operator, host_of


@pytest.fixture
def world(monkeypatch):
    # moto's 1,300 public images a region take most of a test's time, and no test looks at one.
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    return World(seed=23)


@pytest.fixture
def estate(world):
    return site.build(world)


@pytest.fixture
def host(world, estate):
    return host_of(world, estate)


@pytest.fixture
def op(world):
    return Operator(world)


@pytest.fixture
def ec2(world):
    return world.client("ec2", world.admin)


@pytest.fixture
def iam(world):
    return world.client("iam", world.admin)


@pytest.fixture
def scaling(world):
    return world.client("autoscaling", world.admin)


@pytest.fixture
def balancing(world):
    return world.client("elbv2", world.admin)
