"""Kills a process at every statement of a piece of work on the database, and looks at the rest.

For work that touches the database alone: each death is `os._exit` in a child with a copy of the
home folder, before a statement is sent or right after it, or before or after a commit.
"""

import os
import shutil
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event

from playbooks.wiring.parts import Parts
from tests.deployment import Deployment

DIED, BROKE = 9, 7
EVENTS = ("before_cursor_execute", "after_cursor_execute", "commit")


@dataclass(frozen=True, slots=True)
class Death:
    """One death: which one it was, the parts that find what is left, and whether work had ended."""

    number: int
    parts: Parts
    acknowledged: bool


def deaths(
    deployment: Deployment,
    folder: Path,
    work: Callable[[Parts], Any],
    prepare: Callable[[Parts], Any] = lambda parts: None,
) -> Iterator[Death]:
    """Yield what is left after each death, the last time after none; `prepare` comes before."""
    number, ended = 0, False
    while not ended:
        number += 1
        home = folder / f"death-{number}"
        shutil.copytree(deployment.home, home)
        ended = _die(deployment, home, work, prepare, number)
        parts = deployment.parts(home)
        yield Death(number, parts, (home / "acknowledged").exists())
        parts.engine.dispose()
        shutil.rmtree(home)


def _die(
    deployment: Deployment,
    home: Path,
    work: Callable[[Parts], Any],
    prepare: Callable[[Parts], Any],
    number: int,
) -> bool:
    child = os.fork()
    if child == 0:
        try:
            parts = deployment.parts(home)
            prepare(parts)
            left = [number]

            def step(*_: Any) -> None:
                left[0] -= 1
                if left[0] == 0:
                    os._exit(DIED)

            for name in EVENTS:
                event.listen(parts.engine, name, step)
            work(parts)
            (home / "acknowledged").touch()
            step()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(BROKE)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, DIED), f"death {number}: the child broke"
    return code == 0
