"""Makes the names in a folder outlive a loss of power; a file's own fsync does not (fsync(2))."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Write the folder itself to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
