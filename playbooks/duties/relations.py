"""The clock of a duty that stands to another of its regime: before, with, or not later than it."""

from playbooks.duties.ask import Ask
from playbooks.duties.duty import Clock
from playbooks.duties.lengths import completed, length
from playbooks.duties.moment import Moment
from playbooks.duties.rule import Deadline
from playbooks.duties.starts import start_of_stage


def relative(ask: Ask, deadline: Deadline) -> Clock:
    """Return the clock: from when the other went out, or else from when it is due."""
    to, order = str(deadline.to), str(deadline.order).replace("_", " ")
    sent, other = ask.anchors.get(f"stage:{to}"), ask.others.get(to)
    own = _own_limit(ask, deadline)
    steps, early, late = _of_other(order, to, sent, other)
    if own is not None and own.conservative_due and own.legal_latest:
        steps += own.derivation
        early.append(own.conservative_due)
        late.append(own.legal_latest)
    if not early:
        why = f"{order} {to}, which has no date yet: the clock has not started"
        return Clock("not_started", derivation=(why,), missing=(f"stage:{to}",))
    first = min(early, key=lambda m: m.last)
    if not late:
        return Clock("no_fixed_time", derivation=tuple(steps), target=first)
    last = min(late, key=lambda m: m.last)
    return completed(ask, Clock("due", first, last, f"{order} {to}", (), tuple(steps)))


def _of_other(
    order: str, to: str, sent: Moment | None, other: Clock | None
) -> tuple[list[str], list[Moment], list[Moment]]:
    due = (other.conservative_due or other.target) if other is not None else None
    if sent is not None:
        said = f"{order} {to}, which went out {sent.said()}"
        if due is None or sent.last <= due.last:
            return [said], [sent], [sent]
        # Another's delay makes this one no later than it was to be acted on.
        return [f"{said}, after {due.said()}, when it was to be"], [due], [sent]
    if other is None or due is None:
        return [], [], []
    said = f"{order} {to}, which is to be acted on by {due.said()}"
    return [said], [due], [other.legal_latest] if other.legal_latest else []


def _own_limit(ask: Ask, deadline: Deadline) -> Clock | None:
    """Return the clock of the limit that the law sets beside the order, if it has started."""
    started = start_of_stage(ask.stage, ask.anchors, ask.zone)
    if deadline.value is None or started is None or started[1] == f"stage:{deadline.to}":
        return None
    return length(ask, started[0], f"{started[1]}: {started[0].said()}")
