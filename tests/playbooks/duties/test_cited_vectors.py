"""Each deadline worked by hand from a cited rule comes out as the law counts it."""

import json
from datetime import datetime
from typing import Any

import pytest

from tests.playbooks.duties.vectors import HERE, flat, rows, told

FILES = sorted(path.name for path in HERE.glob("cited_vectors*.yaml"))
ROWS = [row for name in FILES for row in rows(name)]
NO_DATE = {"not_applicable", "not_in_force", "not_started", "no_fixed_time", "advisory"}


def asked(row: dict[str, Any]) -> str:
    """Return what a row is asked with, in one order."""
    facts = {name: str(value) for name, value in row.get("facts", {}).items()}
    return json.dumps([row["duty"], row["anchors"], facts], sort_keys=True)


def named(row: dict[str, Any]) -> str:
    """Return a row's name in a test report."""
    anchors, facts = row["anchors"], row.get("facts", {})
    given = ",".join([*anchors.values(), *(f"{name}={value}" for name, value in facts.items())])
    return f"{row['duty']}-{given}"


def moment(due: Any) -> Any:
    """Return a day's date, or an instant, which is the same in every zone."""
    text = flat(due)
    return datetime.fromisoformat(text) if text and "T" in text else text


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_it_comes_out_as_the_law_counts(row: dict[str, Any]) -> None:
    said = told(row)
    assert said["status"] == row.get("state", "due"), row["why"]
    assert moment(said["conservative_due"]) == moment(row.get("by")), row["why"]
    assert moment(said["legal_latest"]) == moment(row.get("latest")), row["why"]
    if "other" in row:
        assert row["other"] in [flat(a["due"]) for a in said["alternatives"]]
    if "not_before" in row:
        assert flat(said["not_before"]) == row["not_before"]
    if "completion" in row:
        assert said["completion"] == row["completion"]


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_each_says_why_and_either_a_date_or_why_there_is_none(row: dict[str, Any]) -> None:
    assert row["why"].strip()
    dated = {"by", "latest"} <= row.keys()
    assert dated is not (row.get("state") in NO_DATE)
    assert row.keys() <= {
        *("duty", "anchors", "facts", "by", "latest", "state", "other", "why"),
        *("not_before", "completion"),
    }


def test_there_are_enough_of_them_and_none_comes_twice() -> None:
    assert len(ROWS) >= 200
    assert len({asked(row) for row in ROWS}) == len(ROWS)
    assert not {asked(row) for row in ROWS} & {asked(row) for row in rows("survey_vectors.yaml")}
