"""The file goes out so that no spreadsheet runs it, and comes back as it went, or not at all."""

import csv
import io
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from playbooks.case.store.reviews import Decided, ReviewRow
from playbooks.review import csv_form
from playbooks.review.csv_form import BEGINS, COLUMNS, harmless, is_formula, lines, out
from playbooks.review.deciding import from_file
from playbooks.review.errors import DecisionError

AT = datetime(2026, 5, 4, tzinfo=UTC)
ROW = ReviewRow("ab" * 8, "1/aws-global/user/a", "inline/x", "bob", AT, ("admin",), "c" * 64)
NASTY = "=+-@\t\r\n\"',; \u00e9\uff1d\u2028ax"


def text(*rows: ReviewRow) -> str:
    return "".join(out("REV-0001", rows))


@pytest.mark.parametrize("begin", BEGINS)
def test_no_cell_that_goes_out_begins_a_formula(begin: str) -> None:
    made = Decided("keep", f"{begin}1", "frank", AT, "")
    row = replace(ROW, owner=f"{begin}HYPERLINK(0)", privilege="inline/x", decided=made)
    for line in lines(text(row, replace(row, owner=f" {begin}x"))):
        assert not any(is_formula(cell) for cell in line.cells.values())


@pytest.mark.parametrize("seed", range(50))
def test_what_goes_out_comes_back_as_it_was(seed: int) -> None:
    rng = random.Random(seed)
    owner = "".join(rng.choices(NASTY, k=rng.randint(0, 8)))
    row = replace(ROW, owner=owner, privilege=f"inline/{owner}")
    (line,) = lines(text(row))
    assert line.cells["owner"] == harmless(owner)
    assert {c: line.cells[c] for c in csv_form.SHOWN} == csv_form.shown("REV-0001", row)
    assert from_file("REV-0001", text(row), {row.id: row}) == []


def test_a_spreadsheets_own_marks_do_no_harm() -> None:
    came = "\ufeff" + text(ROW).replace("\r\n", "\n") + "\n"
    assert [line.number for line in lines(came)] == [2]


@pytest.mark.parametrize(
    ("came", "said"),
    [
        ("", "line 1: the columns are"),
        ("a,b\n", "line 1: the columns are"),
        (",".join(COLUMNS) + "\na,b\n", "line 2: 2 cells"),
        (",".join(COLUMNS).replace(",", ";") + "\n", "line 1: the columns"),
        (",".join(COLUMNS) + '\n"a"b\n', "line 2: this is no CSV"),
        (",".join(COLUMNS) + '\n"a', "line 2: this is no CSV"),
    ],
)
def test_what_is_no_file_of_ours_is_refused_with_its_line(came: str, said: str) -> None:
    with pytest.raises(DecisionError, match=said):
        list(lines(came))


def test_all_that_is_wrong_is_told_at_once_with_its_line() -> None:
    rows = [replace(ROW, id=f"{i:016x}") for i in range(4)]
    listed = list(csv.DictReader(io.StringIO(text(*rows))))
    listed[0] |= {"reason": "@SUM(1)"}
    listed[2] |= {"digest": "0"}
    listed[3] |= {"row": listed[1]["row"], "decision": "keep"}
    listed[1] |= {"decision": "keep", "reason": "r"}
    made = io.StringIO()
    writer = csv.DictWriter(made, COLUMNS)
    writer.writeheader()
    writer.writerows(listed)
    with pytest.raises(DecisionError) as caught:
        from_file("REV-0001", made.getvalue(), {r.id: r for r in rows})
    assert [line.partition(":")[0] for line in caught.value.lines] == ["line 2", "line 4", "line 5"]
    assert "stands in line 3 too" in caught.value.lines[2]


def test_a_reason_without_a_decision_is_not_dropped() -> None:
    (line,) = csv.DictReader(io.StringIO(text(ROW)))
    made = io.StringIO()
    writer = csv.DictWriter(made, COLUMNS)
    writer.writeheader()
    writer.writerow(line | {"reason": "why not"})
    (choice,) = from_file("REV-0001", made.getvalue(), {ROW.id: ROW})
    assert (choice.decision, choice.reason) == ("", "why not")


def test_only_so_many_reasons_are_told() -> None:
    rows = {f"{i:016x}": replace(ROW, id=f"{i:016x}") for i in range(99)}
    came = text(*rows.values()).replace("REV-0001", "REV-0009")
    with pytest.raises(DecisionError) as caught:
        from_file("REV-0001", came, rows)
    assert len(caught.value.lines) == 51
    assert caught.value.lines[-1] == "and 49 more"
