"""Nothing of the survey was lost on the way into the rules; a later check explains what differs."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from playbooks.duties.reading import shipped
from playbooks.duties.rule import Regime, Stage
from playbooks.duties.survey import CLASSES, classed

RESEARCH = Path(__file__).resolve().parents[4] / "shared" / "research"
pytestmark = pytest.mark.skipif(
    not RESEARCH.exists(), reason="the survey is not beside this checkout; nobody outside has it"
)
# Kinds that the survey had in words; here they are typed, with a length where the words had one.
WORDS = {"relative", "end_of_period", "earliest_of", "matrix", "user_supplied"}


def survey() -> dict[str, dict[str, Any]]:
    raw = yaml.safe_load((RESEARCH / "regimes.yaml").read_text())
    return {r["id"]: r for r in raw["regimes"]}


def later() -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for each in yaml.safe_load((RESEARCH / "regimes_errata.yaml").read_text()):
        found[each["regime"]].append(each)
    return found


SURVEY, LATER = (survey(), later()) if RESEARCH.exists() else ({}, {})
OURS = {r.id: r for r in shipped().regimes()}


def explained(regime: Regime, stage: str) -> bool:
    """Return whether a check that we carry speaks of the stage, or of the regime as a whole."""
    return any(c.field.partition(".")[0] == stage or "." not in c.field for c in regime.checks)


def test_every_regime_and_every_stage_is_there() -> None:
    assert SURVEY.keys() <= OURS.keys()
    for id_, regime in SURVEY.items():
        there = {s.id for s in OURS[id_].stages}
        assert {s["id"] for s in regime["stages"]} <= there, id_
        added = {s.id for s in OURS[id_].stages if s.added}
        assert there - added == {s["id"] for s in regime["stages"]}, id_


@pytest.mark.parametrize("id_", SURVEY)
def test_what_differs_is_explained_by_a_check(id_: str) -> None:
    ours = OURS[id_]
    for stage in SURVEY[id_]["stages"]:
        found = ours.stage(stage["id"])
        assert found is not None
        same = found.to == stage["recipient_type"] and _same(found, stage)
        assert same or explained(ours, stage["id"]), stage["id"]
        assert stage["anchor"] in _starts(found), stage["id"]


def _same(found: Stage, stage: dict[str, Any]) -> bool:
    deadline = stage["deadline"]
    if deadline["kind"] in WORDS:
        return found.deadline.kind == deadline["kind"]
    return (found.deadline.kind, found.deadline.value, found.deadline.unit) == (
        deadline["kind"],
        deadline.get("value"),
        deadline.get("unit"),
    )


def _starts(stage: Stage) -> set[str]:
    """Return every name by which the stage's clock can be started."""
    from playbooks.duties.starts import _limbs, short

    names = {short(n) for n in (stage.anchor, *stage.or_anchors, *(x.anchor for x in _of(stage)))}
    return {limb for n in names for limb in _limbs(n)} | {stage.anchor, *stage.or_anchors}


def _of(stage: Stage) -> Any:
    return stage.deadline.of


@pytest.mark.parametrize("id_", SURVEY)
def test_each_later_check_is_told_and_no_source_is_lost(id_: str) -> None:
    ours = OURS[id_]
    assert len(ours.checks) >= len(LATER[id_])
    verdicts = Counter(c.verdict for c in ours.checks)
    assert not Counter(c["verdict"] for c in LATER[id_]) - verdicts
    said = " ".join(ours.sources)
    lost = [s for s in SURVEY[id_]["sources_seen"] if s.split(" ")[0] not in said]
    assert lost == []


def test_all_of_the_surveys_duties_are_computed_targeted_or_undetermined() -> None:
    surveyed = sum(len(r["stages"]) for r in SURVEY.values())
    stages = [s for r in OURS.values() for s in r.stages if not s.added and r.id in SURVEY]
    counts = Counter(classed(s) for s in stages)
    assert counts.total() == surveyed
    assert set(counts) == set(CLASSES)


def test_binding_rests_on_the_laws_text() -> None:
    for id_, regime in OURS.items():
        if id_ not in SURVEY or SURVEY[id_]["confidence"] == "verified-in-source":
            continue
        for stage in regime.stages:
            if (stage.confidence or regime.confidence) == "verified-in-source":
                assert regime.checks, f"{id_}/{stage.id} is called verified without any check"
