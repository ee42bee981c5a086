"""A form says what is known, what is missing and whence it comes, and makes nothing up."""

import json
from dataclasses import replace
from typing import Any

import pytest

from playbooks.duties.contents import items
from playbooks.duties.duty import Duty
from playbooks.duties.errors import LetterError
from playbooks.duties.forms import FORMS
from playbooks.duties.forms.cra import FORM as CRA
from playbooks.duties.forms.dora import FORM as DORA
from playbooks.duties.forms.edpb import FORM as EDPB
from playbooks.duties.forms.hhs import FORM as HHS
from playbooks.duties.forms.nis2 import FORM as NIS2
from playbooks.duties.forms.sec_8k import FORM as SEC_8K
from playbooks.duties.forms.sheet import Form
from playbooks.duties.organisation import Organisation
from tests.playbooks.duties.written import OURS, all_duties, duty

ALL = (EDPB, DORA, NIS2, CRA, HHS, SEC_8K)
REPORTED = [d for d in all_duties() if d.key in FORMS]
EVERY_FIELD = [
    (form, group, name, field)
    for form in ALL
    for group, fields in form.groups.items()
    for name, field in fields.items()
]
NOBODY = Organisation("")
every_report = pytest.mark.parametrize("each", REPORTED, ids=lambda d: d.key)


def form_of(each: Duty) -> Form:
    return next(form for form in ALL if each.key in form.stages)


def write(each: Duty, ours: Organisation = OURS, **filled: str) -> dict[str, Any]:
    return FORMS[each.key](each, ours, filled)


def said(made: dict[str, Any]) -> dict[str, str]:
    return {
        f"{group}.{name}": text
        for group, fields in made["content"].items()
        for name, text in fields.items()
        if text is not None
    }


def test_every_form_is_for_stages_of_shipped_rules() -> None:
    assert {d.key for d in REPORTED} == FORMS.keys()


@every_report
def test_an_empty_form_makes_nothing_up(each: Duty) -> None:
    made = write(each, NOBODY)
    assert said(made) == {}
    must = {path for path, field in form_of(each).fields(each).items() if field.must}
    assert {m["field"] for m in made["missing"]} == must


@every_report
def test_a_full_form_says_each_field_in_its_own_words_and_lacks_nothing(each: Duty) -> None:
    filled = {path: f"said of {path}" for path in form_of(each).fields(each)}
    made = write(each, NOBODY, **filled)
    assert said(made) == filled
    assert made["missing"] == made["unused"] == made["forbidden"] == []


@every_report
def test_each_item_that_the_rule_asks_for_has_its_field(each: Duty) -> None:
    for item in each.stage.contents:
        made = write(each, NOBODY, **{item: "told"})
        assert set(said(made).values()) == {"told"}
        assert made["unused"] == []
        lacking = {key for m in write(each, NOBODY)["missing"] for key in m["fill"]}
        assert item in lacking


@every_report
def test_each_form_says_that_it_is_a_draft_and_by_what_law(each: Duty) -> None:
    made = write(each)
    assert json.loads(json.dumps(made)) == made
    assert made["draft"] is True
    assert made["notice"] == "not legal advice"
    assert made["rule"]["citation"] == each.regime.citation
    assert made["rule"]["sources"] == list(each.sources)
    assert made["rule"]["confidence"] == each.confidence
    assert made["due"] == {
        "act_on": "2026-11-23T16:30+01:00[Europe/Berlin]",
        "last_lawful": "2026-11-24[Europe/Berlin]",
    }
    assert "own" in made["form"]["shape"]
    assert made["form"]["after"]


@every_report
def test_what_no_field_takes_is_told_and_not_dropped(each: Duty) -> None:
    made = write(each, password_change="Change it.")
    assert made["unused"] == ["password_change"]


@every_report
@pytest.mark.parametrize("blank", ["", " ", "[TO FILL: later]"])
def test_a_blank_or_a_gap_put_back_answers_nothing(each: Duty, blank: str) -> None:
    filled = dict.fromkeys(form_of(each).fields(each), blank)
    assert said(write(each, NOBODY, **filled)) == {}


@every_report
def test_what_the_rule_forbids_is_left_out_and_told(each: Duty) -> None:
    paths = form_of(each).fields(each).values()
    item = next(i for f in paths for i in f.items if i in items())
    stage = replace(each.stage, prohibited=(item,), contents=())
    made = write(replace(each, stage=stage), NOBODY, **{item: "told"})
    assert "told" not in said(made).values()
    assert item in made["forbidden"][0]


@every_report
def test_an_unknown_key_or_an_unprintable_character_is_refused(each: Duty) -> None:
    with pytest.raises(LetterError, match=r"general_descripton .*general_description"):
        write(each, general_descripton="x")
    with pytest.raises(LetterError, match="general_description: U\\+0000"):
        write(each, general_description="\x00")


@pytest.mark.parametrize("form", ALL, ids=lambda f: f.name)
def test_another_duty_is_refused_and_every_group_is_used(form: Form) -> None:
    with pytest.raises(LetterError, match="us-ca/individuals"):
        form.fields(duty("us-ca/individuals"))
    assert {group for there in form.stages.values() for group in there} == form.groups.keys()


@pytest.mark.parametrize("row", EVERY_FIELD, ids=lambda r: f"{r[0].name}-{r[1]}.{r[2]}")
def test_each_field_is_answered_only_by_what_exists(row: Any) -> None:
    _, _, _, field = row
    ours = {f"organisation.{name}" for name in Organisation.__dataclass_fields__}
    assert set(field.items) <= set(items()) | ours


def test_the_text_for_the_sec_shows_its_gaps_and_what_is_not_determined() -> None:
    each = next(d for d in REPORTED if d.key in SEC_8K.stages)
    assert write(each)["text"].count("[TO FILL: ") == 5
    made = write(each, undetermined_information="The number of records.")
    assert "at the time of this filing: The number of records." in made["text"]
    assert made["text"].endswith("Draft. Not legal advice.")
