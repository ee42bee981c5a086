"""Runs a play dry: every act is planned and shown to the guard, nothing is touched or recorded."""

from dataclasses import replace
from typing import TYPE_CHECKING

from playbooks.case.answers import Waiting

if TYPE_CHECKING:
    from playbooks.case.acting import Planned
    from playbooks.case.case import Case


async def rehearse(case: "Case") -> list["Planned"]:
    """Return what the case's play would do now, in order."""
    twin = replace(case, dry=True, planned=[])
    try:
        await twin.body(twin)
    except Waiting as waiting:
        raise AssertionError("a dry run never waits") from waiting
    return twin.planned
