"""The clocks of plain lengths, tables of lengths, the earliest of several, and of no fixed time."""

from dataclasses import replace
from datetime import date, timedelta

from playbooks.duties.ask import Ask
from playbooks.duties.counting import HOURS, End, count, noon_relief, rounded_hours, said
from playbooks.duties.duty import Alternative, Clock
from playbooks.duties.errors import RuleError
from playbooks.duties.moment import Moment, readings, whole
from playbooks.duties.placing import elsewhere, in_place
from playbooks.duties.rule import Amount, Deadline, Unit
from playbooks.duties.starts import earliest

_COMPLETION = {
    "received": "the recipient must have it by then",
    "submitted_ack": "the filing must be acknowledged by then",
}


def length(ask: Ask, start: Moment, step: str) -> Clock:
    """Return the clock of a length, by the variant that holds; what may hold is an alternative."""
    deadline = ask.stage.deadline
    end, doubtful, steps = _choices(ask, deadline, start)
    early = min((e.conservative for e in (end, *doubtful.values())), key=lambda m: m.last)
    others = tuple(Alternative(words, e.legal, "If so") for words, e in doubtful.items())
    disputed = _disputed(ask, deadline, start)
    derivation = (step, *steps, *end.steps)
    alternatives = end.alternatives + others + disputed
    return completed(ask, Clock("due", early, end.legal, end.rule, alternatives, derivation))


def earliest_of(ask: Ask) -> Clock:
    """Return the clock of the earliest limit; not started, with a shadow, without the first."""
    limbs = ask.stage.deadline.of
    first = earliest((limbs[0].anchor,), ask.anchors)
    ends: list[End] = []
    steps: list[str] = []
    for limb in limbs:
        found = earliest((limb.anchor,), ask.anchors)
        if found is None:
            steps.append(
                f"{limb.anchor} is not recorded: no limit of {said(limb.value, limb.unit)}"
            )
            continue
        end = count(found[0], limb.value, limb.unit, "elapsed", ask.days())
        words = f"{found[1]} {found[0].said()} + {said(limb.value, limb.unit)}: {end.legal.iso()}"
        if limb.caps and first and first[0].first > end.legal.first:
            steps.append(f"{words}; it caps nothing, for {first[1]} came after it")
        else:
            steps.append(words)
            ends.append(end)
    earliest_end = min(ends, key=lambda e: e.legal.first, default=None)
    if first is None or earliest_end is None:
        shadow = earliest_end.legal if earliest_end else None
        return Clock("not_started", derivation=tuple(steps), shadow=shadow)
    chosen = _relieved(ask, replace(earliest_end, steps=()))
    steps += [f"the earliest limit counts: {earliest_end.legal.iso()}", *chosen.steps]
    rule = "the earliest of its limits"
    ends_ = (chosen.conservative, chosen.legal)
    return completed(ask, Clock("due", *ends_, rule, chosen.alternatives, tuple(steps)))


def qualitative(ask: Ask, start: Moment, step: str) -> Clock:
    """Return the clock of a duty for which the law names no time: with our own target."""
    deadline = ask.stage.deadline
    hours = ask.facts.given.get("contract_hours")
    if deadline.kind == "user_supplied" and isinstance(hours, int):
        end = count(start, hours, "clock_hour", "elapsed", ask.days())
        return Clock("due", end.conservative, end.legal, "the contract", (), (step, *end.steps))
    target = deadline.target or Amount(24, "clock_hour")
    end = in_place(ask, start, target.value, target.unit)
    says = "the contract names the time, which is not given"
    if deadline.standard:
        says = f'the law says "{deadline.standard}" and names no time'
    words = f"{said(target.value, target.unit)}: {end.conservative.iso()}"
    own = f"our own target, no legal date: {words}"
    return Clock("no_fixed_time", derivation=(step, says, own), target=end.conservative)


def period(ask: Ask, start: Moment, step: str) -> Clock:
    """Return the clock of the end of a day, or of a day of the following year."""
    deadline, start = ask.stage.deadline, ask.placed(start, "calendar_day")
    if deadline.month and deadline.day:
        how = f"by {deadline.day}/{deadline.month} of the year after {{}}: {{}}"
    else:
        how = f"the end of day {deadline.days_after} after {{}}: {{}}"
    read = readings(start, ask.zone)
    ends = [whole(_last_day(deadline, r.day), r.zone) for r in read]
    end, early = ends[0], min(ends, key=lambda m: m.last)
    steps = [step, how.format(read[0].day, end.day)]
    steps += [elsewhere(ask.zone)] if early.last < end.last else []
    return completed(ask, Clock("due", early, end, "the end of a period", (), tuple(steps)))


