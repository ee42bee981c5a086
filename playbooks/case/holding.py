"""Who works on an incident now: one entry of one process, named so that its death can be seen."""

import itertools
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playbooks.case import store
from playbooks.case.store import Store
from playbooks.errors import BusyError

_entries = itertools.count(1)
_working: set[str] = set()


@contextmanager
def held(db: Store, incident: str, living: Callable[[str], bool]) -> Iterator[None]:
    """Hold the incident while the block runs. Raise BusyError where a living holder has it."""
    me = f"{socket.gethostname()}:{os.getpid()}:{_start(os.getpid())}:{next(_entries)}"
    _working.add(me)
    try:
        if other := db.commit(lambda conn: store.take(conn, incident, me, living)):
            raise BusyError(
                f"another process works on {incident} right now (host:pid:start:entry is {other}). "
                "Wait for it; if that host is gone for good, nothing else holds it: open a new one."
            )
        try:
            yield
        finally:
            db.commit(lambda conn: store.let_go(conn, incident, me))
    finally:
        _working.discard(me)


def alive(holder: str) -> bool:
    """Return whether the holder may still be working. Another host's always may.

    A holder is host:pid:start:entry: `start` tells a process from a later one with the same pid,
    `entry` tells apart what works side by side in one process.
    """
    host, pid, start, _ = holder.rsplit(":", 3)
    if host != socket.gethostname():
        return True
    if int(pid) == os.getpid() and start == _start(os.getpid()):
        return holder in _working
    return _lives(int(pid)) and _start(int(pid)) == start


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
