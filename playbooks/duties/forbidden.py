"""Finds what a rule forbids a notice to say: items filled, and their values in other items' texts.

It finds a value as it was given and its sentences, and of an item that counts its numbers, in
digits however grouped. It finds no paraphrase and no number in words: a person still reads it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# 5,010 and 5.010 and 5'010 and 5 010 (a space that does not break) are one number each.
_GROUPED = re.compile(r"(?<!\w)\d{1,3}(?:[,.'\u2019\u00a0\u2009\u202f]\d{3})+(?!\w)")
_SPACED = re.compile(r"(?<!\w)\d{1,3}(?: \d{3})+(?!\w)")
_PLAIN = re.compile(r"(?<!\w)\d+(?!\w)")
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


@dataclass(frozen=True)
class Forbidden:
    """A prohibited item in a letter; `within` is the item whose text gives it away, if another."""

    item: str
    within: str | None = None
    value: str = ""

    @property
    def key(self) -> str:
        """Return what a person names to pass a finding: `number_affected in protective_steps`."""
        return self.item if self.within is None else f"{self.item} in {self.within}"

    @property
    def says(self) -> str:
        """Return in words what was found and what to do."""
        if self.within is None:
            return f"{self.item}: the rule forbids it in this notice; take it out"
        return f"{self.key}: its text says {self.value!r}, which the rule forbids; say it otherwise"


def found(
    prohibited: Iterable[str], filled: Mapping[str, str], known: Mapping[str, str]
) -> tuple[Forbidden, ...]:
    """Return every prohibited item that is filled, and every known value of one in another text.

    `known` are values that the incident has but the letter must not have, beside those filled.
    """
    barred = tuple(dict.fromkeys(prohibited))
    values = {item: (known.get(item, ""), filled.get(item, "")) for item in barred}
    direct = [Forbidden(item) for item in barred if filled.get(item, "").strip()]
    leaks = [
        Forbidden(item, name, said)
        for item in barred
        for name, text in filled.items()
        if name not in barred and (said := _given_away(item, values[item], text))
    ]
    return (*direct, *leaks)


def _given_away(item: str, values: Iterable[str], text: str) -> str:
    """Return the first of the values' forms that the text says, or nothing."""
    there, numbers = _plain(text), _numbers(text)
    for value in values:
        for phrase in _phrases(value):
            if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", there):
                return phrase
        # A telling of what happened has dates in it, which are no secret of their own.
        if "number" in item and (same := _numbers(value) & numbers):
            return f"{min(same):,}"
    return ""


def _phrases(value: str) -> list[str]:
    """Return the whole value and each of its sentences; one word alone counts only as the whole."""
    whole = _plain(value)
    parts = [_plain(part) for part in _SENTENCE.split(value)]
    found = [whole, *(part for part in parts if " " in part)]
    # A number is looked for as a number, so that 501 is not found within 12,501.
    return [p for p in dict.fromkeys(found) if re.search(r"[^\W\d_]", p)]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .,;:!?")


def _numbers(text: str) -> set[int]:
    """Return every whole number; `5 010` with a plain space is read as one number and as two."""
    whole = {m.group() for m in _GROUPED.finditer(text)} | {
        m.group() for m in _SPACED.finditer(text)
    }
    rest = _GROUPED.sub(" ", text)
    # CPython refuses to read more than 4300 digits; no count of people has 16.
    plain = {m.group() for m in _PLAIN.finditer(rest) if len(m.group()) < 16}
    return {int("".join(c for c in number if c.isdigit())) for number in whole | plain}
