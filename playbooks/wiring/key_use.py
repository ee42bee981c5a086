"""Who uses the deployment's keys for long: those must end before a key is changed.

A process that stays has its keys in memory. What it signed with one that another followed, no
auditor would take. So each holds a lock that others share, and a change of keys wants it alone.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evidence.errors import KeyMaterialError

LOCK = "in-use"


@contextmanager
def used(folder: Path) -> Iterator[None]:
    """Use the keys in the folder while the block runs, beside others. Waits for a change to end."""
    with _locked(folder, fcntl.LOCK_SH):
        yield


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Change the keys in the folder while the block runs.

    Raises KeyMaterialError where a process of this host uses them.
    """
    try:
        with _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield
    except BlockingIOError:
        raise KeyMaterialError(
            "`stanch serve` or `stanch worker` runs on this host, with the keys as they are. Stop "
            "it, change the key, and start it again; alerts wait meanwhile where they come from"
        ) from None


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)
