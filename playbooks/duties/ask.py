"""All that one clock is computed from."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

from playbooks.duties.counting import HOURS
from playbooks.duties.duty import Clock
from playbooks.duties.facts import Facts
from playbooks.duties.moment import Moment, placed
from playbooks.duties.rule import Counting, Jurisdiction, Regime, Stage, Unit
from playbooks.duties.starts import Anchors
from playbooks.duties.working_days import MEMBER_ZONES, WEEKENDS, Calendar, calendar


@dataclass(frozen=True)
class Ask:
    """One stage, what is known, and the clocks of the regime's other stages."""

    home: Jurisdiction
    regime: Regime
    stage: Stage
    facts: Facts
    anchors: Anchors
    others: Mapping[str, Clock] = field(default_factory=dict)

    def days(self) -> Calendar:
        """Return whose working days count; only weekends where the member state is not known."""
        name = self.stage.calendar or self.regime.calendar or self.home.calendar
        if name is None:
            given = self.facts.given.get("member_state")
            return calendar(str(given)) if given in MEMBER_ZONES else WEEKENDS
        return calendar(name)

    @functools.cached_property
    def zone(self) -> str:
        """Return the zone of the law's place; of an EU act, that of the member state."""
        given = str(self.facts.given.get("member_state", ""))
        return MEMBER_ZONES.get(given, self.home.zone) if self._eu() else self.home.zone

    def placed(self, start: Moment, unit: Unit) -> Moment:
        """Return the start in the law's zone where days count and it came without a place."""
        return start if unit in HOURS else placed(start, self.zone)

    def _eu(self) -> bool:
        return not (self.stage.calendar or self.regime.calendar or self.home.calendar)

    def how(self, unit: Unit) -> Counting:
        """Return the counting rule of the stage, or else, but for hours, of its regime or file."""
        if self.stage.counting:
            return self.stage.counting
        if unit in HOURS:
            return "elapsed"
        return self.regime.counting or self.home.counting or "calendar-days"
