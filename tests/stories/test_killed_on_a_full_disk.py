"""`stanch serve` is killed while its database's disk is full, and started again while it is."""

import random
from pathlib import Path
from typing import Any

import pytest

from playbooks.case.spool import Spool
from tests.stories.kindling import kindled
from tests.stories.restless import HOSTS, Restless, contained, restless, storm
from tests.stories.test_without_database import fill, small_disk


def denied(here: Restless) -> set[str]:
    """Return the hosts whose sessions are denied."""
    iam: Any = here.world.client("iam", here.world.admin)
    names = iam.list_role_policies(RoleName=here.estate.role)["PolicyNames"]
    return {host for host in here.hosts if f"stanch-deny-sessions-{host}" in names}


def test_killed_on_a_full_disk_it_loses_and_doubles_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(53)
    folder = tmp_path / "here"
    folder.mkdir(mode=0o700)
    with kindled(tmp_path / "fire") as fire, small_disk(folder / "home", 24):
        with restless(folder, fire) as here:
            spool = Spool(here.made.settings.spool_path)
            sends = storm(here, rng)
            child = here.serve()
            filler = fill(folder / "home")
            for send in sends[: len(sends) // 2]:
                send()
            here.until(lambda: any(c.operation == "PutRolePolicy" for c in here.ours()))
            here.kill(child)
            waiting = len(spool.read().records)
            child = here.serve()
            for send in sends[len(sends) // 2 :]:
                send()
            # What it held of them in memory died with the first; the spool tells the second.
            here.until(lambda: denied(here) == set(here.hosts))
            here.kill(child)
            spooled = len(spool.read().records)
            assert spooled > waiting > 0
            here.serve()
            filler.unlink()
            here.settled()
            assert len(contained(here)) == HOSTS
            assert spool.empty()
            with capsys.disabled():
                print(
                    f"\nfull disk, killed twice: {waiting}, then {spooled} records spooled; "
                    f"{len(here.accepted)} alerts accepted, {len(here.alerts())} recorded in "
                    f"{HOSTS} incidents"
                )
