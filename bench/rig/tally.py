"""Holds what a storm's sender was told against what the database says afterwards."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from evidence.leaf import read_leaf


@dataclass(frozen=True, slots=True)
class Told:
    """One request, as its sender saw it."""

    uid: str
    status: int
    seconds: float
    incident: str


@dataclass(frozen=True, slots=True)
class Tally:
    """`lost` was acknowledged and is not in one incident; `doubled` is there more than once."""

    lost: int
    doubled: int
    incidents: int


def read(path: Path) -> list[Told]:
    with path.open() as file:
        return [Told(*json.loads(line)) for line in file]


def tally(engine: Engine, told: Sequence[Told]) -> Tally:
    """Count over the whole database; `told` is all that its senders were."""
    accepted = [one for one in told if one.status == 202]
    with engine.execution_options(read_only=True).begin() as conn:
        rows = conn.execute(text("SELECT dedupe_key, incident, repeats FROM alerts")).all()
        incidents = {row[0] for row in conn.execute(text("SELECT id FROM incidents"))}
        requests = conn.execute(text("SELECT count(*) FROM seen")).scalar_one()
        leaves = conn.execute(
            text(
                "SELECT e.leaf, o.body FROM ledger_entries e"
                " JOIN ledger_openings o ON o.entry_id = e.id"
            )
        ).all()
    entries: Counter[str] = Counter()
    opened: Counter[str] = Counter()
    for leaf, body in leaves:
        kind = read_leaf(bytes(leaf)).kind
        if kind in ("case.open", "alert.joined", "alert.repeated"):
            found = json.loads(bytes(body))
            entries[found["alert"]["unmapped"]["dedupe_key"].rpartition(":")[2]] += 1
        if kind == "case.open":
            opened[found["incident"]] += 1
    known = {key.rpartition(":")[2]: (incident, repeats) for key, incident, repeats in rows}
    times = Counter(one.uid for one in accepted)
    wrong = [one for one in accepted if known.get(one.uid, ("", 0))[0] != one.incident]
    # Each acknowledged request is the alert itself or one repeat of it, and a digest of its own.
    few = sum(max(n - 1 - known[uid][1], 0) for uid, n in times.items() if uid in known)
    many = sum(max(known[uid][1] + 1 - n, 0) for uid, n in times.items() if uid in known)
    unsent = len(known.keys() - {one.uid for one in told})
    twice = sum(n - 1 for n in entries.values()) + sum(n - 1 for n in opened.values())
    unwritten = sum(1 for uid in times if not entries[uid])
    lost = len(wrong) + few + unwritten + max(len(accepted) - requests, 0)
    unanswered = sum(1 for one in told if one.status in (0, 503))
    # What nobody was told of may have been taken in all the same.
    doubled = max(many - unanswered, 0) + unsent + twice + len(incidents) - len(opened)
    return Tally(lost, doubled, len(incidents))
