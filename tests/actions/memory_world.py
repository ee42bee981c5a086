"""A small provider for the engine's laws: named keys in memory, with faults and a clock of its own.

world = MemoryWorld({"a": 1})
run(apply(SetKeys((("a", 2),)), world, MemoryJournal(), "step"), world.tick)
assert world.values == {"a": 2}
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from actions.action import Foreseen, Lens, Unseen, Via
from actions.errors import ProviderError
from actions.journal import Json, State
from actions.one_way import OneWay, Unknowable


class WorldError(Exception):
    """What this provider raises: its answer, which `translate` makes ours."""

    def __init__(self, code: str, *, passing: bool, refused: bool = True) -> None:
        super().__init__(code)
        self.code, self.passing, self.refused = code, passing, refused


@dataclass
class MemoryWorld:
    """`values` is what is so. `late` holds writes back, `ignored` and `broken` name bad keys.

    `reverts` keys fall back when `after` seconds passed; `fails` is answers to give first, by key.
    """

    values: dict[str, Json]
    unseen: set[str] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)
    reverts: dict[str, float] = field(default_factory=dict)
    late: float = 0.0
    fails: dict[str, list[WorldError]] = field(default_factory=dict)
    now: float = 0.0
    due: list[tuple[float, str, Json]] = field(default_factory=list)
    writes: list[tuple[str, Json]] = field(default_factory=list)
    made: dict[str, int] = field(default_factory=dict)
    hidden: bool = False
    on_change: Callable[[], None] = lambda: None

    def tick(self, seconds: float) -> None:
        self.now += seconds
        ripe = [d for d in self.due if d[0] <= self.now]
        self.due = [d for d in self.due if d[0] > self.now]
        for _, key, value in ripe:
            self.values[key] = value

    def set(self, key: str, value: Json) -> None:
        if answers := self.fails.get(key):
            raise answers.pop(0)
        self.writes.append((key, value))
        if key in self.ignored:
            return
        if key in self.reverts:
            self.due.append((self.now + self.reverts[key], key, self.values.get(key)))
        if self.late:
            self.due.append((self.now + self.late, key, value))
        else:
            self.values[key] = value
        self.on_change()

    def copy(self) -> "MemoryWorld":
        kept, self.on_change = self.on_change, MemoryWorld.on_change
        twin = copy.deepcopy(self)
        self.on_change = kept
        return twin

    def translate(self, error: Exception) -> ProviderError | None:
        if not isinstance(error, WorldError):
            return None
        return ProviderError(
            "Set", error.code, "said no", passing=error.passing, refused=error.refused
        )


@dataclass(frozen=True)
class SetKeys(Lens[MemoryWorld]):
    """Sets each key. Of a key with a `born` value, the provider shows that one on the way."""

    wants: tuple[tuple[str, Json], ...]
    born: tuple[tuple[str, Json], ...] = ()
    through: tuple[tuple[str, Json], ...] = ()
    dwell: float = 60.0

    @property
    def target(self) -> str:
        return "account/region/thing"

    def read(self, p: MemoryWorld) -> Mapping[str, Json | Unseen]:
        if answers := p.fails.get("read"):
            raise answers.pop(0)
        owned = [*dict(self.wants), *(k for k in p.values if k.startswith("new"))]
        return {k: Unseen("denied") if k in p.unseen else p.values.get(k) for k in owned}

    def wanted(self, before: State) -> State:
        return {k: v for k, v in self.wants if k in before}

    def same(self, key: str, one: Json, other: Json) -> bool:
        if isinstance(one, Unseen) or isinstance(other, Unseen):
            raise TypeError(f"{key} was not seen, so it cannot be compared")
        return bool(one == other)

    def transit(self, before: State) -> Mapping[str, Iterable[Json]]:
        return {k: [v] for k, v in self.born}

    def via(self, before: State) -> Via | None:
        return Via(dict(self.through), self.dwell) if self.through else None

    def write(self, p: MemoryWorld, key: str, value: Json) -> None:
        born = dict(self.born)
        if key in born and value == dict(self.wants)[key] and p.values.get(key) != value:
            p.set(key, born[key])
        p.set(key, value)

    def foresee(self, p: MemoryWorld, before: State) -> Foreseen:
        return Foreseen((f"{len(before)} keys",), ("nothing",))


@dataclass(frozen=True)
class MakeThing(OneWay[MemoryWorld]):
    """Makes one thing, known by its mark."""

    destroys: ClassVar[bool] = False

    @property
    def target(self) -> str:
        return "account/region/things"

    def do(self, p: MemoryWorld, mark: str, approval: str | None) -> None:
        answers: list[Any] = p.fails.get("do", [])
        answer = answers.pop(0) if answers else None
        if answer is not None and answer.refused:
            raise answer
        if "do" not in p.ignored:
            p.made[mark] = p.made.get(mark, 0) + 1
        p.on_change()
        if answer is not None:
            raise answer

    def find(self, p: MemoryWorld, mark: str) -> Mapping[str, Json] | Unknowable | None:
        if p.hidden:
            return Unknowable("the trail is gone")
        return {"thing": mark} if mark in p.made and p.now >= p.late else None


@dataclass(frozen=True)
class BurnThing(MakeThing):
    """The same, but it destroys."""

    destroys: ClassVar[bool] = True
