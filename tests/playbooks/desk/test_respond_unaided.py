"""A person's `stanch respond` contains the host although the database cannot commit."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, event

from playbooks.case import store
from playbooks.case.spool import Spool
from playbooks.case.store import Store
from playbooks.respond import importing
from playbooks.wiring.parts import assemble
from playbooks.wiring.settings import load
from tests.playbooks.desk.console import desk, stanch
from tests.playbooks.respond.away import BROKEN, missing
from tests.playbooks.scene import Scene, apart


@pytest.mark.parametrize("how", BROKEN)
@apart
def test_a_finding_from_a_person_is_answered_whatever_ails_the_disk(scene: Scene, how: str) -> None:
    def broken(conn: Any) -> None:
        # What is in memory has no disk that could be full.
        if conn.engine.url.database and not conn.get_execution_options().get("read_only"):
            conn.exec_driver_sql(BROKEN[how])

    with desk(scene) as made:
        event.listen(Engine, "begin", broken)
        ran = stanch("respond", made.finding, "--without-prefect")
        event.remove(Engine, "begin", broken)
        assert ran.status == 0, ran.err
        assert "in the spool" in ran.out
        assert missing(scene) == []
        parts = assemble(load())
        db = Store(parts.engine)
        spool = Spool(parts.settings.spool_path)
        assert not spool.empty()
        assert importing.bring_in(parts, db, spool) > 0
        [incident] = db.read(store.incidents)
        did = scene.changed()
        ran = stanch("resume", incident.id, "--without-prefect", "--json")
        assert (ran.status, ran.json["status"]) == (0, "contained, live flows possible"), ran.err
        assert scene.changed()[: len(did)] == did
        # Where the disk was full between intent and done, and IAM still shows what was before, the
        # same policy may be put again.
        puts = [c.params for c in scene.world.calls if c.operation == "PutRolePolicy"]
        assert len({json.dumps(put, sort_keys=True) for put in puts}) == 1
        parts.engine.dispose()
