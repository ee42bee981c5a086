"""Order for two workers: the long stories first, so that both end together."""

import pytest
from hypothesis import settings

from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

# Tests never time, and so no example is held to a time either.
settings.register_profile("stanch", deadline=None)
settings.load_profile("stanch")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: "tests/stories/" not in item.nodeid)
