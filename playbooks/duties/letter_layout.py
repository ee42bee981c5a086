"""How a letter is laid out: its audience, its headings in order, and what it has to contain."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playbooks.duties.contents import items
from playbooks.duties.duty import Duty
from playbooks.duties.errors import RuleError
from playbooks.duties.rule import Recipient
from playbooks.duties.vocabulary import loaded

Audience = Literal["authority", "individuals", "customers", "media", "credit_bureaus"]

TEMPLATES = Path(__file__).parent / "templates"
_AUDIENCE: Mapping[Recipient, Audience] = {
    "regulator": "authority",
    "individuals": "individuals",
    "customers_or_clients": "customers",
    "owner_or_controller": "customers",
    "media": "media",
    "consumer_reporting_agencies": "credit_bureaus",
    "other": "authority",
}


@dataclass(frozen=True)
class Layout:
    """Headings in order, each with its items; `source` is the law that prescribes them, if one."""

    headings: Mapping[str, tuple[str, ...]]
    rest: str
    usual: tuple[str, ...] = ()
    title: str = ""
    source: str = ""
    all_headings: bool = False

    def heading(self, item: str) -> str:
        """Return the heading that the item stands under."""
        return next((h for h, there in self.headings.items() if item in there), self.rest)

    def arranged(self, given: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the items by heading, in the order of the headings and then of the items."""
        left = list(dict.fromkeys(given))
        order = [item for there in self.headings.values() for item in there]
        left.sort(key=lambda i: order.index(i) if i in order else len(order))
        named = dict.fromkeys([*self.headings, self.rest])
        under = {h: tuple(i for i in left if self.heading(i) == h) for h in named}
        return {heading: there for heading, there in under.items() if there}


def audience(duty: Duty) -> Audience:
    """Return to whom, in kind, the duty's letter goes."""
    return _AUDIENCE[duty.stage.to]


def layout(duty: Duty) -> Layout:
    """Return the layout that a law prescribes for the stage, or ours for the audience."""
    prescribed, ours = layouts()
    return prescribed.get(duty.key) or ours[audience(duty)]


def required(duty: Duty) -> tuple[str, ...]:
    """Return the items that the letter must have, in the rule's order.

    They are the rule's contents; where the rule names none, the usual ones of the audience; and
    the first item of each prescribed heading that would else stand empty. None is prohibited.
    """
    plan = layout(duty)
    wanted = duty.stage.contents or plan.usual
    if plan.all_headings:
        there = {plan.heading(item) for item in wanted}
        wanted = (*wanted, *(i[0] for h, i in plan.headings.items() if h not in there))
    return tuple(i for i in dict.fromkeys(wanted) if i not in barred(duty))


def barred(duty: Duty) -> tuple[str, ...]:
    """Return what the rule prohibits, and the items that say the same in other words.

    An item that the rule itself asks for is never among them.
    """
    prohibited = duty.stage.prohibited
    kin = [i for same in alike() if set(same) & set(prohibited) for i in same]
    wanted = set(duty.stage.contents) - set(prohibited)
    return tuple(i for i in dict.fromkeys([*prohibited, *kin]) if i not in wanted)


def asks(item: str) -> str:
    """Return in words what the item asks for."""
    return items().get(item, item.replace("_", " "))


@functools.cache
def alike() -> tuple[tuple[str, ...], ...]:
    """Return the items that say the same in other words, in one tuple each."""
    return tuple(map(tuple, loaded(TEMPLATES / "same.yaml")))


@functools.cache
def layouts() -> tuple[Mapping[str, Layout], Mapping[str, Layout]]:
    """Return the prescribed layouts by stage, and ours by audience. Raises RuleError."""
    raw = loaded(TEMPLATES / "headings.yaml")
    try:
        stages = {key: _layout(said) for key, said in raw["stages"].items()}
        return stages, {key: _layout(said) for key, said in raw["audiences"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise RuleError(f"headings.yaml: a layout needs headings and rest: {error!r}") from None


def _layout(said: Mapping[str, object]) -> Layout:
    headings = said["headings"]
    if not isinstance(headings, Mapping):
        raise TypeError(headings)
    made = {**said, "headings": {h: tuple(i) for h, i in headings.items()}}
    return Layout(**{**made, "usual": tuple(made.get("usual", ()))})  # type: ignore[arg-type]
