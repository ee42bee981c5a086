"""What is still to be found out: questions in the order that settles most clocks, and anchors."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from playbooks.duties.anchor_names import anchor_names
from playbooks.duties.duty import Duty
from playbooks.duties.moment import Moment
from playbooks.duties.vocabulary import vocabulary


@dataclass(frozen=True)
class Question:
    """A fact to find out, how it is asked for, and how many duties wait for it."""

    fact: str
    ask: str
    expects: str
    waiting: int


@dataclass(frozen=True)
class AnchorTask:
    """An event that nobody has recorded, while duties may wait for it: work of priority P1.

    `owed`: how many of the duties surely apply. `earliest`: the earliest date that its stand-in
    gives, so that silence costs no deadline.
    """

    anchor: str
    means: str
    duties: tuple[str, ...]
    owed: int
    earliest: Moment | None


def questions(duties: Iterable[Duty]) -> tuple[Question, ...]:
    """Return the facts that would settle a duty, the one that most clocks wait for first.

    A duty counts for each of its open facts by one over their number: a fact that alone settles a
    duty weighs more than one of many.
    """
    weight: dict[str, float] = defaultdict(float)
    waiting: Counter[str] = Counter()
    for duty in duties:
        if duty.applies.truth is None:
            # Counts are asked for once, for every place at a time.
            asked = {name.partition(".")[0] for name in duty.applies.settles}
            for name in asked:
                waiting[name] += 1
                weight[name] += 1 / len(asked)
    facts = vocabulary().facts
    return tuple(
        Question(name, facts[name].ask, facts[name].expects(), waiting[name])
        for name in sorted(weight, key=lambda n: (-weight[n], n))
    )


def anchor_tasks(duties: Iterable[Duty]) -> tuple[AnchorTask, ...]:
    """Return an event to record for every anchor that duties wait for, most urgent first."""
    waiting: dict[str, list[Duty]] = {}
    for duty in duties:
        if duty.clock.state == "not_started" and duty.applies.truth is not False:
            for name in duty.clock.missing:
                if not name.startswith("stage:"):
                    waiting.setdefault(name, []).append(duty)
    tasks = [_task(name, each) for name, each in waiting.items()]
    return tuple(sorted(tasks, key=_urgency))


def _task(name: str, duties: list[Duty]) -> AnchorTask:
    shadows = [d.clock.shadow for d in duties if d.clock.shadow]
    known = anchor_names().get(name)
    earliest = min(shadows, key=lambda m: m.last, default=None)
    sure = sum(d.applies.truth is True for d in duties)
    means = known.means if known else name
    return AnchorTask(name, means, tuple(d.key for d in duties), sure, earliest)


def _urgency(task: AnchorTask) -> tuple[bool, bool, float, int]:
    at = task.earliest.last.timestamp() if task.earliest else 0.0
    return not task.owed, task.earliest is None, at, -len(task.duties)
