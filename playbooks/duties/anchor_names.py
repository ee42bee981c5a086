"""The events that start clocks, by name: what each means, who decides it, what stands in for it."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playbooks.duties.errors import RuleError
from playbooks.duties.vocabulary import loaded

ANCHORS = Path(__file__).parent / "anchors.yaml"


@dataclass(frozen=True)
class AnchorName:
    """An event's name; `any_of` are events of which the earliest is this one."""

    name: str
    means: str
    any_of: tuple[str, ...] = ()
    # What an incident shows of itself; it makes a shadow date, never this anchor.
    shadow: str | None = None


@functools.cache
def anchor_names() -> Mapping[str, AnchorName]:
    """Return every anchor of anchors.yaml. Raises RuleError where one is wrong."""
    found: dict[str, AnchorName] = {}
    for row in loaded(ANCHORS):
        try:
            name = AnchorName(
                row["anchor"], row["means"], tuple(row.get("any_of", ())), row.get("shadow")
            )
        except (KeyError, TypeError) as error:
            raise RuleError(f"anchors.yaml: {row} is not an anchor: {error}") from None
        if name.name in found:
            raise RuleError(f"anchors.yaml: {name.name} is named twice")
        found[name.name] = name
    for name in found.values():
        if unknown := set(name.any_of) - set(found):
            raise RuleError(
                f"anchors.yaml: {name.name} names {sorted(unknown)}, which are not there"
            )
    return found
