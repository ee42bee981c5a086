"""Files that nobody else can read: how keys, and what a signer remembers, lie on disk."""

import os
import stat
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from evidence.errors import KeyMaterialError
from evidence.folder_sync import sync_folder


def read_closed(path: Path, limit: int) -> bytes:
    """Return the first `limit` bytes of a file that is closed to others, as is its folder.

    Raises:
        KeyMaterialError: when it is missing, no regular file, a link, open to others or theirs.
    """
    try:
        refuse_readable(path.parent, os.stat(path.parent, follow_symlinks=False))
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise KeyMaterialError(f"key {path} cannot be read: {error.strerror}") from error
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise KeyMaterialError(f"key {path} is not a regular file")
        refuse_readable(path, status)
        return file.read(limit)


def write_closed(path: Path, material: bytes) -> None:
    """Write a new file 0600, and have it on disk. Raises FileExistsError where there is one."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(material)
        file.flush()
        os.fsync(file.fileno())


def replace_closed(path: Path, material: bytes) -> None:
    """Put other bytes in a file's place: after a crash it holds the old ones or the new ones."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    write_closed(beside, material)
    beside.replace(path)
    sync_folder(path.parent)


def refuse_readable(path: Path, status: os.stat_result) -> None:
    """Raise KeyMaterialError where a file or folder is open to others, or somebody else's."""
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        raise KeyMaterialError(f"{path} is open to others (mode {mode:04o}); run: chmod go= {path}")
    if status.st_uid != os.geteuid():
        raise KeyMaterialError(f"{path} belongs to user {status.st_uid}, not to who runs this")


def pem(key: PrivateKeyTypes) -> bytes:
    """Return a private key as unencrypted PKCS #8 in PEM (RFC 7468)."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
