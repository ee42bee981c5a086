"""Worlds and clients for the range's own tests."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from playbooks.drills.range.world import World


class Clock:
    """A clock that stands still until told otherwise."""

    def __init__(self) -> None:
        self.seconds = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def world():
    return World(seed=11)


@pytest.fixture
def ec2(world):
    return world.client("ec2", world.admin)


@pytest.fixture
def iam(world):
    return world.client("iam", world.admin)


@pytest.fixture
def refused():
    """The AWS error code that a call is refused with."""

    def code(call, /, **params) -> str:
        with pytest.raises(ClientError) as caught:
            call(**params)
        return caught.value.response["Error"]["Code"]

    return code
