"""Whatever people say, in any order, no clock is lost, and none that was owed closes itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.case.store.duties import ClockRow, LogRow
from playbooks.duties.derive import by_key, derive
from playbooks.notification import log
from playbooks.notification.doings import doings
from playbooks.notification.projecting import project
from playbooks.notification.standing import CLOSED
from tests.playbooks.notification.telling import FACTS, MD, digest, few

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOOK = few("us-md", "us-ia", "br-lgpd")
DUTIES = sorted(d.key for d in derive(BOOK, log.known([], {}, frozenset(), BOOK).known))
BY_PEOPLE = {"sent", "received", "acknowledged", "not_notifying", "no_longer_owed"}
days = st.integers(1, 200).map(lambda n: (NOW - timedelta(days=n)).isoformat())
facts = st.dictionaries(st.sampled_from(sorted(FACTS)), st.none(), min_size=1, max_size=4)
OTHER = {"acquired": "false", "residents.MD": "0", "residents.IA": "1", "role": "processor"}


def entry(kind: str) -> Any:
    duty = st.sampled_from(DUTIES)
    match kind:
        case "fact":
            value = st.sampled_from([FACTS, FACTS | OTHER])
            chosen = st.builds(lambda names, of: {n: of[n] for n in names}, facts, value)
            return st.fixed_dictionaries({"facts": chosen})
        case "anchor":
            event = st.sampled_from(["discovery", "awareness_that_personal_data_affected"])
            return st.fixed_dictionaries({"anchors": st.dictionaries(event, days, min_size=1)})
        case "sent":
            return st.fixed_dictionaries({"duty": duty, "sent": days})
        case _:
            how = st.sampled_from(["not_notifying", "no_longer_owed"])
            built = st.builds(lambda d, h: {"duty": d, "how": h, "rule": digest(d)}, duty, how)
            return built


said = st.sampled_from(["fact", "anchor", "sent", "not_notifying"]).flatmap(
    lambda kind: st.tuples(st.just(kind), entry(kind), st.sampled_from(["alice", "bob"]))
)


@settings(max_examples=60, deadline=None)
@given(st.lists(said, max_size=12))
def test_no_clock_is_lost_and_none_that_was_owed_closes_itself(words: list[Any]) -> None:
    rows: list[LogRow] = [LogRow("INC-0001", NOW, "alice", "fact", {"facts": FACTS}, "", 1)]
    clocks: dict[str, ClockRow] = {}
    for number, (kind, body, by) in enumerate(words, 2):
        row = LogRow("INC-0001", NOW, by, kind, {"why": "because"} | body, "", number)
        rows.append(row)
        known = log.known(rows, {}, frozenset(), BOOK).known
        moved = project(clocks, by_key(derive(BOOK, known)), doings(rows), NOW)
        before, clocks = clocks, clocks | {r.duty: r for r in moved.rows}
        assert clocks.keys() >= before.keys()
        for duty, clock in clocks.items():
            assert (clock.state == CLOSED) == (clock.closed is not None)
            if clock.state == CLOSED and clock.body["owed_since"]:
                assert clock.closed_how in BY_PEOPLE
                # Somebody said something of this very duty.
                assert any(r.body.get("duty") == duty for r in rows)
        again = project(clocks, by_key(derive(BOOK, known)), doings(rows), NOW)
        assert again.rows == (), "a second look changes nothing"


def test_the_first_facts_of_these_tests_make_duties_owed() -> None:
    rows = [LogRow("INC-0001", NOW, "alice", "fact", {"facts": FACTS}, "", 1)]
    known = log.known(rows, {}, frozenset(), BOOK).known
    moved = project({}, by_key(derive(BOOK, known)), doings(rows), NOW)
    assert {r.duty: r.state for r in moved.rows}[MD] == "open"
