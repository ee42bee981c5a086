"""Each contract test runs against the simulator, and against a real server where one is named."""

from collections.abc import Iterator

import pytest

from tests.contract_vault.server import Server, real, real_is_set, simulator

KINDS = {"simulator": simulator, "real": real}


@pytest.fixture(params=["simulator", *(["real"] if real_is_set() else [])])
def vault(request) -> Iterator[Server]:
    made = KINDS[request.param]()
    yield made
    made.clear()
