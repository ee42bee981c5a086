"""Each worked deadline of the survey comes out as it says there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.playbooks.duties.vectors import flat, rows, told

SURVEY = Path(__file__).resolve().parents[4] / "shared" / "research" / "regimes.yaml"
ROWS = rows("survey_vectors.yaml")


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r['n']}-{r['duty']}")
def test_it_comes_out_as_worked(row: dict[str, Any]) -> None:
    said = told(row)
    assert flat(said["conservative_due"]) == row.get("by")
    assert flat(said["legal_latest"]) == row.get("latest")
    assert said["status"] == row.get("state", "due")
    if "other" in row:
        assert row["other"] in [flat(a["due"]) for a in said["alternatives"]]


@pytest.mark.skipif(not SURVEY.exists(), reason="the survey is not beside this checkout")
def test_none_of_them_is_left_out() -> None:
    survey = yaml.safe_load(SURVEY.read_text())["test_vectors"]
    assert {v["n"] for v in survey} == {row["n"] for row in ROWS}
