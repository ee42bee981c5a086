"""A letter as a Word document, to be worked on; the same letter gives the same bytes."""

import io
import zipfile
from datetime import UTC, datetime

import docx
from docx.document import Document

from playbooks.duties.letters import Letter, Part

# A file's own dates say nothing of when a notice was sent; fixed, they make the bytes repeatable.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def document(letter: Letter, *, with_cover: bool = False) -> bytes:
    """Return the notice as DOCX; `with_cover` puts our cover before it, on pages of its own."""
    made = docx.Document()
    _properties(made, letter)
    if with_cover:
        _write(made, letter.cover)
        made.add_page_break()  # type: ignore[no-untyped-call]
    _write(made, letter.notice)
    out = io.BytesIO()
    made.save(out)
    return _undated(out.getvalue())


def _write(made: Document, part: Part) -> None:
    made.add_heading(part.title, level=1)
    for section in part.sections:
        if section.heading:
            made.add_heading(section.heading, level=2)
        for paragraph in section.paragraphs:
            made.add_paragraph(paragraph)
    if part.foot:
        made.add_paragraph().add_run(part.foot).italic = True


def _properties(made: Document, letter: Letter) -> None:
    # Word takes no more than 255 characters in a property.
    properties = made.core_properties
    properties.title = letter.title[:255]
    properties.author = properties.last_modified_by = letter.organisation[:255]
    properties.comments = ""
    properties.created = properties.modified = _EPOCH


def _undated(packed: bytes) -> bytes:
    """Return the package with its entries' dates fixed; python-docx puts the present time there."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(packed)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            info = zipfile.ZipInfo(entry.filename, _ZIP_EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, old.read(entry.filename))
    return out.getvalue()
