"""A letter has what its rule wants, shows what it lacks, and says nothing that is forbidden."""

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from playbooks.duties.contents import items
from playbooks.duties.duty import DISCLAIMER, Duty
from playbooks.duties.errors import LetterError
from playbooks.duties.forbidden import found
from playbooks.duties.letter_layout import Layout, alike, barred, layout, layouts, required
from playbooks.duties.letters import DRAFT, Letter, check, draft, release
from playbooks.duties.rule import Recipient
from tests.playbooks.duties.written import OURS, all_duties, duty, everything

EVERY = all_duties()
SILENT = "us-ma/individuals"
ASKED = "us-ca/individuals"


def complaints(letter: Letter, **given: object) -> str:
    with pytest.raises(LetterError) as caught:
        check(letter, **given)  # type: ignore[arg-type]
    return str(caught.value)


def said(letter: Letter) -> str:
    return "\n".join(letter.notice.paragraphs)


@pytest.mark.parametrize("each", EVERY, ids=lambda d: d.key)
def test_every_stage_drafts_and_lacks_exactly_what_is_not_filled(each: Duty) -> None:
    full = everything(each)
    for left_out in (set(full), set(list(full)[::2]), set()):
        letter = draft(each, OURS, {i: t for i, t in full.items() if i not in left_out})
        assert set(letter.missing) == left_out
        assert said(letter).count("[TO FILL: ") == len(left_out)
        if left_out:
            assert set(re.findall(r"(\w+) is missing", complaints(letter))) == left_out
        else:
            assert release(letter).notice.foot == ""


@pytest.mark.parametrize("each", EVERY, ids=lambda d: d.key)
def test_every_text_stands_in_the_notice_once_and_each_in_order_of_its_heading(each: Duty) -> None:
    full = everything(each)
    letter = draft(each, OURS, full)
    for text in full.values():
        assert sum(p.endswith(text) for p in letter.notice.paragraphs) == 1
    order = [*layout(each).headings, layout(each).rest]
    headings = [s.heading for s in letter.body if s.heading]
    assert headings == sorted(set(headings), key=order.index)


@pytest.mark.parametrize("each", EVERY, ids=lambda d: d.key)
def test_every_cover_says_by_what_law_when_why_and_how_sure(each: Duty) -> None:
    letter = draft(each, OURS, {})
    inside = "\n".join(letter.cover.paragraphs)
    for part in (
        each.key,
        each.regime.citation,
        each.stage.recipient,
        DISCLAIMER,
        each.confidence,
        *each.sources,
        *each.clock.derivation,
        "2026-11-23T16:30+01:00[Europe/Berlin]",
        "2026-11-24[Europe/Berlin]",
        *(i for i in (*required(each), *each.stage.prohibited)),
    ):
        assert part in inside
    assert letter.notice.foot == DRAFT
    assert DISCLAIMER not in said(letter)


@pytest.mark.parametrize("each", EVERY, ids=lambda d: d.key)
def test_every_cover_says_what_is_to_be_looked_at_with_counsel(each: Duty) -> None:
    inside = "\n".join(draft(each, OURS, {}).cover.paragraphs)
    hold = each.stage.law_enforcement or each.regime.law_enforcement
    told = [each.stage.note, each.stage.late, each.regime.credit_monitoring, each.regime.note]
    for said in (hold.says if hold else None, *told, *each.stage.exemptions):
        assert said is None or " ".join(said.split()) in " ".join(inside.split())


@pytest.mark.parametrize("to", Recipient.__args__)  # type: ignore[attr-defined]
def test_a_rule_that_names_no_contents_still_asks_for_the_usual(to: str) -> None:
    each = duty(ASKED, to=to, contents=(), id="other")
    assert required(each)
    assert set(required(each)) <= set(items())
    assert "names no contents" in "\n".join(draft(each, OURS, {}).cover.paragraphs)


def test_a_notice_to_californians_has_the_prescribed_title_and_all_headings() -> None:
    letter = draft(duty(ASKED), OURS, {})
    assert letter.title == "Notice of Data Breach"
    assert [s.heading for s in letter.body if s.heading] == [
        "What Happened",
        "What Information Was Involved",
        "What We Are Doing",
        "What You Can Do",
        "For More Information",
    ]


@given(st.sampled_from(["{{ duty.key }}", "{% raw %}", "{{", "{# x #}", "<b>&amp;", "# Title"]))
def test_a_value_is_never_read_as_a_template(text: str) -> None:
    each = duty(ASKED)
    letter = draft(each, replace(OURS, name=text), everything(each) | {"entity_contact": text})
    assert said(letter).count(text) == 2


def test_what_no_document_can_carry_is_refused_by_name() -> None:
    for bad in ("\x00", "\x1f", "\ud800", "\uffff"):
        with pytest.raises(LetterError, match=f"entity_contact: U\\+{ord(bad):04X}"):
            draft(duty(ASKED), OURS, {"entity_contact": f"a{bad}b"})
    with pytest.raises(LetterError, match=r"organisation\.name"):
        draft(duty(ASKED), replace(OURS, name="\x07"), {})


