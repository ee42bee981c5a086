"""Time in which an attacker acts while a responder works.

    pursuit = Pursuit(world, attacker)
    pursuit.passes(30.0)                    # a head start
    pursuit.hurried(client)                 # each of the responder's calls takes its time
    ...
    pursuit.passes(60.0)

The attacker's turns come every 0.5 s of the world's time, whoever lets it pass. No threads.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.adversary import POLL_SECONDS

if TYPE_CHECKING:
    from playbooks.drills.range.adversary import Attacker
    from playbooks.drills.range.world import World

# Seconds that one call of a responder takes, there and back.
CALL_SECONDS = (0.05, 0.25)


@dataclass
class Pursuit:
    """`due` is when the attacker's next turn is, in epoch seconds of the world's time."""

    world: World
    attacker: Attacker
    seed: int = 0
    due: float = field(init=False)
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"pursuit {self.seed}")  # noqa: S311
        self.began = self.seconds()
        self.due = self.began + self.rng.uniform(0.0, POLL_SECONDS)

    def seconds(self) -> float:
        """The world's time, epoch seconds."""
        return self.world.ground.seconds()

    def passes(self, seconds: float) -> None:
        """Let time pass, with the attacker's turns in it."""
        end = self.seconds() + seconds
        while self.due <= end:
            self.world.tick(max(0.0, self.due - self.seconds()))
            self.due += POLL_SECONDS
            self.attacker.turn()
        self.world.tick(max(0.0, end - self.seconds()))

    def hurried(self, client: Any) -> Any:
        """A client of the responder's, each call of which takes a while; returns it."""
        client.meta.events.register("before-call", self._takes_time)
        return client

    def last_success(self) -> float:
        """Epoch seconds of the attacker's last call that got through; of the beginning if none."""
        successes = self.attacker.hands.successes
        return successes[-1] if successes else self.began

    def quiet(self, seconds: float, by: float) -> bool:
        """Let time pass until the attacker failed for so long, or got something through after `by`
        (epoch seconds of the world's time); whether it failed."""
        while self.last_success() <= by:
            if self.seconds() - self.last_success() >= seconds:
                return True
            self.passes(1.0)
        return False

    def _takes_time(self, **_: Any) -> None:
        self.passes(self.rng.uniform(*CALL_SECONDS))
