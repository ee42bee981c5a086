"""Leases and the queue in which they end (docs/concepts/lease; API: /sys/leases).

A revocation is queued: the API says 202, and the lease stands until the queue has come to it. A
revocation that the backend refuses is tried again, later and later; after the sixth refusal the
lease is irrevocable: from then on it is tried once a day.
"""

from __future__ import annotations

import heapq
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.vault.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ATTEMPTS = 6
RETRY = 10.0
HOUR = 3600.0


@dataclass(slots=True)
class Lease:
    """One lease. `mount` is the engine's path, `data` what it needs to revoke. `token` is whose
    lease it is; of a token's own lease, that token. `due` is when the queue takes it up."""

    id: str
    path: str
    mount: str
    token: str = field(repr=False)
    issued: float
    ttl: int
    max_ttl: int
    renewable: bool = True
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    of_token: bool = False
    renewed: float | None = None
    expires: float = 0.0
    due: float = 0.0
    revoking: bool = False
    attempts: int = 0
    irrevocable: str = ""


@dataclass(slots=True)
class Leases:
    """All leases. `end` does what revoking one means and raises BackendError when it cannot."""

    end: Callable[[Lease], None]
    by_id: dict[str, Lease] = field(default_factory=dict)
    by_token: dict[str, dict[str, None]] = field(default_factory=dict, repr=False)
    agenda: list[tuple[float, str]] = field(default_factory=list)

    def add(self, lease: Lease) -> None:
        """Take in a new lease; the queue takes it up when it expires."""
        self.by_id[lease.id] = lease
        self.by_token.setdefault(lease.token, {})[lease.id] = None
        self.plan(lease, lease.expires)

    def plan(self, lease: Lease, due: float) -> None:
        """Let the queue take it up at `due` (epoch seconds)."""
        lease.due = due
        heapq.heappush(self.agenda, (due, lease.id))

    def queue(self, lease: Lease, now: float, due: float) -> None:
        """Have it revoked: it expires now, and is dealt with at `due`."""
        if not lease.irrevocable and not lease.revoking:
            lease.revoking, lease.expires = True, now
            self.plan(lease, due)

    def next_due(self) -> float | None:
        """When the queue has something to do next."""
        while self.agenda:
            due, name = self.agenda[0]
            lease = self.by_id.get(name)
            if lease is not None and lease.due == due and not lease.irrevocable:
                return due
            heapq.heappop(self.agenda)
        return None

    def run(self) -> None:
        """Take up the next one, which must be there."""
        due, name = heapq.heappop(self.agenda)
        lease = self.by_id[name]
        lease.revoking = True
        try:
            self.revoke(lease)
        except BackendError as e:
            lease.attempts += 1
            if lease.attempts >= ATTEMPTS:
                lease.irrevocable = str(e)
            else:
                # Vault adds or takes away up to half of it by chance.
                self.plan(lease, due + RETRY * 2**lease.attempts)

    def revoke(self, lease: Lease) -> None:
        """Revoke it now; raises BackendError, and then it stands as before."""
        self.end(lease)
        self.drop(lease)

    def drop(self, lease: Lease) -> None:
        """Forget it, revoked or not."""
        self.by_id.pop(lease.id, None)
        held = self.by_token.get(lease.token, {})
        held.pop(lease.id, None)
        if not held:
            self.by_token.pop(lease.token, None)

    def under(self, prefix: str) -> list[Lease]:
        """The lease of exactly this id, or else all whose ids begin with the prefix and a slash."""
        if prefix in self.by_id:
            return [self.by_id[prefix]]
        folder = prefix.rstrip("/") + "/"
        return [lease for name, lease in sorted(self.by_id.items()) if name.startswith(folder)]

    def names(self, prefix: str) -> list[str]:
        """What lies directly under a prefix, folders with their slash, as LIST gives it."""
        folder = prefix.rstrip("/") + "/" if prefix else ""
        found = set()
        for name in self.by_id:
            if name.startswith(folder):
                head, slash, _ = name.removeprefix(folder).partition("/")
                found.add(head + slash)
        return sorted(found)

    def of(self, token: str) -> Iterator[Lease]:
        """The leases of a token."""
        for name in list(self.by_token.get(token, ())):
            yield self.by_id[name]

    def try_irrevocable(self, now: float) -> None:
        """Try once more, as once a day, what expired over an hour ago and could not be revoked."""
        for lease in self.irrevocable():
            if lease.expires + HOUR < now:
                with suppress(BackendError):
                    self.revoke(lease)

    def irrevocable(self) -> list[Lease]:
        """Those that could not be revoked."""
        return [lease for lease in self.by_id.values() if lease.irrevocable]
