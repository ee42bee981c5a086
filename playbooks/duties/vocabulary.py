"""The facts that rules may ask for: their names, types and the question that settles each."""

import difflib
import functools
import re
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml

from playbooks.duties.errors import FactError, RuleError, shown
from playbooks.duties.places import COUNTRIES, US_STATES, meant

Kind = Literal["yesno", "count", "one", "some", "level", "counts", "country", "countries", "date"]
Value = bool | int | str | frozenset[str] | date

FACTS = Path(__file__).parent / "facts"
_YES, _NO = {"true", "yes"}, {"false", "no"}


@dataclass(frozen=True)
class Fact:
    """One fact: its name, type, allowed words, and how a person is asked for it."""

    name: str
    kind: Kind
    ask: str
    of: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    def read(self, given: object, name: str) -> Value:
        """Return the value in its type. Raises FactError that says what was expected."""
        try:
            return self._read(given)
        except (ValueError, TypeError):
            # An empty list would say that none of the words holds, and rule out what may bind.
            empty = given == "" or (isinstance(given, Sized) and not given)
            what = "leave it out while it is not known" if empty else f"not {shown(given)}"
            what += meant(given) if isinstance(given, str) else ""
            raise FactError(f"{name}: {self.expects()} was expected, {what}") from None

    def expects(self) -> str:
        """Return in words what a value of this fact looks like."""
        words = ", ".join(self.of)
        return {
            "yesno": "true or false",
            "count": "a whole number from 0",
            "counts": "a whole number from 0",
            "one": f"one of {words}",
            "some": f"one or more of {words}",
            "level": f"one of {words} (from low to high)",
            "country": "an ISO 3166 country code such as DE",
            "countries": "ISO 3166 country codes such as DE, FR",
            "date": "a date such as 2026-11-20",
        }[self.kind]

    def _read(self, given: object) -> Value:
        match self.kind:
            case "yesno":
                return _yes(given)
            case "count" | "counts":
                return _count(given)
            case "one" | "level":
                return self._word(given)
            case "some":
                return frozenset(map(self._word, _words(given)))
            case "country":
                return _country(given)
            case "countries":
                return frozenset(map(_country, _words(given)))
            case "date":
                return given if type(given) is date else date.fromisoformat(str(given))

    def _word(self, given: object) -> str:
        if not isinstance(given, str) or given not in self.of:
            raise ValueError(given)
        return given


@dataclass(frozen=True)
class Vocabulary:
    """Every fact by its name and by its other names."""

    facts: Mapping[str, Fact]

    def find(self, name: str) -> tuple[str, Fact]:
        """Return the fact's full name (`residents.CA`) and the fact. Raises FactError."""
        # The total of a count per place is a fact of its own.
        name = "persons" if name in ("residents.total", "persons_in.total") else name
        head, dot, place = name.partition(".")
        fact = self.facts.get(head)
        if fact is None:
            near = difflib.get_close_matches(head, self.facts, 3) or sorted(self.facts)[:5]
            raise FactError(f"{name}: no rule asks for such a fact; near it: {', '.join(near)}")
        if bool(dot) != (fact.kind == "counts") or (dot and not _place(fact, place)):
            raise FactError(f"{name}: {_naming(fact)} was expected{meant(place)}")
        return fact.name + dot + place, fact


def _naming(fact: Fact) -> str:
    if fact.kind != "counts":
        return f"{fact.name} without a dot"
    unit = "US state, such as CA" if "us_state" in fact.of else "country, such as DE"
    return f"{fact.name}.<two letters of a {unit}>"


def _place(fact: Fact, place: str) -> bool:
    if place == "any":
        return True
    return place in (US_STATES if "us_state" in fact.of else COUNTRIES)


@functools.cache
def vocabulary() -> Vocabulary:
    """Return all facts of `facts/*.yaml`. Raises RuleError where one is wrong or twice."""
    found: dict[str, Fact] = {}
    for path in sorted(FACTS.glob("*.yaml")):
        for row in loaded(path) or ():
            fact = _fact(row, path.name)
            for name in (fact.name, *fact.also):
                if name in found:
                    raise RuleError(f"{path.name}: the fact {name} is named twice")
                found[name] = fact
    return Vocabulary(found)


def loaded(path: Path) -> Any:
    """Return what a YAML file says, by the safe loader, the C one where it is built."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (it is safe)


def _fact(row: Mapping[str, Any], where: str) -> Fact:
    try:
        of, also = row.get("of", ()), row.get("also", ())
        fact = Fact(
            str(row["fact"]),
            row["type"],
            str(row["ask"]),
            tuple(map(str, of)),
            tuple(map(str, also)),
        )
        fact.expects()
    except (KeyError, TypeError) as error:
        raise RuleError(f"{where}: {row} is not a fact: {error} is missing or wrong") from None
    if (fact.kind in ("one", "some", "level", "counts")) != bool(fact.of):
        raise RuleError(f"{where}: {fact.name}: `of` belongs to one, some, level and counts")
    return fact


def _yes(given: object) -> bool:
    if isinstance(given, bool):
        return given
    word = str(given).lower()
    if isinstance(given, str) and word in _YES | _NO:
        return word in _YES
    raise ValueError(given)


def _count(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise TypeError(given)
    if not re.fullmatch(r"[0-9]{1,12}", str(given)):
        raise ValueError(given)
    return int(given)


def _country(given: object) -> str:
    if not isinstance(given, str) or given not in COUNTRIES:
        raise ValueError(given)
    return given


def _words(given: object) -> Iterable[object]:
    """Return the words of a list. Raises ValueError where there is none."""
    if isinstance(given, str):
        given = [word.strip() for word in given.split(",") if word.strip()]
    if not isinstance(given, list | tuple | frozenset | set):
        raise TypeError(given)
    if not given:
        raise ValueError(given)
    return given
