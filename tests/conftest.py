"""Order for two workers: the long stories first, so that both end together."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: "tests/stories/" not in item.nodeid)
