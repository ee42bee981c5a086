"""The walls of the house: who may import what, how long a file may be, what no file may hold."""

import ast
import functools
import statistics
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from tests import walls
from tests.walls import EVERYWHERE, IN_ROOMS, OUTSIDE, ROOMS, Check, Source

ROOT = Path(__file__).resolve().parents[1]
# Modules that decide or compute and never reach out, not even through what they import.
PURE = {
    "actions": "action engine errors journal one_way permission policy vault.policy",
    "evidence": "bag canonical cosignature jws_token leaf manifest merkle note sources.block_tree "
    "sources.flow_lines sources.flow_place sources.inflated sources.trail_digest "
    "sources.trail_place sources.trail_recheck sources.vault_left sources.volatility strict_json",
    "playbooks.case": "answers guard incident residual severity",
}
WHOLLY_PURE = ("playbooks.intake.", "playbooks.duties.")


@functools.cache  # what a file says is parsed once for all checks
def sources(*folders: str) -> dict[str, Source]:
    """Return every module under these folders, by dotted name."""
    found = {}
    for path in sorted(p for folder in folders for p in (ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = ".".join(parts)
        found[module] = Source(module, path.read_text(encoding="utf-8"))
    return found


HOUSE = sources(*ROOMS)


def pure() -> list[str]:
    """Return the modules that are to be pure."""
    named = [f"{room}.{name}" for room, names in PURE.items() for name in names.split()]
    return named + [m for m in HOUSE if m.startswith(WHOLLY_PURE)]


def reached(module: str, house: dict[str, Source]) -> set[str]:
    """Return all that a module imports when it runs, through our own modules too."""
    found: set[str] = set()
    left = [module]
    while left:
        for name in walls.imports(house[left.pop()], running=True) - found:
            found.add(name)
            left += [n for n in (name, f"{name}.__init__") if n in house]
    return found


@pytest.mark.parametrize("check", [*IN_ROOMS, *EVERYWHERE], ids=lambda c: c.__name__)
def test_the_rooms_keep_their_walls(check: Check) -> None:
    wrong = {module: check(source) for module, source in HOUSE.items()}
    assert {module: said for module, said in wrong.items() if said} == {}


@pytest.mark.parametrize("check", EVERYWHERE, ids=lambda c: c.__name__)
def test_tests_and_bench_keep_the_house_rules(check: Check) -> None:
    wrong = {m: check(s) for m, s in sources("tests", "bench").items()}
    assert {m: w for m, w in wrong.items() if w} == {}


@pytest.mark.parametrize("module", pure())
def test_a_pure_module_reaches_nothing_outside(module: str) -> None:
    tops = {name.partition(".")[0] for name in reached(module, HOUSE)}
    assert tops & OUTSIDE == set()


def test_half_of_all_files_fit_on_two_screens() -> None:
    lines = [s.text.count("\n") for s in HOUSE.values() if s.stem != "__init__"]
    assert statistics.median(lines) <= 120


@pytest.mark.parametrize("room", ROOMS)
def test_a_root_package_in_this_environment_is_ours(room: str) -> None:
    assert packages_distributions().get(room) == ["stanch"], (
        f"another distribution also installs {room!r}; Stanch needs a venv of its own"
    )


def catalogue() -> dict[str, str]:
    """Return deployment name -> entrypoint, as prefect.yaml has them."""
    path = ROOT / "prefect.yaml"
    if not path.exists():
        pytest.skip("prefect.yaml is not written yet; add it to have its deployments checked")
    deployments = yaml.safe_load(path.read_text(encoding="utf-8"))["deployments"]
    return {d["name"]: d["entrypoint"] for d in deployments}


def test_every_play_has_a_deployment_and_every_deployment_is_a_play() -> None:
    deployed = {entry.partition(":")[0] for entry in catalogue().values()}
    # Modules, not files: a worker runs in an empty folder, and files are looked for there.
    plays = {module for module, source in HOUSE.items() if source.is_play}
    assert deployed - {f"playbooks.{name}" for name in walls.SCHEDULES} == plays


def test_every_deployment_imports() -> None:
    # In a process of its own: importing Prefect sets up logging and starts threads.
    entries = [entry.partition(":") for entry in catalogue().values()]
    assert entries
    code = "\n".join(f"from {module} import {name}" for module, _, name in entries)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


REFLEX = "async def r(case):\n    await case.act(X())\n\n@play(reflex=r)\nasync def f(case):\n"
BAD = [
    (walls.walls, "actions.a", "import evidence.merkle"),
    (walls.walls, "actions.a", "def f():\n    from playbooks.case import guard"),
    (walls.walls, "evidence.a", "from actions.action import Lens"),
    (walls.walls, "evidence.a", "import importlib\nimportlib.import_module('actions.engine')"),
    (walls.walls, "playbooks.a", "from tests.actions import driver"),
    (walls.layers, "playbooks.case.a", "from playbooks.desk.cli import main"),
    (walls.layers, "playbooks.wiring.a", "from ..case import guard"),
    (walls.layers, "playbooks.intake.a", "from playbooks.drills.range.world import World"),
    (walls.layers, "playbooks.case.a", "from playbooks import compromised_instance"),
    (walls.prefect, "playbooks.case.guard", "from prefect import flow"),
    (walls.prefect, "actions.a", "import prefect.states"),
    (walls.clients, "actions.aws.a", "import boto3\nboto3.client('ec2')"),
    (walls.clients, "evidence.a", "def f(s):\n    return s.resource('s3')"),
    (
        walls.plays,
        "playbooks.a",
        "@play\nasync def f(case):\n    try:\n        pass\n    finally: 1",
    ),
    (walls.plays, "playbooks.a", "import time\n@play\nasync def f(case): ..."),
    (walls.plays, "playbooks.a", "import boto3\n@play\nasync def f(case): ..."),
    (walls.plays, "playbooks.a", "@play\nasync def f(case):\n    while True: ..."),
    (walls.plays, "playbooks.a", "from actions.aws.clients import Aws\n@play\nasync def f(c): ..."),
    (walls.plays, "playbooks.a", "async def f(case): ..."),
    (walls.plays, "playbooks.a", "@play(reflex=r)\nasync def f(case): ..."),
    (walls.plays, "playbooks.a", f"{REFLEX}    await case.act(X())\n    await r(case)"),
    (walls.plays, "playbooks.a", f"{REFLEX}    await case.act(X())"),
    (
        walls.plays,
        "playbooks.a",
        f"{REFLEX.replace('act', 'ask')}    await case.keep(r(case))",
    ),
    (walls.plays, "playbooks.a", "@play(r)\nasync def f(case): ..."),
    *((walls.naive_time, "actions.a", f"datetime.{call}()") for call in ("now", "utcnow")),
    (walls.naive_time, "actions.a", f"datetime.datetime.{'utcnow'}()"),
    (walls.naive_time, "actions.a", "datetime.fromtimestamp(1)"),
    (walls.naive_time, "actions.a", "date.today()"),
    (walls.unsafe, "actions.a", "run('ls', shell=True)"),
    (walls.unsafe, "actions.a", "import pickle"),
    (walls.unsafe, "actions.a", "eval('1')"),
    (walls.unsafe, "actions.a", "client('s3', verify=False)"),
    (walls.unsafe, "actions.a", "try:\n    f()\nexcept Exception:\n    pass"),
    (walls.size, "actions.a", "x = 1\n" * 401),
    (walls.naming, "actions.aws.utils", ""),
    (walls.naming, "playbooks.common.a", ""),
    (walls.machine_paths, "actions.a", "PLACE = '/" + "home/me/x'"),
]
GOOD = [
    (walls.walls, "playbooks.a", "from actions.action import Lens\nimport evidence"),
    (walls.layers, "playbooks.desk.a", "from playbooks.case import guard"),
    (walls.layers, "playbooks.case.a", "from playbooks.errors import PlaybookError"),
    (walls.prefect, "playbooks.case.play", "from prefect import flow"),
    (walls.clients, "actions.aws.a", "from botocore.exceptions import ClientError"),
    (walls.plays, "playbooks.case.a", "import time"),
    (
        walls.plays,
        "playbooks.a",
        f"{REFLEX}    await case.tell(x)\n    await case.together(case.keep(y), r(case))",
    ),
    (
        walls.plays,
        "playbooks.a",
        "from actions.aws.deny_instance_sessions import DenyInstanceSessions\n"
        "@play\nasync def f(case):\n    await case.seal('x')",
    ),
    (
        walls.naive_time,
        "actions.a",
        "datetime.now(UTC)\nself.now()\ndatetime.fromtimestamp(1, UTC)",
    ),
    (walls.unsafe, "actions.a", "try:\n    f()\nexcept KeyError:\n    pass\nrun(['ls'])"),
    (walls.machine_paths, "actions.a", "URL = 'https://example.org/home/x'"),
]


@pytest.mark.parametrize(("check", "module", "text"), BAD)
def test_each_wall_stops_what_it_is_for(check: Check, module: str, text: str) -> None:
    assert check(Source(module, text)) != []


@pytest.mark.parametrize(("check", "module", "text"), GOOD)
def test_each_wall_lets_the_rest_through(check: Check, module: str, text: str) -> None:
    assert check(Source(module, text)) == []


def test_every_wall_is_shown_to_stop_something() -> None:
    assert {check for check, _, _ in BAD} == {*EVERYWHERE, *IN_ROOMS}


def test_purity_is_seen_through_our_own_modules() -> None:
    house = {
        "actions.a": Source("actions.a", "from actions.b import f"),
        "actions.b": Source("actions.b", "import boto3"),
        "actions.c": Source("actions.c", "if TYPE_CHECKING:\n    import boto3"),
    }
    assert "boto3" in reached("actions.a", house)
    assert reached("actions.c", house) == set()
    assert isinstance(house["actions.a"].tree, ast.Module)
