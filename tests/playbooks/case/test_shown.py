"""What Prefect shows, it does not decide: a verb runs once, whatever becomes of its task."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from playbooks.case import shown
from playbooks.case.answers import Waiting

Verb = Callable[[], Awaitable[Any]]
TASKS = ("well", "breaks before", "breaks after", "hangs before", "hangs after")


def tasks(how: str, made: list[int]) -> Callable[..., Any]:
    """Return a stand-in for Prefect's `task` whose server is gone at some point."""

    def task(**_: Any) -> Callable[[Verb], Verb]:
        def wrap(verb: Verb) -> Verb:
            async def shell() -> None:
                made.append(1)
                if how == "breaks before":
                    raise ConnectionError("no server")
                if how == "hangs before":
                    await asyncio.Event().wait()
                await verb()
                if how == "breaks after":
                    raise ConnectionError("no server")
                if how == "hangs after":
                    await asyncio.Event().wait()

            return shell

        return wrap

    return task


@pytest.mark.parametrize("gives", ["a result", None])
@pytest.mark.parametrize("how", TASKS)
def test_a_verb_runs_once_and_gives_its_result(
    how: str, gives: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "task", tasks(how, []))
    ran: list[int] = []

    async def verb() -> Any:
        ran.append(1)
        return gives

    assert asyncio.run(shown.showing(0.05)("act/x", verb)) == gives
    assert ran == [1]


@pytest.mark.parametrize("how", TASKS)
def test_what_a_verb_raises_comes_out_as_it_was(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "task", tasks(how, []))
    ran: list[int] = []

    async def verb() -> None:
        ran.append(1)
        raise Waiting("Q-0001")

    with pytest.raises(Waiting, match="Q-0001"):
        asyncio.run(shown.showing(0.05)("act/x", verb))
    assert ran == [1]


@pytest.mark.parametrize("how", TASKS)
def test_an_entry_asks_prefect_no_more_once_it_failed(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    monkeypatch.setattr(shown, "task", tasks(how, made))
    ran: list[str] = []

    async def entry() -> None:
        step = shown.showing(0.05)
        for name in ("one", "two", "three"):

            async def verb(name: str = name) -> None:
                ran.append(name)

            await step(name, verb)

    asyncio.run(entry())
    assert ran == ["one", "two", "three"]
    assert len(made) == (3 if how == "well" else 1)


def test_a_verb_that_is_cancelled_ends_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "task", tasks("well", []))
    seen: list[str] = []

    async def entry() -> None:
        ending = asyncio.Event()

        async def verb() -> None:
            try:
                await ending.wait()
            except asyncio.CancelledError:
                seen.append("told")
                await asyncio.sleep(0)
                seen.append("ended")
                raise

        task = asyncio.ensure_future(shown.showing(0.05)("x", verb))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        seen.append("given up")

    asyncio.run(entry())
    assert seen == ["told", "ended", "given up"]
