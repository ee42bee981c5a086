"""Looks into the deployment's database from outside: to wait, and to see what is durable when."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Watch:
    """Read-only sight of a deployment's SQLite database."""

    database: Path

    def incidents(self) -> list[str]:
        """Return the ids of all incidents, the oldest first."""
        return [row[0] for row in self._rows("SELECT id FROM incidents ORDER BY number")]

    def findings(self) -> list[str]:
        """Return what tells the findings apart that are committed; each ends with its own id."""
        return [row[0] for row in self._rows("SELECT dedupe_key FROM alerts")]

    def at_rest(self, now: datetime) -> bool:
        """Return whether nobody works on anything, and nothing is due."""
        held = self._rows("SELECT id FROM incidents WHERE holder <> '' OR status = 'open'")
        due = "SELECT id FROM work WHERE NOT done AND due <= ?"
        return not held and not self._rows(due, now.isoformat())

    def last_due(self, incident: str) -> datetime | None:
        """Return when the last thing to be done for the incident is due, or None for nothing."""
        query = "SELECT max(due) FROM work WHERE NOT done AND incident = ?"
        [(due,)] = self._rows(query, incident)
        return datetime.fromisoformat(due) if due else None

    def _rows(self, query: str, *values: str) -> list[Any]:
        where = f"file:{self.database}?mode=ro"
        with closing(sqlite3.connect(where, uri=True, timeout=10)) as database:
            return database.execute(query, values).fetchall()


def until(so: Callable[[], bool], seconds: float) -> bool:
    """Wait until it is so; return whether it was within `seconds`."""
    end = time.monotonic() + seconds
    while not (is_so := so()) and time.monotonic() < end:
        time.sleep(0.05)
    return is_so
