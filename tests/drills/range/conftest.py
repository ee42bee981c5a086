"""Worlds, clients and the scenario for the range's own tests."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from playbooks.drills.range.estate import build_estate
from playbooks.drills.range.world import World


@pytest.fixture
def world():
    return World(seed=11)


@pytest.fixture
def estate(world):
    return build_estate(world)


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
def elb(world):
    return world.client("elbv2", world.admin)


@pytest.fixture
def refused():
    """The AWS error code that a call is refused with."""

    def code(call, /, **params) -> str:
        with pytest.raises(ClientError) as caught:
            call(**params)
        return caught.value.response["Error"]["Code"]

    return code
