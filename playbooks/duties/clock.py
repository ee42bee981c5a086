"""Computes the clock of one stage: which version of the law, from what event, until when."""

from dataclasses import replace
from datetime import date

from playbooks.duties.ask import Ask
from playbooks.duties.duty import Alternative, Clock
from playbooks.duties.lengths import earliest_of, length, not_before, period, qualitative
from playbooks.duties.moment import Moment, readings
from playbooks.duties.relations import relative
from playbooks.duties.rule import Prior, Stage
from playbooks.duties.starts import earliest, short, start_of_stage

NOT_LAW = {"proposed", "adopted_not_effective"}


def clock(ask: Ask) -> Clock:
    """Return the stage's clock, by the version of the law that its start falls under."""
    deadline = ask.stage.deadline
    if deadline.kind == "relative" and deadline.order != "not_before":
        return _in_force(ask, relative(ask, deadline))
    started = start_of_stage(ask.stage, ask.anchors, ask.zone)
    if started is None:
        return _advisory_or(ask, _not_started(ask))
    return _in_force(ask, _from(ask, *started))


def _law_start(ask: Ask) -> Moment | None:
    """Return the event whose law counts: the one that the regime starts from."""
    named = earliest((ask.regime.starts,), ask.anchors, ask.zone)
    found = named or start_of_stage(ask.stage, ask.anchors, ask.zone)
    return found[0] if found else None


def _from(ask: Ask, start: Moment, anchor: str) -> Clock:
    step = f"{anchor}: {start.said()}"
    match ask.stage.deadline.kind:
        case "qualitative" | "user_supplied":
            return qualitative(ask, start, step)
        case "end_of_period":
            return period(ask, start, step)
        case "earliest_of":
            found = earliest_of(ask)
            return (
                found if found.state == "due" else replace(_not_started(ask), shadow=found.shadow)
            )
        case "relative" if ask.stage.deadline.order == "not_before":
            return not_before(ask, start, step)
        case "relative":
            return relative(ask, ask.stage.deadline)
        case _:
            return length(ask, start, step)


def _in_force(ask: Ask, found: Clock) -> Clock:
    regime, start = ask.regime, _law_start(ask)
    if start is not None and regime.status not in NOT_LAW:
        day = readings(start, ask.zone)[0].day
        if prior := _prior(ask.stage, day):
            return _by_prior(ask, prior, day)
        if regime.since and day < regime.since:
            why = f"the rule applies from {regime.since}; what started on {day} is before it"
            return Clock("not_in_force", derivation=(why,))
        if regime.until and day > regime.until:
            why = f"the rule applied until {regime.until}; what started on {day} is after it"
            return Clock("not_in_force", derivation=(why,))
    return _advisory_or(ask, found)


def _prior(stage: Stage, day: date) -> Prior | None:
    fits = [p for p in stage.prior if day <= p.until and (p.since is None or p.since <= day)]
    return min(fits, key=lambda p: p.until, default=None)


def _by_prior(ask: Ask, prior: Prior, day: date) -> Clock:
    why = f"on {day} an earlier version applied, until {prior.until}: {prior.says}"
    if prior.deadline is None:
        return Clock("not_in_force", derivation=(why, "its length is not carried; ask counsel"))
    then = replace(ask, stage=replace(ask.stage, deadline=prior.deadline, prior=()))
    started = start_of_stage(ask.stage, ask.anchors, ask.zone)
    if started is None:
        return _not_started(ask)
    found = _from(then, *started)
    return replace(found, derivation=(why, *found.derivation), earlier=True)


def _advisory_or(ask: Ask, found: Clock) -> Clock:
    """Return the clock; for a rule that binds nobody yet, with its dates as what would be."""
    regime = ask.regime
    if regime.status in NOT_LAW or (regime.status == "future" and regime.since is None):
        why = f"the rule is {regime.status.replace('_', ' ')}, not law"
    elif regime.status == "voluntary":
        why = "nobody is bound to it"
    else:
        return found
    ends = (("if_in_force", found.conservative_due), ("if_in_force_latest", found.legal_latest))
    would = tuple(Alternative(rule, due, f"If it bound: {why}") for rule, due in ends if due)
    return replace(
        found,
        state="advisory",
        conservative_due=None,
        legal_latest=None,
        alternatives=would,
        derivation=(*found.derivation, f"no date binds: {why}"),
    )


def _not_started(ask: Ask) -> Clock:
    names = " or ".join((ask.stage.anchor, *ask.stage.or_anchors))
    why = f"nobody has recorded {names}: the clock has not started"
    return Clock("not_started", derivation=(why,), missing=(short(ask.stage.anchor),))
