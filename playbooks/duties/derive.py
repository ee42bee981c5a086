"""Derives every duty of an incident from what is known; nothing is left out, nothing is guessed."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from playbooks.duties.anchor_names import anchor_names
from playbooks.duties.ask import Ask
from playbooks.duties.clock import clock
from playbooks.duties.condition import Answer, joined
from playbooks.duties.duty import Clock, Duty
from playbooks.duties.facts import Facts
from playbooks.duties.holding_up import Hold, held
from playbooks.duties.reading import Rulebook
from playbooks.duties.rule import Jurisdiction, Regime, Stage
from playbooks.duties.starts import Anchors, checked, short

IN_FORCE = {
    "in_force",
    "in_force_via_national_law",
    "in_force_per_state",
    "in_force_phased",
    "partially_in_force",
    "being_replaced",
    "future",
    "superseded",
    "repealed",
    "contractual",
}


@dataclass(frozen=True)
class Known:
    """What is known of an incident.

    `anchors`: by name; `REGIME/name` holds for that regime alone, and `REGIME/stage:id` is when its
    duty went out. `shadows`: what the incident shows of itself (`acknowledged`, `first_sign`).
    `confirmed`: the duties (`REGIME/stage`) whose rule counsel has confirmed.
    """

    facts: Facts = field(default_factory=Facts)
    anchors: Anchors = field(default_factory=dict)
    shadows: Anchors = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    confirmed: frozenset[str] = frozenset()

    @functools.cached_property
    def shared(self) -> Anchors:
        """Return the anchors that hold for every regime, by their short names."""
        plain = (n for n in self.anchors if "/" not in n and not n.startswith("stage:"))
        return {short(n): self.anchors[n] for n in plain}

    @functools.cached_property
    def own(self) -> Mapping[str, Anchors]:
        """Return the anchors that hold for one regime, by its id."""
        names = [n for n in self.anchors if "/" in n]
        regimes = {n.rpartition("/")[0] for n in names}
        return {
            r: {n.rpartition("/")[2]: self.anchors[n] for n in names if n.startswith(f"{r}/")}
            for r in regimes
        }


def derive(book: Rulebook, known: Known) -> tuple[Duty, ...]:
    """Return the duty of every stage of every regime, in the order of the rule files."""
    return tuple(
        duty for home in book.jurisdictions for r in home.regimes for duty in of(home, r, known)
    )


def of(home: Jurisdiction, regime: Regime, known: Known) -> tuple[Duty, ...]:
    """Return the duties of one regime."""
    own = known.own.get(regime.id)
    anchors = {**known.shared, **checked(regime, own)} if own else known.shared
    bound = regime.applies.answer(known.facts)
    applies = {s.id: _applies(bound, s, known.facts) for s in regime.stages}
    clocks: dict[str, Clock] = {}
    # A duty that stands to another is computed after it.
    for stage in sorted(regime.stages, key=lambda s: _depth(regime, s)):
        ask = Ask(home, regime, stage, known.facts, anchors, clocks)
        clocks[stage.id] = _clock(ask, applies[stage.id], known)
    return tuple(_duty(regime, s, applies[s.id], clocks[s.id], known) for s in regime.stages)


def _depth(regime: Regime, stage: Stage) -> int:
    """Return how many stages this one stands to, one by one; no more than there are."""
    depth, other = 0, stage if stage.deadline.kind == "relative" else None
    while other is not None and depth <= len(regime.stages):
        depth, other = depth + 1, regime.stage(other.deadline.to or "")
    return depth


def _applies(bound: Answer, stage: Stage, facts: Facts) -> Answer:
    return joined([bound, stage.when.answer(facts)]) if stage.when else bound


def _duty(regime: Regime, stage: Stage, applies: Answer, found: Clock, known: Known) -> Duty:
    confidence = stage.confidence or regime.confidence
    # What was read, or confirmed, is the rule as it stands now.
    read_ = confidence == "verified-in-source" or f"{regime.id}/{stage.id}" in known.confirmed
    sure = read_ and not found.earlier
    dated = found.state == "due" and regime.status in IN_FORCE
    return Duty(
        regime,
        stage,
        applies,
        found,
        binding=sure and dated,
        confidence=confidence,
        sources=stage.sources or regime.sources,
    )


def _clock(ask: Ask, applies: Answer, known: Known) -> Clock:
    if applies.truth is False:
        return Clock("not_applicable", derivation=applies.why)
    found = clock(ask)
    if found.state == "not_started":
        return _shadowed(ask, found, known.shadows)
    return held(ask, found, known.holds)


def _shadowed(ask: Ask, found: Clock, shadows: Anchors) -> Clock:
    """Return the clock with the date that it would have if the incident's own signs started it."""
    name = anchor_names().get(short(ask.stage.anchor))
    stand_in = shadows.get(name.shadow) if name and name.shadow else None
    if name is None or stand_in is None:
        return found
    would = clock(replace(ask, anchors={**ask.anchors, name.name: stand_in}))
    date = would.conservative_due or would.target
    if date is None:
        return found
    says = (
        f"if {name.name} were {name.shadow} ({stand_in.said()}): {date.iso()}; this starts nothing"
    )
    return replace(found, shadow=date, derivation=(*found.derivation, says))


def by_key(duties: Iterable[Duty]) -> Mapping[str, Duty]:
    """Return the duties by `regime/stage`."""
    return {d.key: d for d in duties}
