"""Finds what starts a clock among the anchors that are known."""

import functools
from collections.abc import Iterable, Mapping
from datetime import date

from playbooks.duties.anchor_names import anchor_names
from playbooks.duties.errors import AnchorError
from playbooks.duties.moment import Moment, placed, readings, whole
from playbooks.duties.rule import Regime, Stage

# Anchors that follow from another by the calendar alone.
_YEAR_OF = {"end_of_calendar_year_of_discovery": "discovery"}

Anchors = Mapping[str, Moment]


def short(name: str) -> str:
    """Return an anchor's name without its remark (`stage:intermediate(latest update)`)."""
    return name.partition("(")[0]


def checked(regime: Regime, anchors: Anchors) -> dict[str, Moment]:
    """Return the anchors by their short names. Raises AnchorError for one that nothing knows."""
    found: dict[str, Moment] = {}
    stages = {f"stage:{s.id}" for s in regime.stages}
    for name, moment in anchors.items():
        key = short(name)
        if key not in anchor_names() and key not in stages:
            near = ", ".join(sorted({s.anchor for s in regime.stages}))
            raise AnchorError(f"{name} is no anchor; {regime.id} starts from: {near}")
        if key in found:
            raise AnchorError(f"{name}: {key} is given twice; keep one of them")
        found[key] = moment
    return found


def start_of_stage(stage: Stage, anchors: Anchors, zone: str = "UTC") -> tuple[Moment, str] | None:
    """Return the moment that starts the stage's clock and the anchor's name, or None."""
    return earliest((stage.anchor, *stage.or_anchors), anchors, zone)


def earliest(
    names: Iterable[str], anchors: Anchors, zone: str = "UTC"
) -> tuple[Moment, str] | None:
    """Return the earliest known of these events; `zone` says in which year an instant lies."""
    found = [(anchors[n], n) for name in names for n in _limbs(short(name)) if n in anchors]
    found += [year for name in names if (year := _year_end(short(name), anchors, zone))]
    return min(found, key=lambda each: each[0].first, default=None)


@functools.cache
def _limbs(name: str) -> tuple[str, ...]:
    known = anchor_names().get(name)
    more = (limb for each in known.any_of for limb in _limbs(each)) if known else ()
    return (name, *more)


def _year_end(name: str, anchors: Anchors, zone: str) -> tuple[Moment, str] | None:
    found = anchors.get(_YEAR_OF.get(name, ""))
    if found is None or name in anchors:
        return None
    # Where it was another year elsewhere, the earlier one is the safe one.
    year = min(r.day.year for r in readings(placed(found, zone), zone))
    return whole(date(year, 12, 31), zone), f"{name} (from {_YEAR_OF[name]})"
