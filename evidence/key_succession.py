"""The keys' folder while one key follows another: the next one, the one in use, the former ones.

NAME.next is the key that is to follow, NAME the one in use, former/ROLE-ID.* those that were. A
former key stays there closed, or as an empty file where it was destroyed: that it was in use is
never forgotten, so no process that still has it in memory signs a head with it (`signer`).
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.errors import KeyMaterialError
from evidence.folder_sync import sync_folder
from evidence.key_files import pem, write_closed
from evidence.key_history import LOG, MANIFEST, WRAP
from evidence.keys import WRAP_BYTES
from evidence.signer import FORMER

# Of each role, the name of the file of the key in use.
FILE: Mapping[str, str] = {LOG: "log.pem", MANIFEST: "manifest.pem", WRAP: "wrap.key"}

_MADE: Mapping[str, Callable[[], bytes]] = {
    LOG: lambda: pem(Ed25519PrivateKey.generate()),
    MANIFEST: lambda: pem(ec.generate_private_key(ec.SECP256R1())),
    WRAP: lambda: os.urandom(WRAP_BYTES),
}


def next_key(folder: Path, role: str) -> str:
    """Make the key of a role that is to follow, unless a try before made it; return its URI.

    Raises:
        KeyMaterialError: when the key in use does not lie in the folder.
    """
    if not os.path.lexists(folder / FILE[role]):
        raise KeyMaterialError(
            f"{folder / FILE[role]} is not there: the {role} key does not lie in this folder. Make "
            "its successor where it lives, and name it with --to"
        )
    path = folder / f"{FILE[role]}.next"
    with suppress(FileExistsError):
        write_closed(path, _MADE[role]())
        sync_folder(folder)
    return path.absolute().as_uri()


def succeed(folder: Path, role: str, key_id: str, *, destroy: bool) -> None:
    """Put the next key in the place of the one in use, which becomes a former one.

    `key_id` names the one in use: letters, digits, - and _. It may be done again after a crash.
    With `destroy` its bytes are overwritten; what a disk or a backup keeps of it is not reached.

    Raises:
        KeyMaterialError: when it has no next key.
    """
    used, following = folder / FILE[role], folder / f"{FILE[role]}.next"
    if not os.path.lexists(following):
        raise KeyMaterialError(f"{following} is not there; begin again with `stanch key rotate`")
    former = mark_former(folder, role, key_id)
    following.replace(used)
    sync_folder(folder)
    if destroy:
        overwrite(former)


def mark_former(folder: Path, role: str, key_id: str) -> Path:
    """Have the key in use lie among the former ones, too; of one that lies elsewhere a mark."""
    used = folder / FILE[role]
    former = folder / FORMER / f"{role}-{key_id}{used.suffix}"
    former.parent.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileExistsError):
        if os.path.lexists(used):
            os.link(used, former, follow_symlinks=False)
        else:
            write_closed(former, b"")
    sync_folder(former.parent)
    return former


def overwrite(former: Path) -> None:
    """Overwrite a former key's bytes; what a disk or a backup keeps of it is not reached."""
    with former.open("r+b") as file:
        file.write(bytes(former.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
        file.truncate(0)
        os.fsync(file.fileno())


def former_keys(folder: Path, role: str) -> list[str]:
    """Return the URIs of the former keys of a role that were not destroyed, sorted."""
    found = sorted((folder / FORMER).glob(f"{role}-*{Path(FILE[role]).suffix}"))
    return [path.absolute().as_uri() for path in found if path.stat().st_size]
