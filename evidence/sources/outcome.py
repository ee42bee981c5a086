"""How a source's collection went: all of it, part of it, none, or not to be had, and why.

A source that uses it gives one more item at its end, so that an empty collection is a statement
that was kept, never a silence. JSON: `state`, `why` (sentences), `counts`, `findings`.
"""

from collections.abc import Generator, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from evidence.sources.ask import JSON, Pages, as_json
from evidence.sources.item import Item, Missed

CALL = "stanch.outcome"

State = Literal["acquired", "partial", "unsupported", "failed"]


@dataclass(slots=True)
class Tally:
    """What is counted while a source runs: pieces, misses, and the reasons for what is lacking.

    `lacking` are reasons why something is not there; `notes` say what else a reader must know.
    """

    counts: dict[str, int] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, what: str, number: int = 1) -> None:
        """Count so many of something; 0 makes it stand in the counts."""
        self.counts[what] = self.counts.get(what, 0) + number

    def miss(self, missed: Missed) -> Missed:
        """Note that a piece is missed, and return it."""
        self.add("missed")
        if (why := f"{missed.call}: {missed.error_code}") not in self.lacking:
            self.lacking.append(why)
        return missed


@dataclass(frozen=True, slots=True)
class Outcome:
    """A collection's end: `partial` lacks something, `unsupported` could not be begun.

    `failed` could have been, and gave nothing that counts.
    """

    state: State
    why: tuple[str, ...]
    counts: Mapping[str, int]
    findings: tuple[Mapping[str, Any], ...] = ()

    def item(self, source: str) -> Item:
        """Return it as the source's last item."""
        return Item(f"{source}.outcome", JSON, as_json(asdict(self)), False, CALL)


def counted(
    asking: Generator[Item | Missed, None, Pages], tally: Tally
) -> Generator[Item | Missed, None, Pages]:
    """Yield and return what `ask` does; what it missed is lacking."""
    while True:
        try:
            one = next(asking)
        except StopIteration as done:
            pages: Pages = done.value
            return pages
        yield tally.miss(one) if isinstance(one, Missed) else one


def ended(tally: Tally, findings: Iterable[Mapping[str, Any]] = ()) -> Outcome:
    """Return how it went: acquired only where nothing is lacking."""
    state: State = "partial" if tally.lacking else "acquired"
    why = (*tally.lacking, *tally.notes)
    return Outcome(state, why, dict(sorted(tally.counts.items())), tuple(findings))


def unsupported(why: str, tally: Tally | None = None) -> Outcome:
    """Return that what was asked for cannot be had this way, and why."""
    tally = tally or Tally()
    return Outcome("unsupported", (why, *tally.lacking, *tally.notes), dict(tally.counts))


def failed(
    why: str, tally: Tally | None = None, findings: Iterable[Mapping[str, Any]] = ()
) -> Outcome:
    """Return that nothing came which counts, and why."""
    tally = tally or Tally()
    whole = (why, *tally.lacking, *tally.notes)
    return Outcome("failed", whole, dict(sorted(tally.counts.items())), tuple(findings))
