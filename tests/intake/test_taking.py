"""However alerts arrive, the same incidents come of them, and each alert is in exactly one."""

import os
import signal
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_door import House, house
from siem_findings import SENDER, data
from sqlalchemy import event

from playbooks.case import store
from playbooks.case.severity import from_finding
from playbooks.case.store import Store
from playbooks.intake.accepted import Accepted, Arrival, Came
from playbooks.intake.errors import ReplayedError
from playbooks.intake.generic import read_generic
from playbooks.respond.take import accept, accepting, rejecting
from playbooks.wiring.parts import assemble

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
SINCE = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
HOSTS = ("i-0a1b2c3d4e5f60718", "i-0a1b2c3d4e5f60719")
quick = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Sent:
    """One delivery: what makes it one, and nothing else."""

    uid: str
    host: str
    type: str
    sample: bool
    severity: float
    count: int
    minute: int

    def arrival(self, digest: str = "") -> Arrival:
        seen = (SINCE + timedelta(minutes=self.minute)).isoformat()
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        del fields["minute"]
        body = data(**fields, first_seen=SINCE.isoformat(), last_seen=seen)
        alert = read_generic(body, SENDER, received=NOW)
        return Arrival(alert, Came(f"siem:{SENDER}", digest, NOW if digest else None))

    @property
    def about(self) -> tuple[str, bool, bool]:
        return self.host, self.type != "odd", self.sample

    @property
    def free(self) -> bool:
        return self.type != "odd" and not self.sample and self.severity >= 7


def deliveries() -> st.SearchStrategy[list[Sent]]:
    """Deliveries of a few findings; all of one finding are on one host, of one type."""
    finding = st.tuples(
        st.sampled_from(HOSTS), st.sampled_from(["beacon", "scan", "odd"]), st.booleans()
    )
    growth = st.tuples(
        st.integers(0, 4),
        st.sampled_from([2.0, 5.0, 7.5, 9.5]),
        st.integers(1, 3),
        st.integers(0, 3),
    )
    return st.lists(finding, min_size=5, max_size=5).flatmap(
        lambda found: st.lists(
            growth.map(lambda g: Sent(f"u-{g[0]}", *found[g[0]], *g[1:])), min_size=1, max_size=9
        )
    )


def expected(sent: list[Sent]) -> dict:
    """What must come of these deliveries in whatever order, however often each came."""
    found: dict = {}
    for one in sent:
        of = found.setdefault(one.about, {"worst": "P3", "free": False, "alerts": {}})
        of["worst"] = min(of["worst"], from_finding(one.severity).value)
        of["free"] |= one.free
        count, minute = of["alerts"].get(one.uid, (0, 0))
        of["alerts"][one.uid] = max(count, one.count), max(minute, one.minute)
    return found


def come_of_it(at: House) -> dict:
    """The same, as the database has it."""
    found: dict = {}
    incidents = at.db.read(store.incidents)
    for incident in incidents:
        sample = incident.alert["unmapped"]["sample"]
        about = incident.target["id"], bool(incident.play), sample
        assert about not in found, "two incidents of one thing"
        found[about] = {
            "worst": incident.severity.value,
            "free": not incident.hindrances,
            "alerts": {
                key.rpartition(":")[2]: (count, _minute(seen))
                for key, count, seen in at.rows(
                    "SELECT dedupe_key, count, last_seen FROM alerts"
                    f" WHERE incident = '{incident.id}'"
                )
            },
        }
    return found


def _minute(seen: str) -> int:
    return int((datetime.fromisoformat(seen) - SINCE) / timedelta(minutes=1))


def whole(at: House) -> None:
    """What is opened, joined and allowed is in the ledger, and what may run is in the outbox."""
    kinds = Counter(
        kind
        for (leaf,) in at.rows("SELECT leaf FROM ledger_entries")
        for kind in ("case.open", "alert.joined", "case.allowed")
        if f'"{kind}"'.encode() in bytes(leaf)
    )
    ((incidents,),) = at.rows("SELECT count(*) FROM incidents")
    ((alerts,),) = at.rows("SELECT count(*) FROM alerts")
    ((with_play,),) = at.rows("SELECT count(*) FROM incidents WHERE play <> ''")
    ((work,),) = at.rows("SELECT count(*) FROM work")
    assert kinds["case.open"] == incidents
    assert kinds["alert.joined"] == alerts - incidents
    assert work == with_play + kinds["case.allowed"]


