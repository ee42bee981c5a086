"""A letter as PDF: every character of it, or a refusal that names those which the font lacks."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.duties import pdf_form
from playbooks.duties.duty import DISCLAIMER
from playbooks.duties.errors import LetterError
from playbooks.duties.letters import DRAFT, release
from tests.playbooks.duties.pdf_reading import text as read
from tests.playbooks.duties.test_docx_form import letter, whole

LATIN = st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_categories=["Cc", "Cf"])


def plain(lines: list[str]) -> str:
    return "".join("".join(unicodedata.normalize("NFC", line).split()) for line in lines)


@settings(max_examples=30, deadline=None)
@given(st.text(LATIN, max_size=300))
def test_every_character_of_the_notice_is_drawn_in_order(said: str) -> None:
    made = letter(root_cause=said)
    assert read(pdf_form.document(made)) == plain(whole(made))


@pytest.mark.parametrize(
    "said",
    [
        "<b>not bold</b> &amp; <br/>",
        "Mu\u0308ller",
        "\u20ac \u201equoted\u201c \u2013 \u2026",
        "x" * 400,
    ],
)
def test_markup_composed_letters_and_long_words_are_drawn_as_they_are(said: str) -> None:
    made = letter(root_cause=said)
    assert plain([said]) in read(pdf_form.document(made))


def test_the_cover_comes_first_and_only_when_asked_for() -> None:
    made = letter()
    alone, both = (read(pdf_form.document(made, with_cover=c)) for c in (False, True))
    assert plain([DISCLAIMER]) not in alone
    assert alone.endswith(plain([DRAFT]))
    assert both.endswith(alone)
    for paragraph in made.cover.paragraphs:
        assert plain([paragraph]) in both
    assert plain([DRAFT]) not in read(pdf_form.document(release(made)))


def test_the_same_letter_is_the_same_bytes() -> None:
    assert pdf_form.document(letter()) == pdf_form.document(letter())


@pytest.mark.parametrize("bad", ["\u6f22", "\u0416", "\u0105", "\u0151", "\U0001f600", "\u200b"])
def test_a_character_that_the_font_lacks_is_named(bad: str) -> None:
    with pytest.raises(LetterError, match=f"U\\+{ord(bad):04X}.*DOCX"):
        pdf_form.document(letter(root_cause=f"a {bad} b"))
