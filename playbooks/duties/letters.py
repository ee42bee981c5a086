"""Letters of notice: what is sent, and a cover for us that says why, when and by what law.

A draft with gaps is a draft that shows them. Only `release` takes the draft's mark off, and it
refuses a letter that lacks what the rule asks for or says what it forbids.
"""

import dataclasses
import difflib
import functools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import jinja2

from playbooks.duties import forbidden
from playbooks.duties.contents import items
from playbooks.duties.duty import DISCLAIMER, Duty
from playbooks.duties.errors import LetterError
from playbooks.duties.forbidden import Forbidden
from playbooks.duties.letter_layout import (
    TEMPLATES,
    Audience,
    Layout,
    asks,
    audience,
    barred,
    layout,
    required,
)
from playbooks.duties.moment import Moment
from playbooks.duties.organisation import Organisation

DRAFT = "Draft. Not legal advice."
# What XML 1.0 cannot carry, so that no form of the letter could.
_UNPRINTABLE = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COVER = {
    "duty": "Duty",
    "deadlines": "Deadlines",
    "contents": "Contents",
    "counsel": "To be looked at with counsel",
    "sources": "Confidence and sources",
    "disclaimer": "Disclaimer",
}


@dataclass(frozen=True)
class Section:
    """Paragraphs under a heading; an opening or a signature has none."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """A document of its own: the notice or the cover; `foot` is its last line."""

    title: str
    sections: tuple[Section, ...]
    foot: str = ""

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """Return all that stands under its headings."""
        return tuple(p for section in self.sections for p in section.paragraphs)


@dataclass(frozen=True)
class Letter:
    """A letter for one duty: `notice` is what is sent, `cover` stays in the house."""

    duty: str
    audience: Audience
    recipient: str
    organisation: str
    citation: str
    conservative_due: Moment | None
    legal_latest: Moment | None
    confidence: str
    sources: tuple[str, ...]
    notice: Part
    cover: Part
    missing: tuple[str, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    disclaimer: str = DISCLAIMER

    @property
    def title(self) -> str:
        """Return the notice's title."""
        return self.notice.title

    @property
    def body(self) -> tuple[Section, ...]:
        """Return the notice's sections."""
        return self.notice.sections


def draft(
    duty: Duty,
    organisation: Organisation,
    filled: Mapping[str, str],
    *,
    signed_by: str = "",
    known: Mapping[str, str] | None = None,
) -> Letter:
    """Return the letter with what is filled in, and each gap to be seen.

    `known` are values of the incident that this letter may be forbidden to give away. Raises
    LetterError for an item that nothing explains, or text that no document can carry.
    """
    _refuse_unknown(filled)
    refuse_unprintable({**filled, **_said_of(organisation), "signed_by": signed_by})
    texts = {item: text for item, text in filled.items() if text.strip()}
    wanted = required(duty)
    silent = barred(duty)
    refused = forbidden.found(silent, texts, known or {})
    shown = [i for i in dict.fromkeys([*wanted, *texts]) if i not in silent]
    missing = tuple(i for i in shown if is_gap(texts.get(i, "")))
    plan = layout(duty)
    context = {
        "duty": duty,
        "organisation": organisation,
        "signed_by": signed_by,
        "prescribed": plan.title,
        "source": plan.source,
        "missing": missing,
        "barred": silent,
        "forbidden": refused,
        "explained": {i: asks(i) for i in (*missing, *silent)},
        "disclaimer": DISCLAIMER,
    }
    return Letter(
        duty=duty.key,
        audience=audience(duty),
        recipient=duty.stage.recipient,
        organisation=organisation.name,
        citation=duty.regime.citation,
        conservative_due=duty.clock.conservative_due,
        legal_latest=duty.clock.legal_latest,
        confidence=duty.confidence,
        sources=duty.sources,
        notice=_notice(plan, audience(duty), shown, texts, context),
        cover=_cover(context),
        missing=missing,
        forbidden=refused,
    )


