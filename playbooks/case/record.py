"""Writes ledger entries on a connection it is handed, in the name of one actor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from evidence import ledger

# The case of the ledger under which entries stand that are about no one incident.
DEPLOYMENT = "deployment"


@dataclass(frozen=True, slots=True)
class Record:
    """Who acts, and where time and randomness come from. `random(n)` returns n bytes."""

    actor: str
    now: Callable[[], datetime]
    random: Callable[[int], bytes]

    def note(
        self,
        conn: Connection,
        incident: str,
        kind: str,
        body: Mapping[str, Any],
        *,
        happened: datetime | None = None,
        actor: str = "",
    ) -> None:
        """Append one entry to the incident's part of the ledger, on this connection."""
        now = self.now()
        entry = ledger.Entry(kind, incident, body, actor or self.actor, happened or now)
        ledger.append(conn, entry, record_time=now, salt=self.random(32))
