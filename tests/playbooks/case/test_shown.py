"""What Prefect shows, it does not decide: a verb runs once, whatever becomes of its task."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from playbooks.case import shown
from playbooks.case.answers import Waiting

Verb = Callable[[], Awaitable[Any]]
TASKS = ("well", "breaks before", "breaks after")


def tasks(how: str) -> Callable[..., Any]:
    """Return a stand-in for Prefect's `task` whose server is gone at some point."""

    def task(**_: Any) -> Callable[[Verb], Verb]:
        def wrap(verb: Verb) -> Verb:
            async def shell() -> None:
                if how == "breaks before":
                    raise ConnectionError("no server")
                await verb()
                if how == "breaks after":
                    raise ConnectionError("no server")

            return shell

        return wrap

    return task


@pytest.mark.parametrize("gives", ["a result", None])
@pytest.mark.parametrize("how", TASKS)
def test_a_verb_runs_once_and_gives_its_result(
    how: str, gives: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "task", tasks(how))
    ran: list[int] = []

    async def verb() -> Any:
        ran.append(1)
        return gives

    assert asyncio.run(shown.shown("act/x", verb)) == gives
    assert ran == [1]


@pytest.mark.parametrize("how", TASKS)
def test_what_a_verb_raises_comes_out_as_it_was(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "task", tasks(how))
    ran: list[int] = []

    async def verb() -> None:
        ran.append(1)
        raise Waiting("Q-0001")

    with pytest.raises(Waiting, match="Q-0001"):
        asyncio.run(shown.shown("act/x", verb))
    assert ran == [1]
