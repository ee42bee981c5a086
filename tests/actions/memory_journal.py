"""A journal kept in memory, as strict as a durable one: JSON only, and no phase out of order."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from actions.journal import Intent, Json, Phase, Plan

MAY_FOLLOW: dict[Phase, tuple[Phase, ...]] = {
    "done": ("intended",),
    "undoing": ("intended", "done", "undoing"),
    "undone": ("undoing",),
}


class MemoryJournal:
    """Keeps each step as the JSON text that a database would; `on_change` follows every record."""

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self.rows: dict[str, str] = {}
        self.history: list[tuple[str, Phase]] = []
        self.on_change = on_change

    def find(self, step: str) -> Intent | None:
        if step not in self.rows:
            return None
        row = json.loads(self.rows[step])
        return Intent(**(row | {"plan": Plan(**_tuples(row["plan"]))}))

    def intend(self, step: str, action: str, fields: Mapping[str, Json], plan: Plan) -> Intent:
        if step in self.rows:
            raise ValueError(f"{step} is recorded already")
        mark = hashlib.sha256(step.encode()).hexdigest()[:16]
        self._keep(Intent(step, action, fields, plan, "intended", mark))
        return self[step]

    def done(self, step: str, result: Mapping[str, Json], verdict: str) -> None:
        self._turn(step, "done", result=result, verdict=verdict)

    def undoing(self, step: str) -> None:
        self._turn(step, "undoing")

    def undone(self, step: str, result: Mapping[str, Json]) -> None:
        self._turn(step, "undone", result=result)

    def __getitem__(self, step: str) -> Intent:
        found = self.find(step)
        if found is None:
            raise KeyError(step)
        return found

    def copy(self) -> "MemoryJournal":
        """Return the same disk, as a process that starts now finds it."""
        other = MemoryJournal()
        other.rows, other.history = dict(self.rows), list(self.history)
        return other

    def _turn(self, step: str, phase: Phase, **what: Any) -> None:
        intent = self[step]
        if intent.phase not in MAY_FOLLOW[phase]:
            raise ValueError(f"{step}: {phase} cannot follow {intent.phase}")
        self._keep(replace(intent, phase=phase, **what))

    def _keep(self, intent: Intent) -> None:
        self.rows[intent.step] = json.dumps(asdict(intent), allow_nan=False)
        self.history.append((intent.step, intent.phase))
        self.on_change()


def _tuples(plan: dict[str, Any]) -> dict[str, Any]:
    return plan | {"blast": tuple(plan["blast"]), "lost": tuple(plan["lost"])}
