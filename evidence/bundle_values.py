"""Which single values of an entry a bundle gives, and how their openings stand in it."""

from dataclasses import replace
from typing import Any

from evidence.ledger_reading import Recorded, opened
from evidence.withheld import NOTHING, Withheld


def disclosed(entry: Recorded, withheld: Withheld) -> Recorded:
    """Return an entry without the openings of the values that an export withholds."""
    opening = entry.opening
    if opening is None or not opening.values or withheld == NOTHING:
        return entry
    kept = [one for one in opening.values if not withheld.covers(entry.leaf.kind, one.place)]
    actor, body = opening.committed_actor, opening.body
    return replace(entry, opening=opened(opening.salt, actor, body, kept))


def opening_of(entry: Recorded) -> dict[str, Any] | None:
    """Return an entry's opening as a line of entries.jsonl has it."""
    opening = entry.opening
    if opening is None:
        return None
    told: dict[str, Any] = {
        "actor": opening.committed_actor,
        "body": opening.body.decode(),
        "salt": opening.salt.hex(),
    }
    if opening.values:
        told["values"] = [
            {"place": one.place, "salt": one.salt.hex(), "value": one.value.decode()}
            for one in opening.values
        ]
    return told
