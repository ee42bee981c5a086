"""What is served is listed, with how far it was checked."""

import pytest

from playbooks.drills.range.vault import endpoints
from tests.contract_vault.server import HOW, real_is_set


def test_every_route_served_is_listed_and_no_other():
    listed = [(e.kind, e.method, e.path) for e in endpoints.listed()]
    assert sorted(listed) == sorted(endpoints.served())


def test_every_endpoint_says_how_far_it_was_checked():
    counts = endpoints.counts()
    assert set(counts) == {endpoints.PROVEN, endpoints.DOCUMENTATION}
    assert sum(counts.values()) == len(endpoints.listed())
    assert all(e.page for e in endpoints.listed())


def test_a_real_server_is_asked():
    if not real_is_set():
        pytest.skip(HOW)
