"""All that one clock is computed from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from playbooks.duties.counting import HOURS
from playbooks.duties.duty import Clock
from playbooks.duties.facts import Facts
from playbooks.duties.moment import Moment, instant
from playbooks.duties.rule import Counting, Jurisdiction, Regime, Stage, Unit
from playbooks.duties.starts import Anchors
from playbooks.duties.working_days import WEEKENDS, Calendar, calendar


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
            return calendar(str(given)) if given else WEEKENDS
        return calendar(name)

    def placed(self, start: Moment, unit: Unit) -> Moment:
        """Return the start in the place's zone where days count and it came as UTC or an offset.

        The day of an event is the day where it is judged, and an offset alone is no place.
        """
        no_place = start.zone == "UTC" or start.zone.startswith("Etc/")
        if unit in HOURS or start.at is None or not no_place:
            return start
        return instant(start.at, self.home.zone)

    def how(self, unit: Unit) -> Counting:
        """Return the counting rule of the stage, or else, but for hours, of its regime or file."""
        if self.stage.counting:
            return self.stage.counting
        if unit in HOURS:
            return "elapsed"
        return self.regime.counting or self.home.counting or "calendar-days"
