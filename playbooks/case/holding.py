"""Who works on an incident now: one process, named so that its death can be seen."""

import os
import socket
from pathlib import Path


def myself() -> str:
    """Return host:pid:start, where start tells a process from a later one with the same pid."""
    return f"{socket.gethostname()}:{os.getpid()}:{_start(os.getpid())}"


def alive(holder: str) -> bool:
    """Return whether the holder may still be working. Another host's always may."""
    host, pid, start = holder.rsplit(":", 2)
    return host != socket.gethostname() or (start != "" and _start(int(pid)) == start)


def _start(pid: int) -> str:
    try:
        # proc(5): field 22 is the start time; the name in field 2 may hold spaces.
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    # A zombie is dead: its parent has not yet looked.
    return "" if stat[0] in "ZX" else stat[19]
