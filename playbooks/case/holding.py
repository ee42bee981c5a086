"""Who works on an incident now: one entry of one process, named so that its death can be seen."""

import itertools
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from playbooks.case import store
from playbooks.case.store import Lease, Store
from playbooks.errors import BusyError, PlaybookError

T = TypeVar("T")
log = logging.getLogger("stanch.lease")

_entries = itertools.count(1)
_working: set[str] = set()


class LeasedStore(Store):
    """A store whose every commit counts only while the lease is the incident's newest."""

    def __init__(self, under: Store, lease: Lease) -> None:
        self.engine = under.engine
        self.lease = lease
        self._under = under

    def commit(self, work: Callable[[Connection], T]) -> T:
        """Commit the work, or raise LostLeaseError and leave nothing of it."""

        def held(conn: Connection) -> T:
            store.hold(conn, self.lease)
            return work(conn)

        return self._under.commit(held)


@contextmanager
def held(
    db: Store,
    incident: str,
    living: Callable[[str], bool],
    now: Callable[[], datetime],
    *,
    renewed: bool = True,
) -> Iterator[LeasedStore]:
    """Hold the incident while the block runs; yield the store to commit through.

    Raises UnknownIncidentError, or BusyError where a living holder has it. `renewed` keeps the
    lease from running out while the block goes on.
    """
    me = f"{socket.gethostname()}:{os.getpid()}:{_start(os.getpid())}:{next(_entries)}"
    _working.add(me)
    try:
        lease = db.commit(
            lambda conn: store.take(conn, incident, me, living, store.clock(conn, now))
        )
        if isinstance(lease, str):
            raise BusyError(
                f"another process works on {incident} right now (host:pid:start:entry is {lease}). "
                f"Wait for it; if it is gone, its lease ends within {store.LEASE.seconds} s."
            )
        stop = threading.Event()
        if renewed:
            threading.Thread(target=_renew, args=(db, lease, now, stop), daemon=True).start()
        try:
            yield LeasedStore(db, lease)
        finally:
            stop.set()
            db.commit(lambda conn: store.let_go(conn, lease))
    finally:
        _working.discard(me)


def _renew(db: Store, lease: Lease, now: Callable[[], datetime], stop: threading.Event) -> None:
    while not stop.wait(store.LEASE.seconds / 3):
        try:
            db.commit(lambda conn: store.renew(conn, lease, store.clock(conn, now)))
        except PlaybookError:
            return  # Taken over: the next commit of the entry itself says so.
        except SQLAlchemyError as error:
            # The database may be back in ten seconds, well before the lease ends.
            log.warning("%s: the lease could not be renewed: %s", lease.incident, _kind(error))


def _kind(error: SQLAlchemyError) -> str:
    return type(getattr(error, "orig", None) or error).__name__


def alive(holder: str) -> bool:
    """Return whether the holder may still be working. Another host's may until its lease ends.

    A holder is host:pid:start:entry: `start` tells a process from a later one with the same pid,
    `entry` tells apart what works side by side in one process.
    """
    host, pid, start, _ = holder.rsplit(":", 3)
    if host != socket.gethostname():
        return True
    if int(pid) == os.getpid() and start == _start(os.getpid()):
        return holder in _working
    return _lives(int(pid)) and _start(int(pid)) == start


def ours(holder: str) -> bool:
    """Return whether the holder is an entry of this process that goes on."""
    return holder in _working


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _start(pid: int) -> str:
    """Return when the process started, or nothing where there is no proc(5) to tell."""
    try:
        # proc(5): field 22 is the start time; the name in field 2 may hold spaces.
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    # A zombie is dead: its parent has not yet looked.
    return "dead" if stat[0] in "ZX" else stat[19]
