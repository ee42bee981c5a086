"""Death at every statement of accepting, taking over and reconciling; and before a boot."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from evidence import ledger
from playbooks.case import holding, schema, store
from playbooks.case.enter import enter
from playbooks.case.store import CALL, LEASE, Store
from playbooks.errors import BusyError
from playbooks.respond import reconciler
from playbooks.wiring.parts import Parts
from tests.deployment import Deployment, deployed, go
from tests.stories.crash import Crash
from tests.stories.deaths import deaths
from tests.stories.effect import effect
from tests.stories.test_crash_sweep import converting, nobody, sampled

# Another host's process: nobody here can tell whether it lives.
ELSEWHERE = "elsewhere:1:2:3"


def rows(parts: Parts) -> dict[str, Any]:
    """Return what the database says of alerts, incidents, work and ledger, without chance."""
    db = Store(parts.engine)
    db.read(ledger.replay)
    tables = (schema.alerts, schema.incidents, schema.work)
    counts = {t.name: len(db.read(lambda c, one=t: c.execute(select(one)).all())) for t in tables}
    alerts = db.read(lambda c: c.execute(select(schema.alerts)).all())
    entries = [
        e.leaf.kind
        for i in db.read(store.incidents)
        for e in db.read(lambda c, one=i: list(ledger.entries(c, one.id)))
    ]
    seen = [(a.dedupe_key, a.incident, a.count) for a in alerts]
    severity = [i.severity.value for i in db.read(store.incidents)]
    return counts | {"seen": sorted(seen), "entries": sorted(entries), "severity": severity}


def found(deployment: Deployment, number: int, **changes: Any) -> bytes:
    """Return the nth finding about the target."""
    uid = f"{number:032x}"
    return deployment.finding(id=uid, arn=f"arn:aws:guardduty:eu-west-1:1:detector/d/{uid}")


# What is known before -> what is accepted.
ACCEPTED: dict[str, tuple[tuple[int, ...], int]] = {
    "the first": ((), 1),
    "one that joins": ((1,), 2),
    "one that is known": ((1,), 1),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_an_alert_is_in_whole_or_not_at_all_wherever_its_taker_dies(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, number = ACCEPTED[case]
    deployment = deployed(tmp_path)
    parts = deployment.parts()
    for one in before:
        deployment.take(parts, found(deployment, one))
    neither = rows(parts)
    parts.engine.dispose()
    letter = found(deployment, number)
    died: Counter[str] = Counter()
    wanted: Any = None
    for death in deaths(deployment, tmp_path, lambda p: deployment.take(p, letter)):
        left = rows(death.parts)
        whole = left != neither
        assert not whole or left == wanted, f"death {death.number}: a part of it"
        assert whole or not death.acknowledged, f"death {death.number}: acknowledged and lost"
        died["whole" if whole else "nothing"] += 1
        # Whoever had no answer sends again; a queue does so even where it had one.
        deployment.take(death.parts, letter)
        again = rows(death.parts)
        wanted = wanted or again
        assert again == wanted, f"death {death.number}"
        assert again["incidents"] == 1
    with capsys.disabled():
        print(f"\n{case}: {died.total()} deaths, {dict(died)}; each time one incident at last")
    assert died["whole"] >= 1 or case == "one that is known"


def held(parts: Parts, incident: str) -> tuple[str, int]:
    table = schema.incidents
    query = select(table.c.holder, table.c.fence).where(table.c.id == incident)
    row = Store(parts.engine).read(lambda conn: conn.execute(query).one())
    return row.holder, row.fence


def dead(deployment: Deployment, parts: Parts, incident: str) -> None:
    """Leave the incident held by a process of this host that was killed."""
    if (pid := os.fork()) == 0:
        with holding.held(Store(parts.engine), incident, holding.alive, parts.now, renewed=False):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)


def expired(deployment: Deployment, parts: Parts, incident: str) -> None:
    """Leave it held by a process elsewhere whose lease has run out."""
    now = deployment.now() - LEASE - timedelta(seconds=1)
    Store(parts.engine).commit(
        lambda conn: store.take(conn, incident, ELSEWHERE, holding.alive, now)
    )


LEFT: dict[str, Callable[[Deployment, Parts, str], None]] = {"dead": dead, "expired": expired}


@pytest.mark.parametrize("how", LEFT)
def test_a_lease_is_taken_over_though_whoever_takes_it_dies(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment = deployed(tmp_path)
    parts = deployment.parts()
    incident = deployment.take(parts).incident.id
    LEFT[how](deployment, parts, incident)
    holder, fence = held(parts, incident)
    assert holder
    parts.engine.dispose()

    def over(fresh: Parts) -> None:
        db = Store(fresh.engine)
        with holding.held(db, incident, holding.alive, fresh.now, renewed=False) as mine:
            mine.commit(lambda conn: store.set_status(conn, incident, "taken"))

    count = 0
    for death in deaths(deployment, tmp_path, over):
        count += 1
        _, now = held(death.parts, incident)
        assert fence <= now <= fence + 1, f"death {death.number}"
        db = Store(death.parts.engine)
        mine = holding.held(db, incident, holding.alive, death.parts.now, renewed=False)
        with mine as lease:
            assert lease.lease.fence == now + 1
            # What may still be under way elsewhere is waited for, whoever died since.
            quiet = lease.lease.quiet_from
            assert (quiet is not None) == (how == "expired"), f"death {death.number}"
            assert quiet is None or quiet <= deployment.now() + CALL
            with (
                pytest.raises(BusyError),
                holding.held(db, incident, holding.alive, death.parts.now, renewed=False),
            ):
                pass
        assert held(death.parts, incident) == ("", now + 1)
    with capsys.disabled():
        print(f"\ntake-over, holder {how}: {count} deaths, each time taken by the next")
    assert count > 5


def test_what_was_lost_is_due_once_though_the_reconciler_dies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment = deployed(tmp_path)
    parts = deployment.parts()
    incident = deployment.take(parts).incident.id
    db = Store(parts.engine)
    now = deployment.now()
    db.commit(lambda c: store.work_done(c, incident, store.last_work(c, incident, now), now))
    dead(deployment, parts, incident)
    parts.engine.dispose()

    def work(fresh: Parts) -> list[str]:
        rows = Store(fresh.engine).read(lambda conn: store.open_work(conn, incident))
        return [one.why for one in rows]

    count = 0
    for death in deaths(deployment, tmp_path, lambda p: reconciler.reconcile(p, Store(p.engine))):
        count += 1
        assert work(death.parts) in ([reconciler.WHY], [] if not death.acknowledged else None)
        for _ in range(2):
            reconciler.reconcile(death.parts, Store(death.parts.engine))
            assert work(death.parts) == [reconciler.WHY], f"death {death.number}"
    with capsys.disabled():
        print(f"\nreconciler: {count} deaths, each time due once")
    assert count > 5


def swept(
    deployment: Deployment,
    folder: Path,
    first: Callable[[Parts, Store], Any],
    again: Callable[[Parts], Any],
    incident: str,
    one_in: int,
) -> tuple[Crash, Any]:
    """Crash `first` everywhere and go on with `again`; return the crash and what is wanted."""
    parts = deployment.parts()

    async def on(fresh: Parts) -> None:
        await again(fresh)

    def examine(fresh: Parts) -> Any:
        return effect(deployment, fresh, incident)

    crash = Crash(deployment, folder, on, examine, chosen=lambda n: sampled(n, one_in))
    watched = crash.watch(parts)
    crash.armed = True
    asyncio.run(first(parts, watched))
    crash.armed = False
    asyncio.run(on(parts))
    wanted = json.loads(json.dumps(examine(parts), default=str))
    return crash, wanted


def same(crash: Crash, wanted: Any) -> None:
    """Hold every crash to the effect of the run that did not crash, each act recorded once."""
    assert crash.found
    assert wanted["world"]["open to all"] == []
    for where, one in crash.found.items():
        assert "error" not in one, f"{where}: {one['error']}"
        left = one["left"]
        assert left["world"] == wanted["world"], where
        assert left["journal"]["steps"] == wanted["journal"]["steps"], where
        for kind, step, count in left["journal"]["ledger"]:
            if kind in ("action.intent", "action.done"):
                assert count == 1, (where, kind, step)


def test_a_crash_at_any_point_is_found_and_finished_before_any_play(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The boot of the next process closes what stood open, though it enters nothing."""
    deployment = deployed(tmp_path)
    parts = deployment.parts()
    incident = deployment.take(parts).incident

    async def first(fresh: Parts, db: Store) -> None:
        await enter(fresh, db, incident.id, converting, incident.play)

    async def again(fresh: Parts) -> None:
        await reconciler.boot(fresh, Store(fresh.engine), nobody)
        opened = effect(deployment, fresh, incident.id)["world"]["open to all"]
        assert opened == [], "a host is open to all after the boot"
        await go(fresh, incident, converting, alive=nobody)

    crash, wanted = swept(deployment, tmp_path, first, again, incident.id, 4)
    with capsys.disabled():
        print(f"\n{crash.says('boot')}")
    same(crash, wanted)
