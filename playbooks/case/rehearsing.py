"""Runs a play dry: every act is planned and shown to the guard, nothing is touched or recorded."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from playbooks.case.answers import Waiting

if TYPE_CHECKING:
    from playbooks.case.acting import Planned
    from playbooks.case.case import Case


async def rehearse(case: "Case") -> list["Planned"]:
    """Return what the case's play would do now, in order."""
    # Inline, so that acts which run together are planned in the order that the play names them.
    inline = replace(case.parts, pool=None)
    twin = replace(case, parts=inline, dry=True, planned=[], named=set(), step=_unshown)
    try:
        await twin.body(twin)
    except Waiting as waiting:
        raise AssertionError("a dry run never waits") from waiting
    return twin.planned


async def _unshown(name: str, thunk: Callable[[], Awaitable[Any]]) -> Any:
    """Run a verb as it is: what is only rehearsed did not happen, and is not shown as if."""
    return await thunk()
