"""What is written to IAM is shown at once, and binds a while later.

IAM User Guide, Troubleshoot IAM, "Changes that I make are not always immediately visible": IAM is
eventually consistent, changes to policies, keys, users and roles take time to be replicated; how
long is not documented, and was measured by others as about 3 to 4 s. Organizations API:
DetachPolicy: changes of service control policies are "immediate" for the affected accounts; a short
delay stands for what nobody has measured. What a request changes of one thing (facts.py) is delayed
by a time drawn from the world's seed; changes of one fact never overtake each other.

Reads through the API do not lag: injectors.StaleRead is for that. What a session was given (its
session policy, its times) does not lag either.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playbooks.drills.range.facts import Facts, Thing, shown, things

if TYPE_CHECKING:
    from playbooks.drills.range.ground import Ground

OF_ORGANIZATIONS = {"node", "scp"}
# Without this fact a thing does not exist yet, or any more, whatever else is known of it.
BEING = {
    **dict.fromkeys(("user", "role", "group"), ("id", "")),
    **dict.fromkeys(("policy", "scp"), ("document", "")),
    "key": ("user", ""),
    "node": ("parent", ""),
}
# A fact's texts with the epoch seconds from which on each is effective; None: it is gone.
Timeline = list[tuple[float, str | None]]


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds, lowest and highest, for changes in IAM and for those of service control policies."""

    iam: tuple[float, float]
    scp: tuple[float, float]


@dataclass(slots=True)
class Lag:
    """The facts as they come to be effective. `observe` after every write."""

    ground: Ground
    delays: Delays
    seed: int
    latest: dict[Thing, Facts] = field(default_factory=dict)
    timelines: dict[Thing, dict[tuple[str, str], Timeline]] = field(default_factory=dict)
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"propagation {self.seed}")  # noqa: S311
        for thing in things(self.ground):
            facts = shown(self.ground, thing)
            self.latest[thing] = facts
            self.timelines[thing] = {key: [(0.0, text)] for key, text in facts.items()}

    def observe(self) -> None:
        """Note what is shown now and was not before; it becomes effective later."""
        present = {thing: shown(self.ground, thing) for thing in things(self.ground)}
        for thing in [*present, *(gone for gone in self.latest if gone not in present)]:
            before, now = self.latest.get(thing, {}), present.get(thing, {})
            if before != now:
                # A thing that is new comes whole: all that one request changed of it is one delay.
                at = self.ground.seconds() + self._delay(thing)
                for key in [*now, *(k for k in before if k not in now)]:
                    if before.get(key) != now.get(key):
                        self._change(thing, key, now.get(key), at)
        self.latest = present

    def effective(self, thing: Thing) -> Facts:
        """The facts of a thing that are effective at the world's time."""
        now = self.ground.seconds()
        facts: Facts = {}
        for key, timeline in self.timelines.get(thing, {}).items():
            text = next((text for at, text in reversed(timeline) if at <= now), None)
            if text is not None:
                facts[key] = text
        return facts if BEING[thing.kind] in facts else {}

    def _delay(self, thing: Thing) -> float:
        low, high = self.delays.scp if thing.kind in OF_ORGANIZATIONS else self.delays.iam
        return self.rng.uniform(low, high)

    def _change(self, thing: Thing, key: tuple[str, str], text: str | None, at: float) -> None:
        timeline = self.timelines.setdefault(thing, {}).setdefault(key, [])
        timeline.append((max([at, *(before for before, _ in timeline[-1:])]), text))