def test_an_item_that_nothing_explains_is_refused_with_those_near_it() -> None:
    with pytest.raises(LetterError, match=r"number_afected .*number_affected"):
        draft(duty(ASKED), OURS, {"number_afected": "5"})


@pytest.mark.parametrize("blank", ["", " \n\t", "[TO FILL: later]", "Call [to fill: number]"])
def test_a_blank_or_a_gap_put_back_is_still_missing(blank: str) -> None:
    each = duty(ASKED)
    letter = draft(each, OURS, everything(each) | {"entity_contact": blank})
    assert letter.missing == ("entity_contact",)


def test_a_gap_in_the_signature_is_not_sent() -> None:
    each = duty(ASKED)
    letter = draft(each, OURS, everything(each), signed_by="[TO FILL: name]")
    assert "signature" in complaints(letter)


BARRED = [d for d in EVERY if d.stage.prohibited]


def test_some_shipped_rule_forbids_contents() -> None:
    assert SILENT in {d.key for d in BARRED}


@pytest.mark.parametrize("each", BARRED, ids=lambda d: d.key)
def test_a_prohibited_item_is_never_in_the_notice_and_always_complained_of(each: Duty) -> None:
    for item in each.stage.prohibited:
        letter = draft(each, OURS, everything(each) | {item: "Plainly told."})
        assert "Plainly told." not in said(letter)
        assert f"{item}: the rule forbids it" in complaints(letter, passed=[item])
        assert item not in required(each)


@pytest.mark.parametrize("each", BARRED, ids=lambda d: d.key)
def test_a_prohibited_value_is_found_in_any_other_item(each: Duty) -> None:
    value = "A thief took 5010 tapes. They were in the van"
    leaks = [value, value.upper(), "They  were\nin the van!"]
    counts = [*leaks, "5010", "of 5,010 people"]
    for item in each.stage.prohibited:
        for other, text in everything(each).items():
            for leak in counts if item == "number_affected" else leaks:
                filled = everything(each) | {other: f"{text} {leak}"}
                letter = draft(each, OURS, filled, known={item: value})
                assert f"{item} in {other}" in complaints(letter)
                release(letter, passed=[f.key for f in letter.forbidden])
        assert draft(each, OURS, everything(each), known={item: value}).forbidden == ()


@given(
    st.integers(0, 10**9),
    st.sampled_from([",", ".", "'", "\u2019", "\u00a0", "\u202f", " ", ""]),
    st.sampled_from(["{}", "all {} of them", "({})", "{}.", "{};", "\u201c{}\u201d", "{}\n1"]),
)
@example(501, "", "{}")
@example(5010, ",", "{}")
def test_a_number_is_found_however_it_is_grouped(number: int, mark: str, around: str) -> None:
    text = around.format(f"{number:,}".replace(",", mark))
    assert found(["number_affected"], {"x": text}, {"number_affected": str(number)})
    assert found(["number_affected"], {"x": str(number)}, {"number_affected": text})


def test_a_date_in_a_prohibited_telling_may_stand_elsewhere() -> None:
    told = {"nature_of_breach": "On 3 May 2026 a thief came in."}
    assert not found(told, {"date_of_notice": "5 June 2026"}, told)
    assert found(told, {"x": "Know that on 3 May 2026 a thief came in."}, told)


@given(
    st.integers(100, 999), st.sampled_from(["1{}", "{}1", "12,{}", "{},000", "a{}", "{}b", "_{}"])
)
def test_a_number_within_another_or_a_word_is_not_it(number: int, around: str) -> None:
    text = around.format(number)
    assert not found(["number_affected"], {"x": text}, {"number_affected": f"{number}"})


@given(st.text(), st.text())
def test_looking_never_fails(text: str, value: str) -> None:
    found(["number_affected"], {"x": text, "number_affected": value}, {"number_affected": text})


LAYOUTS = [*layouts()[0].values(), *layouts()[1].values()]


@pytest.mark.parametrize("plan", LAYOUTS)
def test_each_heading_names_only_what_a_rule_may_ask_for_and_each_once(plan: Layout) -> None:
    named = [item for there in plan.headings.values() for item in there]
    assert {*named, *plan.usual} <= set(items())
    assert sorted(set(named)) == sorted(named)


def test_items_that_say_the_same_are_items_and_stand_in_one_line() -> None:
    named = [item for line in alike() for item in line]
    assert set(named) <= set(items())
    assert sorted(set(named)) == sorted(named)


@pytest.mark.parametrize("line", alike(), ids=lambda line: line[0])
def test_what_says_the_same_as_a_prohibited_item_is_refused_unless_asked_for(
    line: tuple[str, ...],
) -> None:
    for item in line:
        silent = duty(SILENT, prohibited=(item,), contents=())
        assert set(line) <= set(barred(silent))
        asked = duty(SILENT, prohibited=(item,), contents=line)
        assert barred(asked) == (item,)
        assert set(required(asked)) == set(line) - {item}
