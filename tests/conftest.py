"""Order for two workers: the long stories first, so that both end together."""

import gc

import pytest
from hypothesis import settings

from tests import sample
from tests.postgres import postgres_server, postgres_url
from tests.remembered import remember

__all__ = ["postgres_server", "postgres_url"]

# Tests never time, and so no example is held to a time either.
settings.register_profile("stanch", deadline=None)
settings.load_profile("stanch")
remember()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: "tests/stories/" not in item.nodeid)


def pytest_report_header() -> str:
    if sample.FULL:
        return "sample: none, all is taken"
    return (
        f"sample: day {sample.DAY}; STANCH_DAY={sample.DAY} repeats it, `make crash-full` takes all"
    )


def pytest_collection_finish() -> None:
    # What is imported by now stays: no collection has to look through it again.
    gc.collect()
    gc.freeze()
