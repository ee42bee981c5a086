"""What is known of a breach, and of numbers what they may lie between."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from playbooks.duties.errors import FactError
from playbooks.duties.vocabulary import Value, Vocabulary, vocabulary

# Hours that a contract may name: a slip of the hand is no date of another century.
_LONGEST = 10 * 366 * 24


@dataclass(frozen=True)
class Span:
    """A number that lies between two, both inclusive; no `high` is no bound."""

    low: int
    high: int | None


@dataclass(frozen=True)
class Facts:
    """The facts given, by full name.

    `closed` is a calculator's assumption: persons are where they were counted, and nowhere else.
    """

    given: Mapping[str, Value] = field(default_factory=dict)
    closed: bool = False

    def span(self, name: str) -> Span:
        """Return what a count may be, from itself, from the total and from the parts."""
        value = self.given.get(name)
        if isinstance(value, int):
            return Span(value, value)
        if name == "persons_notified":
            # Who is affected and is to be told are the same until somebody says otherwise.
            return self.span("persons")
        head, _, place = name.partition(".")
        parts = self._parts(head) if place else self._counts
        known = self._sum(parts)
        if not place:
            return self._total(name, parts, known)
        if head == "residents" and "persons_in.US" in self.given:
            # Who is in the country is in one of its states, whichever it is.
            return self._of_states(place, parts)
        if place == "any":
            most = max(parts.values(), default=0)
            rest = self._rest(known)
            return Span(most, None if rest is None else max(most, rest))
        if name == "persons_in.US":
            states = sum(self._parts("residents").values())
            rest = self._rest(known)
            return Span(states, None if rest is None else max(states, rest))
        return Span(0, self._rest(known))

    def _of_states(self, place: str, parts: Mapping[str, int]) -> Span:
        rest = max(0, self._counts["persons_in.US"] - sum(parts.values()))
        if place != "any":
            return Span(0, rest)
        most = max(parts.values(), default=0)
        return Span(most, max(most, rest))

    def _sum(self, parts: Mapping[str, int]) -> int:
        """Return how many people stand in the counts; those of the United States stand by state."""
        states = sum(v for n, v in parts.items() if n.startswith("residents."))
        rest = sum(v for n, v in parts.items() if n.startswith("persons_in.") and n[11:] != "US")
        return max(states, parts.get("persons_in.US", 0)) + rest

    def _total(self, name: str, parts: Mapping[str, int], known: int) -> Span:
        if name != "persons" or not parts:
            return Span(0, None)
        return Span(known, known if self._complete() else None)

    def _rest(self, known: int) -> int | None:
        total = self.given.get("persons")
        if isinstance(total, int):
            return max(0, total - known)
        return 0 if self._complete() else None

    def _complete(self) -> bool:
        counted = any("." in name for name in self.given)
        return self.given.get("counts_complete") is True or (self.closed and counted)

    def _parts(self, head: str) -> dict[str, int]:
        return {n: v for n, v in self._counts.items() if n.startswith(head + ".")}

    @functools.cached_property
    def _counts(self) -> dict[str, int]:
        """Return the counts per place."""
        return {n: v for n, v in self.given.items() if "." in n and isinstance(v, int)}


def read(raw: Mapping[str, object], words: Vocabulary | None = None) -> Facts:
    """Return the facts of a mapping; nested counts (`residents: {CA: 501}`) are flattened.

    Raises FactError that names every fact that is unknown or of the wrong type.
    """
    words = words or vocabulary()
    given: dict[str, Value] = {}
    wrong: list[str] = []
    for name, value in _parts(raw):
        if value is None:
            continue
        try:
            full, fact = words.find(name)
            if full.endswith(".any"):
                raise FactError(f"{name}: count per place; `any` belongs to rules")
            if full in given:
                raise FactError(f"{name}: {full} is given twice; keep one of them")
            given[full] = fact.read(value, name)
        except FactError as error:
            wrong.append(str(error))
    if not wrong:
        wrong = _contradictions(given)
    if wrong:
        raise FactError("; ".join(wrong))
    return Facts(given)


def flat(raw: Mapping[str, object]) -> dict[str, object]:
    """Return the facts by full name, nested counts apart: of two files the later can win by name.

    Raises FactError where one is given twice. A name that no fact has stays as it is.
    """
    found: dict[str, object] = {}
    for name, value in _parts(raw):
        try:
            full, _ = vocabulary().find(name)
        except FactError:
            full = name
        if full in found:
            raise FactError(f"{name}: {full} is given twice; keep one of them")
        found[full] = value
    return found


def _parts(raw: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    for name, value in raw.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{place}", part) for place, part in value.items())
        else:
            yield str(name), value


def _contradictions(given: Mapping[str, Value]) -> list[str]:
    hours, total = given.get("contract_hours"), given.get("persons")
    if isinstance(hours, int) and hours > _LONGEST:
        return [f"contract_hours: at most {_LONGEST:,} (ten years), not {hours:,}; correct it"]
    if not isinstance(total, int):
        return []
    known = Facts({n: v for n, v in given.items() if n != "persons"}).span("persons").low
    if known <= total:
        return []
    return [f"persons is {total}, but the counts per place add up to {known}: correct one of them"]
