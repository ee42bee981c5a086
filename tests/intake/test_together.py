"""Callers that wait together share a batch; each gets its own result, and none another's fate."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.intake.together import MOST, Together


def run(work, callers):
    """Return what each caller got, all having called at once; exceptions as values."""

    async def all_at_once():
        with ThreadPoolExecutor(2) as pool:
            together = Together(work, pool)
            return await asyncio.gather(
                *(together.do(item) for item in callers), return_exceptions=True
            )

    return asyncio.run(all_at_once())


@given(st.lists(st.integers(), max_size=3 * MOST))
@settings(max_examples=20, deadline=None)
def test_each_gets_its_own_result_in_batches_of_bounded_size(items):
    sizes = []

    def work(batch):
        sizes.append(len(batch))
        return [ValueError(n) if n % 3 == 0 else n * 2 for n in batch]

    found = run(work, items)
    for item, got in zip(items, found, strict=True):
        if item % 3 == 0:
            assert isinstance(got, ValueError)
            assert got.args == (item,)
        else:
            assert got == item * 2
    assert sum(sizes) == len(items)
    assert all(0 < size <= MOST for size in sizes)
    assert len(sizes) <= len(items) // MOST + 2


def test_what_breaks_the_batch_is_told_to_all_of_it_and_the_next_is_none_the_worse():
    def work(batch):
        if 0 in batch:
            raise OSError("broken")
        return batch

    async def go():
        with ThreadPoolExecutor(1) as pool:
            together = Together(work, pool)
            first = await asyncio.gather(*map(together.do, (0, 1)), return_exceptions=True)
            return first, await together.do(2)

    first, then = asyncio.run(go())
    assert [type(one) for one in first] == [OSError, OSError]
    assert then == 2


def test_a_caller_that_goes_away_takes_nothing_from_the_others():
    begun, go_on, done = threading.Event(), threading.Event(), []

    def work(batch):
        begun.set()
        assert go_on.wait(30)
        done.extend(batch)
        return batch

    async def go():
        with ThreadPoolExecutor(1) as pool:
            together = Together(work, pool)
            leaving, staying = (asyncio.create_task(together.do(n)) for n in (1, 2))
            await asyncio.get_running_loop().run_in_executor(None, begun.wait, 30)
            leaving.cancel()
            go_on.set()
            assert await staying == 2
            with pytest.raises(asyncio.CancelledError):
                await leaving

    asyncio.run(go())
    assert done == [1, 2]
