"""Each thing that a drill can break turns exactly its own claims red, and no other."""

import json
import os
import traceback
from pathlib import Path
from typing import Any

import pytest

import evidence.__main__
import playbooks.__main__
import playbooks.compromised_instance
from playbooks.drills import breaking, launched, scenarios, script
from playbooks.drills.drill import build, prepared
from playbooks.drills.stage import Scenario
from tests.sample import FULL, SAYS, of_the_day
from tests.stories.zygote import Forked

# As many as two cores take: a drill waits for most of its time.
AT_ONCE = 4
SABOTAGES = scenarios.sabotages()
# What is walked: nothing broken in any scenario, and of what can be broken a few.
WHOLE = [f"nothing in {name}" for name in scenarios.NAMES]
# What is whole in each is claimed by `make drill`; a drill takes half a minute of a core.
SAMPLE = of_the_day(("denial", "user-denial", "way-back"))


# Imported once, for every process that is forked here.
PRELOADED = (evidence.__main__, playbooks.__main__.built(), playbooks.compromised_instance)


def played(name: str) -> Scenario:
    """Return the scenario that is walked under this name."""
    return scenarios.find(
        SABOTAGES[name][0] if name in SABOTAGES else name.removeprefix("nothing in ")
    )


def drilled(name: str, folder: Path, world: Any, estate: Any) -> None:
    """Run a drill with this broken; leave what it claimed in the folder."""
    runner, scenario = Forked(), played(name)
    with prepared(
        scenario,
        folder,
        world,
        estate,
        prefect=False,
        runner=runner,
        broken=name if name in SABOTAGES else "",
        serve_with=("--without-prefect",),
    ) as drill:
        ended = False
        try:
            scenario.play(drill, folder)
            ended = True
        finally:
            drill.score.claim("the drill ran to its end", True, ended)
            drill.score.write(folder / "scorecard.json")
    runner.end()


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every drill's claims by what was broken; each has its own copy of one world."""
    base = tmp_path_factory.mktemp("sabotage")
    world, estate = build()
    chosen = os.environ.get("STANCH_SABOTAGES", "").split()
    names = chosen or ([*WHOLE, *SABOTAGES] if FULL else SAMPLE)
    running: dict[int, str] = {}
    for name in names:
        if len(running) == AT_ONCE:
            running.pop(os.wait()[0])
        folder = base / name
        folder.mkdir()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                drilled(name, folder, world, estate)
                status = 0
            except BaseException:
                (folder / "trace").write_text(traceback.format_exc())
            finally:
                os._exit(status)
        running[child] = name
    while running:
        running.pop(os.wait()[0])
    found = {}
    for name in names:
        card = base / name / "scorecard.json"
        assert card.exists(), (base / name / "trace").read_text()
        found[name] = json.loads(card.read_text())
    return found


@pytest.mark.parametrize("name", [*WHOLE, *SABOTAGES])
def test_what_is_broken_turns_exactly_its_claims_red(
    walked: dict[str, dict[str, Any]], name: str
) -> None:
    if name not in walked:
        pytest.skip(f"{SAYS}, or name some in STANCH_SABOTAGES")
    red = {claim["name"] for claim in walked[name]["claims"] if not claim["ok"]}
    wanted = SABOTAGES[name][1].claims if name in SABOTAGES else frozenset()
    assert {"besides": red - wanted, "held all the same": wanted - red} == {
        "besides": set(),
        "held all the same": set(),
    }
    # The scorecard is what the command's exit status follows.
    assert walked[name]["ok"] is (name in WHOLE)


def test_every_claim_is_somebodys() -> None:
    """A name that no drill claims would be a typing error: the sets above would never hold."""
    here = Path(script.__file__).parent
    files = [*here.glob("*_act.py"), here / "looks.py", here / "asking.py", *here.glob("acts/*.py")]
    source = "".join(path.read_text() for path in files)
    for _, sabotage in SABOTAGES.values():
        assert sabotage.claims
        for claim in sabotage.claims:
            stem = claim.split(",")[0].removesuffix(" rollback").removesuffix(" release")
            assert stem in source, claim


def test_a_thing_that_is_not_there_cannot_be_broken() -> None:
    with pytest.raises(AttributeError):
        breaking.put(script, "no such thing", None)


def test_what_is_launched_follows_the_ranges_time(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    before = launched.parts.now
    try:
        clock.write_text("0")
        launched.follow(clock)
        early = launched.parts.now()
        clock.write_text("3600")
        ahead = (launched.parts.now() - early).total_seconds()
    finally:
        launched.parts.now = before
    assert 3600 <= ahead < 3660
