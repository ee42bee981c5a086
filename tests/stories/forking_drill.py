"""`stanch drill` with its commands forked from one process: what each imports is paid once.

    python -m tests.stories.forking_drill --scenario compromised-instance --out FOLDER

`make drill` starts each command anew, as its users do; the drill is the same.
"""

import functools
import importlib
import sys

import playbooks.__main__
from tests.stories.zygote import Forked

# For all that are forked.
PRELOADED = (
    "evidence.__main__",
    "playbooks.desk.door",
    "playbooks.desk.queues",
    "playbooks.respond.service",
)


def forked() -> Forked:
    """Return what forks the commands; call it before there are threads, or a range in memory."""
    for name in PRELOADED:
        importlib.import_module(name)
    playbooks.__main__.built()
    # When Prefect is imported, it finds the drill's server in the environment.
    if "prefect" in sys.modules:
        raise AssertionError("Prefect is imported before it is known where its server is")
    return Forked()


def main(runner: Forked, *arguments: str) -> None:
    """Run the drill to its exit."""
    from playbooks.__main__ import main as stanch
    from playbooks.drills import drill

    drill.prepared = functools.partial(drill.prepared, runner=runner)
    sys.argv = ["stanch", "drill", *arguments]
    try:
        stanch()
    finally:
        runner.end()


if __name__ == "__main__":
    main(forked(), *sys.argv[1:])
