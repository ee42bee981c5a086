"""What a scenario sets up besides the estate, and how it is played, shown and broken."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from playbooks.drills.drill import Drill
    from playbooks.drills.range.estate import Estate
    from playbooks.drills.range.world import World


@dataclass(frozen=True, slots=True)
class Sabotage:
    """What is broken, how, and which claims of the drill must fail because of it."""

    says: str
    commit: Callable[[], None]
    claims: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stage:
    """What the deployment gets: lines of stanch.toml, environment, and the plays it may run.

    `types` are finding types that are answered without a person. `things` are what the scenario's
    play needs to know of what it built.
    """

    plays: tuple[str, ...]
    types: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    things: Any = field(default=None, repr=False)


Building = Callable[["World", "Estate"], AbstractContextManager[Stage]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One drill: `build` sets the stage, `play` scores claims, `show` tells a security lead.

    `prefect` has a Prefect server run beside it.
    """

    name: str
    says: str
    build: Building
    play: Callable[["Drill", Path], None]
    show: Callable[["Console", "Drill"], None]
    sabotages: Mapping[str, Sabotage]
    prefect: bool = False


def at_once(make: Callable[["World", "Estate"], Stage]) -> Building:
    """Return the building of a stage that needs nothing running and nothing cleared away."""

    @contextmanager
    def built(world: "World", estate: "Estate") -> Iterator[Stage]:
        yield make(world, estate)

    return built


def one(says: str, commit: Callable[[], None], *claims: str) -> Sabotage:
    """Return a sabotage and the claims that must fail by it."""
    return Sabotage(says, commit, frozenset(claims))
