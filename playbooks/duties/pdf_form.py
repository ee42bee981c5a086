"""A letter as a PDF, to be sent; the same letter gives the same bytes.

The font is Vera, which comes with reportlab: Western European letters and some more. It has no
Polish, Czech, Hungarian, Greek, Cyrillic or East Asian ones; a letter with those is refused here,
because a PDF would show empty boxes, and goes out by way of DOCX.
"""

import functools
import html
import io
import unicodedata
from collections.abc import Iterator

from reportlab.lib.enums import TA_LEFT  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4, LETTER  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.platypus import (  # type: ignore[import-untyped]
    Flowable,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
)

from playbooks.duties.errors import LetterError
from playbooks.duties.letters import Letter, Part

_FACES = {"Vera": "Vera.ttf", "VeraBd": "VeraBd.ttf", "VeraIt": "VeraIt.ttf"}
# Characters that differ from these only in where a line may break.
_ALIKE = str.maketrans({"\u2011": "-", "\u202f": "\u00a0", "\u00ad": "", "\t": " "})
_MARGIN = 64  # points


def document(letter: Letter, *, with_cover: bool = False) -> bytes:
    """Return the notice as PDF; `with_cover` puts our cover before it, on pages of its own.

    Raises LetterError that names the characters which the font lacks.
    """
    parts = [letter.cover, letter.notice] if with_cover else [letter.notice]
    _refuse_unknown_characters(letter, parts)
    story: list[Flowable] = []
    for part in parts:
        story += [*([PageBreak()] if story else []), *_flow(part)]
    out = io.BytesIO()
    made = SimpleDocTemplate(
        out,
        pagesize=LETTER if letter.duty.startswith("us-") else A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=_drawn(letter.title),
        author=_drawn(letter.organisation),
        # No time and no random identity in the file.
        invariant=1,
    )
    made.build(story)
    return out.getvalue()


def _flow(part: Part) -> Iterator[Flowable]:
    yield _paragraph(part.title, "title")
    for section in part.sections:
        if section.heading:
            yield _paragraph(section.heading, "heading")
        for paragraph in section.paragraphs:
            yield _paragraph(paragraph, "text")
    if part.foot:
        yield _paragraph(part.foot, "foot")


def _paragraph(text: str, style: str) -> Flowable:
    # Paragraph reads markup, so a value's own < and & are written as characters.
    return Paragraph(html.escape(_drawn(text), quote=False), _styles()[style])


def _drawn(text: str) -> str:
    """Return the text in composed characters, as the font has them."""
    return unicodedata.normalize("NFC", text).translate(_ALIKE)


def _refuse_unknown_characters(letter: Letter, parts: list[Part]) -> None:
    glyphs = _glyphs()
    said = [line for p in parts for line in (p.title, p.foot, *p.paragraphs, *_headings(p))]
    lacking = sorted({c for line in said for c in _drawn(line) if ord(c) not in glyphs})
    if lacking:
        named = ", ".join(f"{c} (U+{ord(c):04X})" for c in lacking)
        raise LetterError(
            f"{letter.duty}: the PDF font has no {named}; make a DOCX, or write them otherwise"
        )


def _headings(part: Part) -> list[str]:
    return [section.heading for section in part.sections]


@functools.cache
def _glyphs() -> frozenset[int]:
    """Return the code points that every face has."""
    for name, file in _FACES.items():
        pdfmetrics.registerFont(TTFont(name, file))
    faces = [set(pdfmetrics.getFont(name).face.charToGlyph) for name in _FACES]
    return frozenset(set.intersection(*faces))


@functools.cache
def _styles() -> dict[str, ParagraphStyle]:
    text = ParagraphStyle("text", fontName="Vera", fontSize=10, leading=14, spaceAfter=6)
    text.alignment = TA_LEFT
    bold = {"parent": text, "fontName": "VeraBd", "keepWithNext": 1}
    return {
        "text": text,
        "title": ParagraphStyle("title", fontSize=15, leading=20, spaceAfter=12, **bold),
        "heading": ParagraphStyle("heading", fontSize=11, spaceBefore=8, spaceAfter=4, **bold),
        "foot": ParagraphStyle("foot", parent=text, fontName="VeraIt", spaceBefore=16),
    }
