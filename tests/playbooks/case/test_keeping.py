"""Keep, tell and seal: what fails is recorded as partial; only sealing fails closed."""

import asyncio
import errno
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from evidence import ledger
from evidence.errors import LockerError
from evidence.sources.item import Item, Missed
from playbooks.case.answers import Kept
from playbooks.case.case import Case
from playbooks.case.story import story
from playbooks.errors import SettingsError
from tests.playbooks.case.test_approvals import tagging
from tests.playbooks.scene import Scene, apart

GOOD = Item("facts.json", "application/json", b"{}", False, "ec2.describe_instances")


@dataclass(frozen=True)
class Source:
    """A source that gives what it is told to, then breaks as it is told to."""

    account: str
    region: str
    gives: tuple[Any, ...] = (GOOD,)
    breaks: BaseException | None = None
    name: str = "test_facts"

    def collect(self, reading: Any) -> Iterator[Any]:
        yield from self.gives
        if self.breaks:
            raise self.breaks


def keeping(seen: list[Kept], **how: Any) -> Any:
    async def body(case: Case) -> None:
        source = Source(case.target.account, case.target.region, **how)
        seen.append(await case.keep(source))
        await tagging(case)

    return body


BREAKS = {
    "locker": LockerError("the locker is broken"),
    "disk": OSError(errno.ENOSPC, "No space left on device"),
    "unforeseen": KeyError("canary-value"),
}


@pytest.mark.parametrize("name", BREAKS)
@apart
def test_a_keep_that_breaks_is_partial_and_blocks_nothing(scene: Scene, name: str) -> None:
    seen: list[Kept] = []
    incident, end = scene.play(keeping(seen, breaks=BREAKS[name]))
    assert end.state == "Completed"
    assert scene.steps(incident)["tag_incident"].phase == "done"
    assert [a["name"] for a in seen[0].artifacts] == ["facts.json"]
    assert [m["name"] for m in seen[0].missed] == ["test_facts"]
    assert "canary" not in str(seen[0])
    (kept,) = [e for e in scene.entries(incident) if e.leaf.kind == "keep.done"]
    assert kept.body["missed"] == list(seen[0].missed)


@apart
def test_a_disk_that_is_full_from_the_start_blocks_nothing(scene: Scene) -> None:
    class Full:
        def put(self, data: bytes) -> Any:
            raise OSError(errno.ENOSPC, "No space left on device")

    seen: list[Kept] = []
    scene.parts = replace(scene.parts, locker=Full())  # type: ignore[arg-type]
    incident, end = scene.play(keeping(seen))
    assert (end.state, bool(seen[0])) == ("Completed", False)
    assert "No space left" in seen[0].missed[0]["error"]
    assert scene.steps(incident)["tag_incident"].phase == "done"


@apart
def test_what_a_source_missed_is_recorded(scene: Scene) -> None:
    seen: list[Kept] = []
    missed = Missed("console", "ec2.get_console_output", "AccessDenied")
    scene.play(keeping(seen, gives=(missed, GOOD)))
    assert seen[0].missed == (
        {"name": "console", "call": "ec2.get_console_output", "error": "AccessDenied"},
    )
    assert seen[0]


@apart
def test_what_is_kept_is_kept_once(scene: Scene) -> None:
    seen: list[Kept] = []
    body = keeping(seen)
    incident, _ = scene.play(body)
    kinds = scene.kinds(incident)
    scene.enter(incident, body)
    assert seen[0] == seen[1]
    assert scene.kinds(incident)[len(kinds) :] == ["play.ended"]
    assert kinds.count("artifact.stored") == kinds.count("keep.done") == 1


@apart
def test_an_account_that_is_not_ours_is_no_mere_miss(scene: Scene) -> None:
    error = SettingsError("account 999988887777 is not in the settings")
    _, end = scene.play(keeping([], breaks=error))
    assert end.state == "Refused"
    assert scene.changed() == []


@apart
def test_people_are_told_once_and_again_after_a_crash(scene: Scene) -> None:
    async def body(case: Case) -> None:
        await case.tell(case.stakeholders, "opened", residual=("a", "b"))

    incident, _ = scene.play(body)
    scene.enter(incident, body)
    (told,) = [e for e in scene.entries(incident) if e.leaf.kind == "notification"]
    assert told.body["told"] == ["security-team"]
    assert told.body["facts"] == {"residual": ["a", "b"]}


@apart
def test_a_seal_signs_all_that_came_before_and_names_orphans(scene: Scene) -> None:
    incident, _ = scene.play(tagging)

    async def newer(case: Case) -> None:
        await case.seal("final")

    scene.enter(incident, newer)
    (sealed,) = [e for e in scene.entries(incident) if e.leaf.kind == "case.seal"]
    (step,) = scene.steps(incident).values()
    assert sealed.body["orphans"] == [step.step]
    assert sealed.body["steps"] == {step.step: "done"}
    assert all(e.index is not None for e in scene.entries(incident))
    assert scene.store.read(ledger.latest_checkpoint) is not None


@apart
def test_sealing_fails_closed(scene: Scene) -> None:
    async def body(case: Case) -> None:
        def no_salt(count: int) -> bytes:
            raise LockerError("nothing can be written")

        case.parts = replace(case.parts, random=no_salt)
        await case.seal("interim")

    incident = scene.take()
    with pytest.raises(LockerError):
        scene.enter(incident, body)
    assert "case.seal" not in scene.kinds(incident)


@apart
def test_a_case_repeats_what_it_says_of_time(scene: Scene) -> None:
    incident = scene.take()
    case = scene.case(incident)
    before = (case.now(), case.window)
    assert not case.due(timedelta(minutes=20), "trail")
    assert not case.due(timedelta(minutes=20), "trail")
    scene.world.tick(1200)
    again = scene.case(incident)
    assert (again.now(), again.window) == before
    assert again.due(timedelta(minutes=20), "trail")
    (noted,) = [e for e in scene.entries(incident) if e.leaf.kind == "follow-up.noted"]
    told = scene.store.read(lambda conn: story(conn, incident.id))
    assert told["follow_ups"] == [{"what": "trail", "at": noted.body["at"]}]
    start, end = case.window
    assert start < incident.opened < end
    scene.set(keep_ssm=True)
    assert scene.case(incident).keep_ssm


@apart
def test_calls_run_in_the_pool_where_there_is_one(scene: Scene) -> None:
    import threading
    from concurrent.futures import ThreadPoolExecutor

    case = scene.case(scene.take())
    assert asyncio.run(case.call(threading.get_ident)) == threading.get_ident()
    case.parts = replace(case.parts, pool=ThreadPoolExecutor(1))
    assert asyncio.run(case.call(threading.get_ident)) != threading.get_ident()
