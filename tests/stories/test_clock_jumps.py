"""The machine's clock jumps by an hour, ahead or back, under whoever serves and works."""

import random
import threading
from pathlib import Path
from typing import Any

import pytest

from playbooks.case import store
from tests.sample import each_of_the_day
from tests.stories.kindling import Kindled, kindled
from tests.stories.restless import HOSTS, Restless, contained, restless, storm

HOUR = 3600.0


@pytest.fixture(scope="module")
def fire(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with kindled(tmp_path_factory.mktemp("fire")) as made:
        yield made


def acts(here: Restless) -> int:
    return sum(c.operation == "PutRolePolicy" for c in here.ours())


JUMPS = [pytest.param(HOUR, id="ahead"), pytest.param(-HOUR, id="back")]


@pytest.mark.parametrize("jump", each_of_the_day(JUMPS))
def test_a_clock_that_jumps_loses_and_doubles_nothing(
    jump: float, fire: Kindled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It jumps with plays at work, a request signed by the right clock is refused, and it is set
    right again: a sender that insists gets in, and each lease, timer and question holds."""
    rng = random.Random(f"47/{jump}")
    with restless(tmp_path, fire) as here:
        here.serve()
        here.start("worker", "--without-prefect")
        sends = storm(here, rng)
        refusal = here.told(0, 90)
        here.insist(here.told(0, 91))

        def jumps() -> list[int]:
            here.until(lambda: acts(here))
            here.shift(jump)
            answer = here.post(refusal)
            seen = [answer.status if answer else 0]
            threading.Event().wait(rng.uniform(1, 3))
            here.shift(0)
            answer = here.post(refusal)
            return [*seen, answer.status if answer else 0]

        sending = threading.Thread(target=lambda: [send() for send in sends])
        seen = []
        sending.start()
        seen = jumps()
        sending.join()
        # Signed an hour off by the clock that is wrong, and in time by the one that is right.
        assert seen == [403, 202]
        here.settled()
        hosts = contained(here)
        assert len(hosts) == HOSTS
        for incident in hosts.values():
            # The follow-up that CloudTrail's lag asks for is still to come, at its time.
            work = here.db.read(lambda conn, one=incident: store.open_work(conn, one))
            due = [w.due for w in work if w.why == store.TIMER]
            assert due, incident
            assert max(due) > here.world.now()
            asked = here.db.read(lambda conn, one=incident: store.questions(conn, one))
            assert [q.state for q in asked] == ["open"], incident
            assert asked[0].expires > here.world.now()
        with capsys.disabled():
            print(
                f"\nthe clock {'an hour ahead' if jump > 0 else 'an hour back'} in mid-storm: "
                f"{len(here.accepted)} alerts accepted, {len(here.alerts())} recorded in "
                f"{len(hosts)} incidents, {acts(here)} denials for {len(hosts)} hosts"
            )
