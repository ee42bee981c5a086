"""One case is shown whole: the ledger counts its entries, and whoever drops some is found."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import bag, heads, ledger, ledger_heads
from evidence.bundle_heads import heads_line
from evidence.case_facts import read_facts
from evidence.case_page import case_page
from evidence.errors import LedgerCorruptError, ProofError
from evidence.heads import Head
from evidence.ledger import Entry
from evidence.verify import verify_bundle
from evidence.verify_entries import check_entries
from evidence.verify_files import find_files
from evidence.verify_report import Exit, Report, Verdict
from tests.evidence.chamber import CASE, Chamber, fill, make_chamber
from tests.evidence.forgery import read_lines, rebag, restate, sha256, write_lines
from tests.evidence.second import check as second

ENTRIES = 7


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A deployment whose ledger counted the case whole, and a bundle of it."""
    made = make_chamber(tmp_path_factory.mktemp("chamber"))
    fill(made)
    made.count()
    yield made, made.export()
    made.engine.dispose()


def told(chamber: Chamber, bundle: Path) -> tuple[Verdict, str]:
    """What our verifier says; the second one agrees."""
    verdict, other = verify_bundle(bundle, chamber.trust), second.verify(bundle, chamber.trust)
    assert other.code == verdict.exit_code
    if verdict.exit_code == Exit.UNWITNESSED:
        assert other.complete is verdict.complete
    return verdict, "\n".join(f"{p.file}: {p.what}" for p in verdict.problems)


def without_the_last(chamber: Chamber, dropped: int, name: str) -> Path:
    """Return the bundle of a case whose last entries were left out: faultless but for the count.

    Made by the exporter itself, from a copy of the database in which they belong to another case.
    """
    path = chamber.folder / f"{name}.db"
    with sqlite3.connect(chamber.folder / "ledger.db") as source:
        source.execute("VACUUM INTO ?", (str(path),))
    copy = replace(chamber, engine=ledger.sqlite_engine(path))
    with copy.begin() as conn:
        kept = ENTRIES - dropped
        moved = "UPDATE ledger_entries SET pseudonym = 'x' WHERE pseudonym = ? AND case_seq >= ?"
        conn.exec_driver_sql(moved, (ledger.pseudonym(conn, CASE), kept))
        conn.exec_driver_sql("UPDATE ledger_cases SET case_id = 'gone' WHERE case_id = 'heads'")
    made = copy.export(name)
    copy.engine.dispose()
    return made


def seal(chamber: Chamber, bundle: Path) -> None:
    rebag(bundle)
    restate(bundle, chamber.signer)


def test_a_counted_case_is_complete(original):
    chamber, bundle = original
    verdict, said = told(chamber, bundle)
    assert (verdict.exit_code, said, verdict.complete) == (3, "", True)
    assert verdict.status == "valid but unwitnessed and untimestamped"
    size = int((bundle / bag.CHECKPOINT).read_text().splitlines()[1])
    counted = verdict.counted
    assert (counted.index, counted.entries, counted.of) == (size - 1, ENTRIES, size - 1)


@pytest.mark.parametrize("dropped", range(1, ENTRIES))
def test_entries_left_out_at_the_end_are_found_though_the_bundle_is_sealed_anew(original, dropped):
    chamber, bundle = original
    cut = without_the_last(chamber, dropped, f"cut-{dropped}")
    # Without the count nothing is wrong with it, but it does not pass for complete.
    verdict, said = told(chamber, cut)
    assert (verdict.exit_code, said, verdict.complete) == (3, "", False)
    assert "open-ended: nothing (data/custody/heads.jsonl) shows" in verdict.lacking[-1]
    (cut / bag.HEADS).write_bytes((bundle / bag.HEADS).read_bytes())
    seal(chamber, cut)
    verdict, said = told(chamber, cut)
    assert (verdict.exit_code, verdict.complete) == (1, False)
    assert (
        f"counts {ENTRIES} entries of the case; the bundle has {ENTRIES - dropped}: entries at "
        "the end of the case were left out" in said
    )