@pytest.fixture(params=["sqlite", "postgres"])
def at(request, tmp_path):
    """A new deployment, on SQLite and on PostgreSQL."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    made = house(tmp_path, url)
    yield made
    made.parts.engine.dispose()


@given(deliveries(), st.data())
@quick
def test_any_order_any_repeats_and_any_batches_end_in_the_same_incidents(sent, draw):
    order = draw.draw(
        st.permutations(sent + draw.draw(st.lists(st.sampled_from(sent), max_size=6)))
    )
    with TemporaryDirectory() as folder:
        at = house(Path(folder))
        take = accepting(at.parts, at.db)
        while order:
            size = draw.draw(st.integers(1, len(order)))
            batch, order = order[:size], order[size:]
            results = take([one.arrival() for one in batch])
            assert all(isinstance(one, Accepted) for one in results)
        assert come_of_it(at) == expected(sent)
        whole(at)
        at.parts.engine.dispose()


MIXED = [
    Sent(
        f"u-{n}", HOSTS[n % 2], ("beacon", "scan", "odd")[n % 3], n % 5 == 4, severity, count, count
    )
    for n in range(6)
    for severity, count in ((2.0, 1), (7.5, 2), (9.5, 1))
]


def test_what_is_taken_in_on_either_database_is_the_same(at):
    results = accepting(at.parts, at.db)([one.arrival() for one in MIXED * 2])
    assert Counter(getattr(r, "new", None) for r in results)[True] == len(expected(MIXED))
    assert come_of_it(at) == expected(MIXED)
    whole(at)


def test_processes_that_take_the_same_in_at_once_end_in_the_same_incidents(at):
    at.parts.engine.dispose()
    children = []
    for turn in range(4):
        pid = os.fork()
        if pid == 0:
            os._exit(_takes_all(at, turn))
        children.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    # Each incident was new to exactly one of them.
    assert sum(codes) == len(expected(MIXED))
    assert come_of_it(at) == expected(MIXED)
    whole(at)


def _takes_all(at: House, turn: int) -> int:
    """Take everything in from this process, and return to how many it opened the incident."""
    try:
        parts = replace(assemble(at.parts.settings), pool=None)
        take = accepting(parts, Store(parts.engine))
        order = MIXED[turn * 3 :] + MIXED[: turn * 3]
        results = [take([one.arrival()])[0] for one in order]
        if not all(isinstance(one, Accepted) for one in results):
            return 100
        return sum(one.new for one in results)
    except BaseException:
        return 101


def test_the_largest_of_everything_that_is_read_can_be_recorded(at):
    long = "x" * 512
    body = data(
        uid="u" * 64, title="\U0001f525" * 1024, count=2**53 - 1, type="t" * 128, severity=10
    )
    found = read_generic(body, "s" * 32, received=NOW)
    found = replace(found, resource=replace(found.resource, uid=long), region="r" * 64)
    came = Came("siem:" + "s" * 32, "f" * 64, NOW)
    for result in accepting(at.parts, at.db)([Arrival(found, came)]):
        assert result == Accepted("INC-0001", True)
    accept(at.parts, at.db, found, Came("by hand"))
    assert at.rows("SELECT repeats FROM alerts") == [(1,)]


def test_a_replay_in_a_batch_keeps_nothing_else_out(at):
    one, two = MIXED[0], MIXED[4]
    take = accepting(at.parts, at.db)
    sent = [one.arrival("a" * 64), one.arrival("a" * 64), two.arrival("b" * 64)]
    kinds = [type(result) for result in take(sent)]
    assert kinds == [Accepted, ReplayedError, Accepted]
    assert [type(result) for result in take(sent)] == [ReplayedError] * 3
    with pytest.raises(ReplayedError):
        accept(at.parts, at.db, sent[0].alert, sent[0].came)
    with pytest.raises(ReplayedError):
        rejecting(at.parts, at.db)(b"x", sent[0].came, "why")
    assert come_of_it(at) == expected([one, two])
    assert at.counts()["rejected"] == 0


def test_what_the_database_refuses_of_one_keeps_no_other_out(at):
    good = [one.arrival() for one in MIXED[:5]]
    bad = Arrival(replace(good[0].alert, uid="x", title="\ud800"), good[0].came)
    results = accepting(at.parts, at.db)([*good[:2], bad, *good[2:]])
    kinds = [isinstance(result, Accepted) for result in results]
    assert kinds == [True, True, False, True, True, True]
    assert come_of_it(at) == expected(MIXED[:5])
    whole(at)


FEW = [MIXED[n] for n in (0, 1, 2, 3, 12, 16)]


def test_a_death_at_any_statement_leaves_all_of_an_alert_or_nothing(tmp_path):
    """By kill -9 before each statement of the transaction; then everything comes again."""
    step, died, states = 0, True, set()
    while died:
        with TemporaryDirectory(dir=tmp_path) as folder:
            at = house(Path(folder))
            accepting(at.parts, at.db)([FEW[0].arrival()])
            before = come_of_it(at)
            at.parts.engine.dispose()
            pid = os.fork()
            if pid == 0:
                _dies_at(at, step)
            died = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
            left = come_of_it(at)
            assert left in (before, expected(FEW))
            states.add(left == before)
            whole(at)
            accepting(at.parts, at.db)([one.arrival() for one in FEW])
            assert come_of_it(at) == expected(FEW)
            whole(at)
            at.parts.engine.dispose()
        step += 1 if step < 12 else 4
    print(f"died at {step} statements, entered again each time")
    assert states == {True, False}


def _dies_at(at: House, step: int) -> None:
    left = [step]

    def count(statement: str) -> None:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    parts = replace(assemble(at.parts.settings), pool=None)
    event.listen(parts.engine, "connect", lambda raw, _: raw.set_trace_callback(count))
    accepting(parts, Store(parts.engine))([one.arrival() for one in FEW])
    os._exit(0)
