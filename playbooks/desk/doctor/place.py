"""What the checks look at. Each part is made when a check asks for it, and may then fail there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from botocore.config import Config
from sqlalchemy import Engine

from playbooks.case.store import Store
from playbooks.wiring.database import open_engine
from playbooks.wiring.sessions import Sessions
from playbooks.wiring.settings import Settings

# One attempt, and none that outlasts the doctor's patience.
QUICK = Config(
    connect_timeout=2,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 1},
    user_agent_extra="stanch-doctor",
)


@dataclass(frozen=True)
class Place:
    """One deployment. `now` is this host's clock."""

    settings: Settings
    now: Callable[[], datetime]
    _made: list[Store] = field(default_factory=list)

    def store(self) -> Store:
        """Return the database. Raise SettingsError where there is none."""
        if not self._made:
            self._made.append(Store(self.engine()))
        return self._made[0]

    def engine(self) -> Engine:
        """Return a new engine on the database."""
        return open_engine(self.settings)

    def sessions(self) -> Sessions:
        """Return AWS sessions of one's own, so that no account waits for another."""
        return Sessions(self.settings, self.now, QUICK)


def lasted(time: timedelta) -> str:
    """Return a time as a person says it: 40 s, 12 min, 5 h, 3 days."""
    seconds = abs(time.total_seconds())
    for unit, length, upto in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < length * upto:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"