def test_an_older_count_does_not_pass_for_the_newest(tmp_path):
    chamber = make_chamber(tmp_path)
    chamber.say("case.open", {"n": 0})
    chamber.count()
    earlier = chamber.export("earlier")
    assert told(chamber, earlier)[0].complete
    for number in range(1, ENTRIES):
        chamber.say("change", {"n": number})
    chamber.integrate()
    verdict, said = told(chamber, chamber.export("open"))
    assert (said, verdict.complete, verdict.counted.entries) == ("", True, 1)
    # All that stands between is shown. Of what is not, nobody can tell whose it is.
    cut = without_the_last(chamber, ENTRIES - 1, "cut")
    with chamber.begin() as conn:
        size = ledger.latest_checkpoint(conn).checkpoint.size
        line = heads_line(conn, ledger.pseudonym(conn, CASE), size)
    (cut / bag.HEADS).write_bytes(line)
    files = find_files(cut, Report())
    entries = check_entries(files, None, Report())
    (cut / bag.REPORT).write_bytes(case_page(read_facts(files, CASE, tuple(entries))))
    seal(chamber, cut)
    verdict, said = told(chamber, cut)
    assert (verdict.exit_code, said, verdict.complete) == (3, "", False)
    assert (
        "open-ended: the case is complete as of the ledger's first 1 entries; what 6 later ones "
        "hold is not shown" in verdict.lacking[-1]
    )
    chamber.engine.dispose()


def test_the_same_ledger_gives_the_same_bytes(original):
    chamber, bundle = original
    again = chamber.export("again")
    names = sorted(p.relative_to(bundle).as_posix() for p in bundle.rglob("*") if p.is_file())
    assert bag.HEADS in names
    for name in names:
        assert name == bag.EXPORT or sha256(bundle / name) == sha256(again / name), name


def edits(line):
    head, entry = line["head"], line["entry"]
    yield "head", line | {"head": head | {"case_seq": head["case_seq"] - 1}}
    yield "head", line | {"head": head | {"leaf": "00" * 32}}
    yield "head", line | {"head": head | {"case": "00" * 16}}
    yield "place", line | {"place": line["place"] ^ 1}
    yield "place", line | {"place": None}
    yield "path", line | {"head_path": line["head_path"][:-1]}
    yield "path", line | {"head_path": "x"}
    yield "proof", line | {"path": ["00" * 32, *line["path"][1:]]}
    yield "proof", line | {"entry": entry | {"index": entry["index"] - 1}}
    yield "closed", line | {"entry": entry | {"opening": None}}
    yield "more", line | {"more": 1}


@pytest.mark.parametrize("number", range(11))
def test_whatever_is_changed_in_the_count_is_found_and_named(original, tmp_path, number):
    chamber, _ = original
    copy = chamber.export(f"changed-{number}")
    [line] = read_lines(copy, bag.HEADS)
    _, changed = list(edits(line))[number]
    write_lines(copy, bag.HEADS, [changed])
    seal(chamber, copy)
    verdict, said = told(chamber, copy)
    assert verdict.exit_code == 1
    assert f"{bag.HEADS}: " in said
    assert not verdict.complete


def test_an_entry_of_another_kind_is_no_count(original):
    chamber, _ = original
    copy = chamber.export("kind")
    [line] = read_lines(copy, bag.HEADS)
    entry, proof = read_lines(copy, bag.ENTRIES)[0], read_lines(copy, bag.PROOFS)[0]
    write_lines(copy, bag.HEADS, [line | {"entry": entry, "path": proof["path"]}])
    seal(chamber, copy)
    assert "heads.jsonl: holds no open entry of kind heads" in told(chamber, copy)[1]


def test_the_head_of_another_case_is_refused(original):
    chamber, _ = original
    copy = chamber.export("other")
    with chamber.begin() as conn:
        other = ledger.pseudonym(conn, "INC-2")
        size = ledger.latest_checkpoint(conn).checkpoint.size
        (copy / bag.HEADS).write_bytes(heads_line(conn, other, size))
    seal(chamber, copy)
    assert "heads.jsonl: states the head of another case" in told(chamber, copy)[1]


def test_the_counts_themselves_can_be_exported_whole(original):
    chamber, _ = original
    bundle = chamber.export("counts", ledger_heads.CASE)
    verdict, said = told(chamber, bundle)
    # The first count counts no count: there is no head of that case to show.
    assert (verdict.exit_code, said, verdict.complete) == (3, "", False)
    chamber.count()
    verdict, said = told(chamber, chamber.export("counts-2", ledger_heads.CASE))
    assert (verdict.exit_code, said, verdict.complete) == (3, "", True)


