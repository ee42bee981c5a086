"""Which duties give a date, which only a target of ours, and which neither."""

from typing import Literal

from playbooks.duties.counting import said
from playbooks.duties.rule import Deadline, Stage

Class = Literal["computed", "targeted", "undetermined"]
CLASSES: tuple[Class, ...] = ("computed", "targeted", "undetermined")


def classed(stage: Stage) -> Class:
    """Return whether the stage's law gives a date, only words of speed, or nothing to count by."""
    deadline = stage.deadline
    if stage.anchor == "unknown" or deadline.kind == "user_supplied" or _waits(deadline):
        return "undetermined"
    return "targeted" if deadline.kind == "qualitative" else "computed"


def length_said(deadline: Deadline) -> str:
    """Return a deadline in words."""
    words = [deadline.standard] if deadline.standard else []
    if deadline.order:
        words.append(f"{deadline.order.replace('_', ' ')} {deadline.to}")
    if deadline.value is not None and deadline.unit is not None:
        words.append(said(deadline.value, deadline.unit))
    words += [f"{said(v.value, v.unit)} in a case of its own" for v in deadline.variants]
    words += [f"{said(limb.value, limb.unit)} from {limb.anchor}" for limb in deadline.of]
    if deadline.days_after is not None:
        words.append(f"the end of day {deadline.days_after} after")
    if deadline.month and deadline.day:
        words.append(f"{deadline.day}/{deadline.month} of the next year")
    if deadline.target:
        words.append(f"our target: {said(deadline.target.value, deadline.target.unit)}")
    return "; ".join(words)


def _waits(deadline: Deadline) -> bool:
    return deadline.kind == "relative" and deadline.order == "not_before"