def check(letter: Letter, *, passed: Collection[str] = ()) -> None:
    """Raise LetterError that lists all that is missing and all that is forbidden.

    `passed` are the keys of findings in another item's text that a person looked at and cleared,
    such as 12 months in a notice about 12 people; a prohibited item itself cannot be passed.
    """
    wrong = [f"{item} is missing: {asks(item)}" for item in letter.missing]
    wrong += [f.says for f in letter.forbidden if f.within is None or f.key not in passed]
    if not letter.missing and any(is_gap(p) for p in letter.notice.paragraphs):
        wrong.append("a gap [TO FILL ...] stands in the name, address or signature: fill it")
    if wrong:
        raise LetterError(f"{letter.duty}: not fit to be sent: {'; '.join(wrong)}")


def release(letter: Letter, *, passed: Collection[str] = ()) -> Letter:
    """Return the letter without the draft's mark. Raises LetterError as `check` does."""
    check(letter, passed=passed)
    return dataclasses.replace(letter, notice=dataclasses.replace(letter.notice, foot=""))


def _notice(
    plan: Layout,
    to: Audience,
    shown: list[str],
    texts: Mapping[str, str],
    context: Mapping[str, object],
) -> Part:
    def entry(item: str) -> tuple[str, ...]:
        text = texts.get(item, "")
        if not text:
            return (gap(asks(item)),)
        return _block(to, "entry", {**context, "asks": asks(item), "text": text})

    sections = [
        Section(heading, tuple(p for item in there for p in entry(item)))
        for heading, there in plan.arranged(shown).items()
    ]
    opening = Section("", _block(to, "opening", context))
    closing = Section("", _block(to, "closing", context))
    title = " ".join(_block(to, "title", context))
    return Part(title, (opening, *sections, closing), DRAFT)


def _cover(context: Mapping[str, object]) -> Part:
    sections = tuple(Section(h, _block("cover", name, context)) for name, h in _COVER.items())
    return Part(
        " ".join(_block("cover", "title", context)), tuple(s for s in sections if s.paragraphs)
    )


def _block(template: str, name: str, context: Mapping[str, object]) -> tuple[str, ...]:
    """Return a block's lines; values are put in as they are, never read as templates."""
    found = _templates().get_template(f"{template}.jinja")
    text = "".join(found.blocks[name](found.new_context(dict(context))))
    return tuple(line.strip() for line in text.splitlines() if line.strip())


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  plain text; each form of the letter escapes for itself
        trim_blocks=True,
        lstrip_blocks=True,
    )


def gap(asked: str) -> str:
    """Return what stands in a draft where something is missing."""
    return f"[TO FILL: {asked}]"


def is_gap(text: str) -> bool:
    """Tell whether it is a gap still: empty, or with the mark of one put back into it."""
    return not text.strip() or "[to fill" in text.casefold()


def _said_of(organisation: Organisation) -> dict[str, str]:
    return {f"organisation.{n}": v for n, v in dataclasses.asdict(organisation).items()}


def _refuse_unknown(filled: Mapping[str, str]) -> None:
    wrong = []
    for item in filled:
        if item not in items():
            near = ", ".join(difflib.get_close_matches(item, items(), 3)) or "see contents/*.yaml"
            wrong.append(f"{item} (near it: {near})")
    if wrong:
        raise LetterError(
            f"no notice asks for {'; '.join(wrong)}: use the names of contents/*.yaml"
        )


def refuse_unprintable(texts: Mapping[str, str]) -> None:
    """Raise LetterError that names each text with a character that no document can carry."""
    wrong = [
        f"{name}: U+{ord(char):04X}"
        for name, text in texts.items()
        for char in dict.fromkeys(_UNPRINTABLE.findall(text))
    ]
    if wrong:
        raise LetterError(
            f"control characters cannot be printed, take them out: {'; '.join(wrong)}"
        )