@given(st.lists(st.sampled_from(["INC-1", "INC-2", "INC-3", "count"]), max_size=15))
@settings(max_examples=10, deadline=None)
def test_each_count_is_what_the_entries_before_it_say(tmp_path_factory, steps):
    chamber = make_chamber(tmp_path_factory.mktemp("chamber"))
    chamber.say("case.open", {})
    for step in steps:
        chamber.count() if step == "count" else chamber.say("change", {}, step)
    chamber.count()
    with chamber.engine.execution_options(read_only=True).begin() as conn:
        ledger.replay(conn)
        found = ledger_heads.newest(conn)
        count = found.count()
        assert count.entries == found.index
        last = {}
        for case in ("INC-1", "INC-2", "INC-3", "heads"):
            for entry in ledger.entries(conn, case):
                if entry.index < count.entries:
                    last[entry.leaf.case] = Head(
                        entry.leaf.case, entry.leaf.case_seq, entry.leaf_hash
                    )
        expected = [last[name] for name in sorted(last)]
        assert ledger_heads.heads_at(conn, count.entries) == expected
        assert heads.count_of(expected, count.entries) == count
        for place, head in enumerate(expected):
            path = heads.path_to(expected, place)
            heads.check_head(head, place, path, count)
            less = replace(head, case_seq=head.case_seq + 1)
            with pytest.raises(ProofError):
                heads.check_head(less, place, path, count)
    chamber.engine.dispose()


class TestReplay:
    def test_finds_a_count_that_states_fewer_entries_than_there_are(self, filled):
        filled.count()
        with filled.begin() as conn:
            size = ledger.latest_checkpoint(conn).checkpoint.size
            found = ledger_heads.heads_at(conn, size)
            fewer = [replace(found[0], case_seq=found[0].case_seq - 1), *found[1:]]
        self.state(filled, heads.count_of(fewer, size).body())
        self.refused(filled, r"cases of the \d+ entries that it counts have other last entries")

    def test_finds_a_count_that_goes_back(self, filled):
        with filled.begin() as conn:
            earlier = heads.count_of(ledger_heads.heads_at(conn, 3), 3)
        filled.count()
        self.state(filled, earlier.body())
        self.refused(filled, "counts 3 entries, which is fewer than an earlier one counts")

    @pytest.mark.parametrize("body", [{}, {"entries": 1, "cases": 2, "root": "00" * 32}])
    def test_finds_a_malformed_count(self, filled, body):
        self.state(filled, body)
        self.refused(filled, "states")

    def test_leaves_out_what_was_erased(self, filled):
        filled.count()
        self.state(filled, {})
        with filled.begin() as conn:
            conn.exec_driver_sql(
                "DELETE FROM ledger_openings WHERE entry_id = (SELECT MAX(id) FROM ledger_entries)"
            )
        with filled.begin() as conn:
            assert len(ledger.replay(conn)) == 32

    def state(self, chamber, body):
        chamber.say("heads", body, ledger_heads.CASE)
        chamber.integrate()

    def refused(self, chamber, said):
        with chamber.begin() as conn, pytest.raises(LedgerCorruptError, match=said):
            ledger.replay(conn)


def test_an_export_refuses_a_ledger_that_does_not_hold_what_was_counted(filled):
    filled.count()
    with filled.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE ledger_entries SET pseudonym = 'x' WHERE pseudonym = ? AND case_seq >= 5",
            (ledger.pseudonym(conn, CASE),),
        )
    with pytest.raises(LedgerCorruptError, match="states other heads of cases"):
        filled.export()


@pytest.mark.parametrize("chamber", ["sqlite", "postgresql"], indirect=True)
def test_on_either_engine_a_count_covers_what_was_committed_and_counts_go_on(chamber):
    for _ in range(3):
        chamber.say("change", {})
        chamber.say("change", {}, "INC-2")
        chamber.count()
    verdict, said = told(chamber, chamber.export())
    assert (said, verdict.complete, verdict.counted.entries) == ("", True, 3)
    with chamber.begin() as conn:
        ledger.replay(conn)


def test_an_empty_ledger_has_nothing_to_count(chamber):
    with chamber.begin() as conn:
        origin = chamber.log.verifier.name
        assert not ledger_heads.count(conn, origin, "a", now=chamber.now, salt=bytes(32))
        assert ledger_heads.newest(conn) is None
        assert list(ledger.entries(conn, ledger_heads.CASE)) == []


def test_a_count_is_small_however_many_cases_there_are(chamber):
    with chamber.begin() as conn:
        for number in range(500):
            entry = Entry("case.open", f"INC-{number}", {}, "a", chamber.now)
            salt = chamber.chance.randbytes(32)
            ledger.append(conn, entry, record_time=chamber.now, salt=salt)
    chamber.count()
    with chamber.begin() as conn:
        found = ledger_heads.newest(conn)
        assert found.count().cases == 500
        assert len(found.opening[2]) < 200
    verdict, said = told(chamber, chamber.export(case="INC-123"))
    assert (said, verdict.complete) == ("", True)
