"""Processes that stay, over HTTP: they share the work, stop without losing it, and start again."""

import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from playbooks.case import schema, store
from tests.playbooks.respond.living import PATIENCE, Living, living

# What the estate's host takes exactly once. A denial may be written twice: it is the same one.
ONCE = ("EnterStandby", "CreateSnapshots")
# Seconds after which a paused process has lost its lease; a test that waits for it takes a minute.
FULL = os.environ.get("STANCH_CRASH") == "full"


def ended(here: Living, incident: str) -> bool:
    return "play.ended" in here.kinds(incident) and not here.read(
        lambda conn: [w for w in store.open_work(conn, incident) if w.why != store.TIMER]
    )


def changes(here: Living) -> Counter[str]:
    return Counter(c.operation for c in list(here.world.calls) if c.mutating and not c.error)


def holders(here: Living) -> list[str]:
    table = schema.incidents
    return here.read(
        lambda conn: list(conn.scalars(table.select().with_only_columns(table.c.holder)))
    )


def denials(here: Living) -> list[str]:
    """Return the names of the policies on the role that deny a host's sessions."""
    iam: Any = here.world.client("iam", here.world.admin, here.estate.region)
    role = here.estate.role.rpartition("/")[2]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return [name for name in names if name.startswith("stanch-deny-sessions-")]


def hosts(here: Living, count: int) -> list[str]:
    """Start hosts that no scaling group watches, with the estate's role."""
    ec2: Any = here.world.client("ec2", here.world.admin, here.estate.region)
    profile = {"Name": here.estate.profile}
    made = ec2.run_instances(
        ImageId=here.estate.image, MinCount=count, MaxCount=count, IamInstanceProfile=profile
    )
    here.world.calls.clear()
    return [i["InstanceId"] for i in made["Instances"]]


def test_a_stop_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    with living(tmp_path) as here:
        first = here.start("serve", "--port", "0", "--without-prefect")
        here.world.calls.clear()
        assert here.post(first) == (202, {"incident": "INC-0001", "new": True})
        here.until(lambda: here.calls("PutRolePolicy"))
        assert here.stop(first) == 0
        assert holders(here) == [""]
        assert not ended(here, "INC-0001")
        again = here.start("serve", "--port", "0", "--without-prefect")
        here.until(lambda: ended(here, "INC-0001"))
        assert here.post(again) == (202, {"incident": "INC-0001", "new": False})
        assert here.stop(again) == 0
        assert here.status("INC-0001").startswith("contained")
        made = changes(here)
        assert len(denials(here)) == 1
        assert {name: made[name] for name in ONCE} == dict.fromkeys(ONCE, 1)


def test_two_processes_share_the_work_and_do_each_once(tmp_path: Path) -> None:
    with living(tmp_path) as here:
        ids = hosts(here, 3)
        door = here.start("serve", "--port", "0", "--without-prefect")
        here.start("worker", "--without-prefect")
        here.world.calls.clear()
        named = [here.post(door, n, host)[1]["incident"] for n, host in enumerate(ids, 1)]
        assert len(set(named)) == len(ids)
        here.until(lambda: all(ended(here, one) for one in named), 180)
        for one in named:
            kinds = Counter(here.kinds(one))
            assert (kinds["reflex.ended"], kinds["play.ended"]) == (1, 1)
            assert here.status(one).startswith("contained")
        assert len(denials(here)) == len(ids)
        assert [here.stop(child) for child in here.children] == [0, 0]


@pytest.mark.skipif(not FULL, reason="takes a minute: set STANCH_CRASH=full to have it run")
def test_a_paused_process_that_wakes_does_no_more(tmp_path: Path) -> None:
    with living(tmp_path) as here:
        paused = here.start("serve", "--port", "0", "--without-prefect")
        here.world.calls.clear()
        here.post(paused)
        here.until(lambda: here.calls("PutRolePolicy"))
        paused.send_signal(signal.SIGSTOP)
        taker = here.start("worker", "--without-prefect")
        here.until(lambda: ended(here, "INC-0001"), 180)
        done = changes(here)
        paused.send_signal(signal.SIGCONT)
        here.until(lambda: "was taken over meanwhile" in here.said())
        time.sleep(2)  # What it would still do, it would do now.
        assert changes(here) == done
        assert {name: done[name] for name in ONCE} == dict.fromkeys(ONCE, 1)
        assert [here.stop(taker), here.stop(paused)] == [0, 0]


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with living(tmp_path) as here:
        child = here.start("serve", "--port", "0", "--without-prefect")
        here.world.calls.clear()
        here.post(child)
        here.until(lambda: here.calls("PutRolePolicy"))
        child.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        child.send_signal(signal.SIGTERM)
        assert child.wait(10) in (0, 128 + signal.SIGTERM)
        again = here.start("worker", "--without-prefect")
        here.until(lambda: ended(here, "INC-0001"))
        assert here.stop(again) == 0
        assert len(denials(here)) == 1


def test_a_process_whose_responder_broke_off_ends_and_says_so(tmp_path: Path) -> None:
    """It must not go on taking in what it never answers."""
    with living(tmp_path) as here:
        child = here.start("worker", "--without-prefect")
        # What no version of Stanch writes: a time that is none.
        row = {"incident": "INC-0001", "why": "timer", "due": "0", "tries": 0, "error": ""}
        here.db.commit(lambda conn: conn.execute(insert(schema.work).values(**row, done=False)))
        assert child.wait(timeout=PATIENCE) == 1
        [line] = [one for one in here.logged() if one["level"] == "critical"]
        assert line["event"].startswith("the responder broke off")
