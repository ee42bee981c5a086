"""Asked before each mutating call: are we frozen, and is the incident still ours?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from playbooks.case import store
from playbooks.case.store import EVERYWHERE, Freeze, Lease, Store
from playbooks.case.store.leases import fence
from playbooks.errors import FrozenError, LostLeaseError

# How long what was read last still counts when the database cannot be read.
STALE = timedelta(minutes=10)

_finishing: ContextVar[bool] = ContextVar("finishing", default=False)


class Gate:
    """One entry's gate. It reads anew each time; only an unreadable database lets the last count.

    `lease` None checks the freeze alone, for what holds no incident.
    """

    def __init__(
        self, db: Store, account: str, lease: Lease | None, now: Callable[[], datetime]
    ) -> None:
        self._db = db
        self._places = {account}
        self._lease = lease
        self._now = now
        self._last: tuple[datetime, Freeze | None, int | None] | None = None

    def __call__(self, operation: str) -> None:
        """Raise FrozenError or LostLeaseError unless the operation may be called now."""
        freeze, newest = self._look()
        if self._lease is not None and newest != self._lease.fence:
            raise LostLeaseError(
                f"{operation} was not called: {self._lease.incident} was taken over meanwhile by "
                "another process, which goes on with it."
            )
        if freeze is not None and not _finishing.get():
            raise FrozenError(said(freeze))

    def watch(self, place: str) -> None:
        """Mind freezes of this account or Vault too, from here on."""
        if place not in self._places:
            self._places.add(place)
            self._last = None

    def frozen(self) -> str:
        """Return by whom, since when and why nothing may be changed here now; empty if it may."""
        freeze, _ = self._look()
        return said(freeze) if freeze else ""

    def lifted(self, conn: Connection) -> bool:
        """Return whether nothing is frozen here, as this connection sees it."""
        return self._freeze(conn) is None

    def _freeze(self, conn: Connection) -> Freeze | None:
        found = (store.frozen(conn, place) for place in sorted(self._places))
        return next(filter(None, found), None)

    def _look(self) -> tuple[Freeze | None, int | None]:
        now = self._now()
        try:
            found = self._db.read(self._read)
        except SQLAlchemyError as error:
            if self._last is None or abs(now - self._last[0]) > STALE:
                raise FrozenError(
                    "the database cannot be read, so nobody can tell whether the account is "
                    f"frozen; what was read in the last {STALE.seconds // 60} minutes would do. "
                    "Nothing is changed. Bring the database back, then enter the play again."
                ) from error
            return self._last[1:]
        self._last = (now, *found)
        return found

    def _read(self, conn: Connection) -> tuple[Freeze | None, int | None]:
        newest = fence(conn, self._lease.incident) if self._lease else None
        return self._freeze(conn), newest


@contextmanager
def finishing() -> Iterator[None]:
    """Let what stands half-way be taken to its end although the account is frozen.

    A freeze that kept a host on an allow-all group would be worse than none.
    """
    token = _finishing.set(True)
    try:
        yield
    finally:
        _finishing.reset(token)


def said(freeze: Freeze) -> str:
    """Return a freeze in one line: what, by whom, since when, why, and how it is lifted."""
    where = "every account" if freeze.account == EVERYWHERE else f"account {freeze.account}"
    option = "" if freeze.account == EVERYWHERE else f" --account {freeze.account}"
    return (
        f"{where} is frozen by {freeze.by} since {freeze.since.isoformat(timespec='seconds')} "
        f"({freeze.reason}). Nothing is changed there until `stanch unfreeze{option}`."
    )
