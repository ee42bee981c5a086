"""Typed predicates over facts: yes, no, or unknown with the facts that would settle it."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from playbooks.duties.errors import DutiesError, RuleError
from playbooks.duties.facts import Facts
from playbooks.duties.vocabulary import Fact, Value, Vocabulary

Op = Literal[">", ">=", "<", "<=", "="]
OPS = (">", ">=", "<", "<=")


@dataclass(frozen=True)
class Answer:
    """Yes (True), no (False) or unknown (None); why, and which facts would settle an unknown."""

    truth: bool | None
    why: tuple[str, ...] = ()
    settles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Is:
    """The fact is one of these values; a fact of many words holds one of them."""

    fact: str
    values: frozenset[Value]

    @functools.cached_property
    def words(self) -> str:
        """Return the values for a person."""
        return " or ".join(sorted(_said(v) for v in self.values))

    def answer(self, facts: Facts) -> Answer:
        given = facts.given.get(self.fact)
        if given is None:
            return Answer(None, (f"{self.fact} is not known",), (self.fact,))
        truth = bool(given & self.values) if isinstance(given, frozenset) else given in self.values
        return Answer(truth, (f"{self.fact} is {_said(given)} (asked: {self.words})",))


@dataclass(frozen=True)
class Compare:
    """The count or level stands so to the bound; `levels` orders the words of a level."""

    fact: str
    op: Op
    bound: int
    levels: tuple[str, ...] = ()

    def answer(self, facts: Facts) -> Answer:
        asked = f"{self.op} {self.levels[self.bound] if self.levels else f'{self.bound:,}'}"
        low, high = self._between(facts)
        truth = _compare(self.op, low, high, self.bound)
        if truth is None:
            return Answer(None, (f"{self.fact} is not known well enough ({asked})",), (self.fact,))
        said = self.levels[low] if self.levels else _span(low, high)
        return Answer(truth, (f"{self.fact} is {said} (asked: {asked})",))

    def _between(self, facts: Facts) -> tuple[int, int | None]:
        if not self.levels:
            span = facts.span(self.fact)
            return span.low, span.high
        given = facts.given.get(self.fact)
        if isinstance(given, str):
            return (at := self.levels.index(given)), at
        return 0, len(self.levels) - 1


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple["Condition", ...]

    def answer(self, facts: Facts) -> Answer:
        return _join([part.answer(facts) for part in self.parts], deciding=False)


@dataclass(frozen=True)
class Some:
    """At least one part holds."""

    parts: tuple["Condition", ...]

    def answer(self, facts: Facts) -> Answer:
        return _join([part.answer(facts) for part in self.parts], deciding=True)


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Condition"

    def answer(self, facts: Facts) -> Answer:
        found = self.part.answer(facts)
        truth = None if found.truth is None else not found.truth
        return Answer(truth, found.why, found.settles)


Condition = Is | Compare | All | Some | Not


def condition(raw: object, words: Vocabulary, where: str) -> Condition:
    """Return the predicate that a rule file writes down. Raises RuleError that says where.

    `{risk: {">=": possible}, role: controller}`: all must hold. A list is one of these values.
    `all`, `any` (lists) and `not` (a predicate) join others.
    """
    if not isinstance(raw, Mapping) or not raw:
        raise RuleError(f"{where}: a predicate is a mapping that is not empty, not {raw!r}")
    parts = tuple(_part(str(key), value, words, where) for key, value in raw.items())
    return parts[0] if len(parts) == 1 else All(parts)


def _part(key: str, value: object, words: Vocabulary, where: str) -> Condition:
    match key:
        case "all" | "any":
            if not isinstance(value, list) or not value:
                raise RuleError(f"{where}.{key}: a list of predicates was expected")
            each = (condition(v, words, f"{where}.{key}[{i}]") for i, v in enumerate(value))
            return All(tuple(each)) if key == "all" else Some(tuple(each))
        case "not":
            return Not(condition(value, words, f"{where}.not"))
    try:
        name, fact = words.find(key)
        return _leaf(name, fact, value)
    except DutiesError as error:
        raise RuleError(f"{where}: {error}") from None


def _leaf(name: str, fact: Fact, value: object) -> Condition:
    if isinstance(value, Mapping):
        if len(value) != 1 or (op := next(iter(value))) not in OPS:
            raise RuleError(f"{name}: one of {', '.join(OPS)} with a bound was expected")
        bound = fact.read(value[op], name)
        if fact.kind == "level":
            return Compare(name, op, fact.of.index(str(bound)), fact.of)
        if fact.kind not in ("count", "counts") or not isinstance(bound, int):
            raise RuleError(f"{name}: only counts and levels are compared")
        return Compare(name, op, bound)
    if fact.kind in ("count", "counts"):
        raise RuleError(f"{name}: a count is compared, as in {{'>': 500}}")
    if fact.kind in ("some", "countries"):
        found = fact.read(value, name)
        return Is(name, found if isinstance(found, frozenset) else frozenset({found}))
    values = value if isinstance(value, list) else [value]
    return Is(name, frozenset(fact.read(v, name) for v in values))


def joined(answers: list[Answer]) -> Answer:
    """Return whether all hold."""
    return _join(answers, deciding=False)


def _join(answers: list[Answer], *, deciding: bool) -> Answer:
    """Join by Kleene's logic; `deciding` is the truth that one part alone decides by."""
    decided = [a for a in answers if a.truth is deciding]
    if decided:
        return Answer(deciding, decided[0].why)
    open_ = [a for a in answers if a.truth is None]
    if open_:
        settles = tuple(dict.fromkeys(s for a in open_ for s in a.settles))
        return Answer(None, tuple(w for a in open_ for w in a.why), settles)
    return Answer(not deciding, tuple(w for a in answers for w in a.why))


def _compare(op: Op, low: int, high: int | None, bound: int) -> bool | None:
    if op in ("<", "<="):
        turned = _compare(">=" if op == "<" else ">", low, high, bound)
        return None if turned is None else not turned
    least = bound + 1 if op == ">" else bound
    if low >= least:
        return True
    return False if high is not None and high < least else None


def _said(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)


def _span(low: int, high: int | None) -> str:
    if low == high:
        return f"{low:,}"
    return f"at least {low:,}" if high is None else f"{low:,} to {high:,}"
