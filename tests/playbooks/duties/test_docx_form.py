"""A letter as DOCX: every word of it, the cover only if asked for, the same bytes again."""

import io
import subprocess
import sys
import zipfile

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.duties import docx_form
from playbooks.duties.duty import DISCLAIMER
from playbooks.duties.letters import DRAFT, Letter, draft, release
from tests.playbooks.duties.written import OURS, duty, everything

KEY = "us-ca/individuals"


def letter(**more: str) -> Letter:
    each = duty(KEY)
    return draft(each, OURS, everything(each) | more, signed_by="\u00c9lodie \u0141uk\u00e1cs")


def lines(packed: bytes) -> list[str]:
    return [p.text for p in docx.Document(io.BytesIO(packed)).paragraphs]


def whole(made: Letter) -> list[str]:
    """Return what the notice says, line by line."""
    told = [t for s in made.body for t in (s.heading, *s.paragraphs) if t]
    return [made.title, *told, *([made.notice.foot] if made.notice.foot else [])]


def test_the_document_says_what_the_notice_says_and_no_more() -> None:
    made = letter(root_cause="<b>bold</b> & {{ x }} \u6f22 \u0416")
    assert lines(docx_form.document(made)) == whole(made)
    assert lines(docx_form.document(made))[-1] == DRAFT
    assert DRAFT not in lines(docx_form.document(release(made)))


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1))
def test_any_text_comes_back_as_it_went(text: str) -> None:
    made = letter(root_cause=text)
    assert lines(docx_form.document(made)) == whole(made)


def test_the_cover_comes_first_and_only_when_asked_for() -> None:
    made = letter()
    assert not any(DISCLAIMER in line for line in lines(docx_form.document(made)))
    both = lines(docx_form.document(made, with_cover=True))
    assert both[0] == made.cover.title
    assert [p for p in made.cover.paragraphs if p not in both] == []
    assert both[-len(whole(made)) :] == whole(made)


def test_the_same_letter_is_the_same_bytes() -> None:
    packed = docx_form.document(letter())
    assert packed == docx_form.document(letter())
    with zipfile.ZipFile(io.BytesIO(packed)) as there:
        assert {entry.date_time for entry in there.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("form", ["docx_form", "pdf_form"])
def test_another_process_makes_the_same_bytes(form: str) -> None:
    code = (
        f"import hashlib\nfrom playbooks.duties import {form}\n"
        "from tests.playbooks.duties.test_docx_form import letter\n"
        f"print(hashlib.sha256({form}.document(letter(), with_cover=True)).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "TZ": zone},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    ]
    assert runs[0] == runs[1]
