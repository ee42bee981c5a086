"""Each contract test runs against the simulator, and against a real server where one is named."""

from collections.abc import Iterator

import pytest

from playbooks.drills.range.vault import endpoints
from playbooks.drills.range.vault.world import VaultWorld
from tests.contract_vault.answered import unasked
from tests.contract_vault.server import Server, real, real_is_set, simulator

KINDS = {"simulator": simulator, "real": real}
ASKED: dict[str, set[tuple[str, str]]] = {kind: set() for kind in KINDS}


@pytest.fixture(params=["simulator", *(["real"] if real_is_set() else [])])
def vault(request) -> Iterator[Server]:
    made = KINDS[request.param]()
    made.asked = ASKED[request.param]
    yield made
    made.clear()


@pytest.fixture
def world(vault) -> VaultWorld:
    """The simulator's own world, for what a real server shows to nobody, or has no backend for."""
    if vault.world is None:
        pytest.skip("only the simulator can be looked into, sealed, or given a database")
    return vault.world


def pytest_terminal_summary(terminalreporter) -> None:
    """Say how many endpoints were asked for, and of a real server which: these are proven by it
    when all tests passed, and endpoints.yaml is to say so."""
    for kind, asked in ASKED.items():
        if not asked:
            continue
        listed = endpoints.listed()
        left = unasked(listed, asked)
        terminalreporter.write_line(
            f"{kind}: {len(listed) - len(left)} of {len(listed)} listed endpoints were asked for"
        )
        if terminalreporter.config.getoption("verbose") > 0 or kind == "real":
            for one in left:
                terminalreporter.write_line(f"  not asked for: {one.method} {one.path}")
