"""A rule file with an error does not load, and says where."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from playbooks.duties.errors import RuleError
from playbooks.duties.reading import RULES, holding, read, rulebook, shipped
from playbooks.duties.rule import Jurisdiction
from playbooks.duties.vocabulary import loaded

CA = loaded(RULES / "us-ca.yaml")


def written(folder: Path, raw: Any, name: str = "here.yaml") -> Path:
    path = folder / name
    path.write_text(raw if isinstance(raw, str) else yaml.safe_dump(raw), encoding="utf-8")
    return path


def changed(**more: Any) -> dict[str, Any]:
    """Return California's file with a regime's field, or `stage__field` of its first, changed."""
    raw: dict[str, Any] = yaml.safe_load(yaml.safe_dump(CA))
    regime = raw["regimes"][0]
    for name, value in more.items():
        at, _, field = name.rpartition("__")
        target = regime["stages"][0] if at == "stage" else raw if at == "file" else regime
        if value is None:
            target.pop(field)
        else:
            target[field] = value
    return raw


def test_every_shipped_file_loads_and_no_regime_stands_twice() -> None:
    book = rulebook()
    assert len({r.id for r in book.regimes()}) == sum(1 for _ in book.regimes())


def test_unchanged_it_loads(tmp_path: Path) -> None:
    found = read(written(tmp_path, changed()))
    assert isinstance(found, Jurisdiction)
    assert found.regimes[0].id == "us-ca"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"applies": None}, "us-ca: no `applies`"),
        ({"applies": {}}, "us-ca.applies: a predicate"),
        ({"applies": {"personal_dta": True}}, "us-ca.applies: personal_dta"),
        ({"event": None}, "us-ca.event: Field required"),
        ({"evnt": "typo"}, "us-ca.evnt"),
        ({"status": "valid"}, "us-ca.status"),
        ({"since": "soon"}, "us-ca.since"),
        ({"confidence": "sure"}, "us-ca.confidence"),
        ({"starts": "the_beginning"}, "us-ca.starts: the_beginning is neither an anchor"),
        ({"stages": []}, "stages need ids"),
        ({"calendar": "ZZ"}, "no calendar called ZZ"),
        ({"file__zone": "America/Los_Angels"}, "America/Los_Angels is not a zone"),
        ({"file__counting": "by-feel"}, "counting"),
        ({"stage__anchor": "stage:nobody"}, "us-ca.individuals.anchor: stage:nobody"),
        ({"stage__to": "everybody"}, "individuals.to"),
        ({"stage__when": {"residents.CA": {"=": 3}}}, "us-ca.individuals.when"),
        ({"stage__contents": ["a_poem"]}, "a_poem is not explained"),
        ({"stage__before": ["nobody"]}, "names the stage nobody"),
        ({"stage__combines": ["nobody"]}, "names the stage nobody"),
        ({"stage__deadline": {"kind": "fixed", "value": 30}}, "fixed needs unit"),
        ({"stage__deadline": {"kind": "fixed", "value": "x", "unit": "calendar_day"}}, "value"),
        ({"stage__deadline": {"kind": "fixed", "value": 3, "unit": "fortnight"}}, "unit"),
        ({"stage__deadline": {"kind": "qualitative", "standard": "soon"}}, "needs target"),
        (
            {"stage__deadline": {"kind": "qualitative", "standard": "soon", "value": 3}},
            "qualitative needs target",
        ),
        ({"stage__deadline": {"kind": "earliest_of"}}, "earliest_of needs of"),
        ({"stage__deadline": {"kind": "matrix"}}, "matrix needs variants"),
        ({"stage__deadline": {"kind": "end_of_period"}}, "days_after, or month and day"),
        (
            {"stage__deadline": {"kind": "relative", "to": "nobody", "order": "before"}},
            "deadline.to: nobody",
        ),
        (
            {
                "stage__deadline": {
                    "kind": "fixed",
                    "value": 3,
                    "unit": "calendar_day",
                    "variants": [{"when": {"nobody": True}, "value": 1, "unit": "calendar_day"}],
                }
            },
            r"variants\[0\].when: nobody",
        ),
    ],
)
def test_an_error_anywhere_is_told_with_its_place(
    tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(RuleError, match=says) as caught:
        read(written(tmp_path, changed(**change)))
    assert str(caught.value).startswith("here.yaml: ")


@pytest.mark.parametrize("text", ["[", "a: b", "- 1", "regimes: 4", "regimes: [4]", "\x00"])
def test_what_is_no_rule_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RuleError, match=r"here\.yaml"):
        read(written(tmp_path, text))


def test_one_regime_in_two_files_is_refused(tmp_path: Path) -> None:
    written(tmp_path, CA, "one.yaml")
    written(tmp_path, CA, "two.yaml")
    with pytest.raises(RuleError, match="us-ca stands in"):
        rulebook(tmp_path)


def test_one_regime_is_found_without_reading_the_others() -> None:
    for regime in shipped().regimes():
        assert holding(regime.id).regime(regime.id) is regime
    assert len(holding("us-ca").jurisdictions) == 1


def test_an_unknown_regime_is_told_with_what_is_near() -> None:
    with pytest.raises(RuleError, match="near it: us-"):
        shipped().regime("us-cz")
