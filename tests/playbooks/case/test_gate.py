"""The gate: what a mutating call meets, however and from which thread it is made."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from evidence import ledger
from playbooks.case import holding, schema
from playbooks.case.freezing import freeze, unfreeze
from playbooks.case.gate import STALE, Gate, finishing
from playbooks.case.record import Record
from playbooks.case.store import EVERYWHERE, Store
from playbooks.errors import FrozenError, LostLeaseError
from playbooks.wiring.gated import READS, mutating, through
from tests.playbooks.scene import Scene, apart, nothing

USED = ("ec2", "iam", "autoscaling", "elbv2", "sts", "cloudtrail", "kms", "s3")


def operations() -> list[str]:
    loader: Any = botocore.session.get_session().get_component("data_loader")
    return [
        name
        for service in USED
        for name in loader.load_service_model(service, "service-2")["operations"]
    ]


def test_what_only_reads_by_its_name_is_all_that_passes_ungated() -> None:
    known = operations()
    free = [name for name in known if not mutating(name)]
    assert all(name.startswith(READS) for name in free)
    begin = ("Create", "Delete", "Put", "Modify", "Run", "Terminate", "Attach", "Enter", "Revoke")
    assert not [name for name in free if name.startswith(begin)]
    assert len([name for name in known if mutating(name)]) > 300


def test_the_gate_is_its_thread_s_and_its_caller_s_alone() -> None:
    met: list[str] = []
    assert through(met.append, lambda: 1) == 1
    with pytest.raises(ZeroDivisionError):
        through(met.append, lambda: 1 // 0)
    with ThreadPoolExecutor(1) as pool:
        assert through(met.append, lambda: pool.submit(lambda: 2).result()) == 2
    assert met == []


@pytest.mark.parametrize("pooled", [False, True])
@apart
def test_each_request_of_a_case_is_stopped_and_reads_are_not(scene: Scene, pooled: bool) -> None:
    incident = scene.take()
    pool = ThreadPoolExecutor(2) if pooled else None
    case = replace(scene.case(incident), parts=replace(scene.parts, pool=pool))
    ec2 = scene.aws("ec2")
    tag: dict[str, Any] = {"Resources": [scene.estate.target], "Tags": [{"Key": "k", "Value": ""}]}
    freeze(scene.store, case.record, EVERYWHERE, "why")
    asyncio.run(case.call(lambda: ec2.describe_instances()))
    with pytest.raises(FrozenError):
        asyncio.run(case.call(lambda: ec2.create_tags(**tag)))
    assert scene.changed() == []

    async def at_the_end() -> None:
        with finishing():
            await case.call(lambda: ec2.create_tags(**tag))

    asyncio.run(at_the_end())
    assert scene.changed() == ["CreateTags"]
    unfreeze(scene.store, case.record, EVERYWHERE, "why")
    asyncio.run(case.call(lambda: ec2.delete_tags(**tag)))
    assert scene.changed() == ["CreateTags", "DeleteTags"]


@apart
def test_whoever_lost_the_incident_calls_nothing_more_not_even_to_finish(scene: Scene) -> None:
    incident = scene.take()
    now = scene.parts.now
    with holding.held(scene.store, incident.id, nobody, now, renewed=False) as first:
        case = replace(scene.case(incident, nothing), store=first)
        with holding.held(scene.store, incident.id, nobody, now, renewed=False):
            with pytest.raises(LostLeaseError, match="taken over"), finishing():
                case.gate("CreateTags")


def nobody(holder: str) -> bool:
    """Say that whoever held it is dead."""
    return False


def opened(path: Path) -> Store:
    engine = ledger.sqlite_engine(path / "gate.db")
    with engine.begin() as conn:
        ledger.create_schema(conn)
        schema.metadata.create_all(conn)
    return Store(engine)


class Fallible(Store):
    """A store whose database goes away, and comes back."""

    away = False

    def read(self, work: Any) -> Any:
        if self.away:
            raise OperationalError("select", {}, OSError("gone"))
        return super().read(work)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["freeze", "lift", "away", "back"]), st.integers(0, 700)),
        max_size=12,
    )
)
def test_what_was_read_counts_for_ten_minutes_and_no_longer(
    tmp_path_factory: Any, said: list[tuple[str, int]]
) -> None:
    db = Fallible(opened(tmp_path_factory.mktemp("gate")).engine)
    clock = [datetime.fromisoformat("2026-03-01T00:00:00+00:00")]
    gate = Gate(db, "111122223333", None, lambda: clock[0])
    record = Record("alice", lambda: clock[0], lambda n: bytes(n))
    read_at, was, frozen = None, False, False
    for what, pause in said:
        clock[0] += timedelta(seconds=pause)
        if what == "freeze" and not frozen:
            freeze(Store(db.engine), record, EVERYWHERE, "why")
            frozen = True
        elif what == "lift" and frozen:
            unfreeze(Store(db.engine), record, EVERYWHERE, "why")
            frozen = False
        elif what in ("away", "back"):
            db.away = what == "away"
        if not db.away:
            read_at, was = clock[0], frozen
        stale = read_at is None or clock[0] - read_at > STALE
        if stale or was:
            with pytest.raises(FrozenError, match="cannot be read" if stale else "alice"):
                gate("RunInstances")
        else:
            gate("RunInstances")
    db.engine.dispose()