def _last_day(deadline: Deadline, day: date) -> date:
    if deadline.month and deadline.day:
        return date(day.year + 1, deadline.month, deadline.day)
    return day + timedelta(days=deadline.days_after or 0)


def not_before(ask: Ask, start: Moment, step: str) -> Clock:
    """Return the clock of a duty that must wait until a time is over."""
    deadline = ask.stage.deadline
    value, unit = _amount(ask, deadline)
    read = readings(ask.placed(start, unit), ask.zone)
    ends = [count(r, value, unit, ask.how(unit), ask.days()) for r in read]
    end = max(ends, key=lambda e: e.legal.last)
    why = f"not before {end.legal.iso()} is over, unless the law's exception holds"
    return Clock("no_fixed_time", derivation=(step, *end.steps, why), not_before=end.legal)


def completed(ask: Ask, found: Clock) -> Clock:
    """Return the clock with what must have happened by then, where it is more than sending."""
    words = _COMPLETION.get(ask.stage.completion)
    return replace(found, derivation=(*found.derivation, words)) if words else found


def _amount(ask: Ask, deadline: Deadline) -> tuple[int, Unit]:
    if deadline.value is None or deadline.unit is None:
        raise RuleError(f"{ask.regime.id}.{ask.stage.id}: its deadline has no length")
    return deadline.value, deadline.unit


def _choices(
    ask: Ask, deadline: Deadline, start: Moment
) -> tuple[End, dict[str, End], tuple[str, ...]]:
    """Return the end that counts, those of variants that may hold, and why."""
    maybe: dict[str, End] = {}
    steps: list[str] = []
    value, unit = deadline.value, deadline.unit
    for variant in deadline.variants:
        answer = variant.when.answer(ask.facts)
        words, why = said(variant.value, variant.unit), "; ".join(answer.why)
        if answer.truth:
            value, unit = variant.value, variant.unit
            steps.append(f"{words}, because {why}")
            break
        if answer.truth is None:
            steps.append(f"{words}, if it is so: {why}")
            maybe[f"{words} ({', '.join(answer.settles)})"] = _counted(
                ask, start, variant.value, variant.unit
            )
    if value is not None and unit is not None:
        return _counted(ask, start, value, unit), maybe, tuple(steps)
    if not maybe:
        last = deadline.variants[-1]
        steps.append("no row of the table holds: the last one is taken")
        return _counted(ask, start, last.value, last.unit), {}, tuple(steps)
    strict = min(maybe, key=lambda words: maybe[words].conservative.last)
    steps.append(f"until that is settled, the shortest counts: {strict}")
    return maybe.pop(strict), maybe, tuple(steps)


def _counted(ask: Ask, start: Moment, value: int, unit: Unit) -> End:
    return _relieved(ask, in_place(ask, start, value, unit))


def _relieved(ask: Ask, end: End) -> End:
    """Return the end with the noon relief of DORA Art. 5(4), where the entity has it."""
    relief = ask.stage.deadline.relief
    moved = noon_relief(end, ask.days(), ask.zone)
    if relief is None or moved is end:
        return end
    answer = relief.answer(ask.facts)
    # A calculator takes what it is not told as not so, but never what the entity is.
    assumed = ask.facts.closed and answer.truth is None and "entity" not in answer.settles
    if answer.truth or assumed:
        return replace(moved, steps=(*moved.steps, f"it has that relief: {'; '.join(answer.why)}"))
    if answer.truth is False:
        why = f"it has no relief for weekends and holidays: {'; '.join(answer.why)}"
        return replace(end, steps=(*end.steps, why))
    other = Alternative("dora_art_5_4", moved.legal, "Noon of the next working day, if it has it")
    return replace(end, alternatives=(*end.alternatives, other))


def _disputed(ask: Ask, deadline: Deadline, start: Moment) -> tuple[Alternative, ...]:
    """Return the end by Reg. 1182/71, where an EU act is counted otherwise and some use it."""
    unit = deadline.unit
    if ask.home.counting != "eu-1182-71" or ask.stage.counting or unit is None:
        return ()
    if unit in HOURS:
        return (rounded_hours(start, *_amount(ask, deadline)),)
    if ask.how(unit) == "eu-1182-71":
        return ()
    end = count(ask.placed(start, unit), *_amount(ask, deadline), "eu-1182-71", ask.days())
    says = "Moved off a weekend or holiday as in Art. 3(4); national law decides"
    return (Alternative("eu_1182_71", end.legal, says),) if end.legal != end.conservative else ()
