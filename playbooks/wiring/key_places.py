"""Which keys do not lie in the keys' folder: their URIs and public halves, pinned when given.

`keyring.json` in the keys' folder: {"log" | "manifest" | "wrap": {"uri", "public" (base64 of SPKI;
empty of a wrapping key)}}, one member for each key that was given by URI; and "former_wraps", the
URIs of wrapping keys that others followed. It holds no secret; who can write it can write the
folder, and so is Stanch.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence.errors import KeyMaterialError
from evidence.folder_sync import sync_folder
from evidence.key_files import read_closed, replace_closed, write_closed
from evidence.key_succession import mark_former, overwrite
from evidence.keys import FILE_OF, place_of, public_half
from evidence.signing.place import Clients, Use

NAME = "keyring.json"
FORMER_WRAPS = "former_wraps"
MAX = 1 << 14


@dataclass(frozen=True, slots=True)
class Pinned:
    """Where a key lives, and its public half as it was then; empty for one in a file."""

    uri: str
    public: bytes = b""


def places(folder: Path) -> dict[Use, Pinned]:
    """Return where each of the three keys lives.

    Raises:
        KeyMaterialError: when `keyring.json` is open to others, or malformed.
    """
    inside = {use: Pinned((folder.absolute() / name).as_uri()) for use, name in FILE_OF.items()}
    return inside | _read(folder)[0]


def former_wraps(folder: Path) -> list[str]:
    """Return the URIs of the wrapping keys elsewhere that others followed. Raises as `places`."""
    return _read(folder)[1]


def _read(folder: Path) -> tuple[dict[Use, Pinned], list[str]]:
    if not (folder / NAME).exists():
        return {}, []
    try:
        told = json.loads(read_closed(folder / NAME, MAX))
        given: dict[Use, Pinned] = {
            use: Pinned(str(told[use]["uri"]), base64.b64decode(told[use]["public"], validate=True))
            for use in FILE_OF
            if use in told
        }
        former = [str(uri) for uri in told.get(FORMER_WRAPS, ())]
        unknown = told.keys() - FILE_OF.keys() - {FORMER_WRAPS}
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise KeyMaterialError(f"{folder / NAME} is malformed; restore it from a backup") from error
    if unknown or any(not key.public for use, key in given.items() if use != "wrap"):
        # Without a pin whatever the service has by then would be believed.
        raise KeyMaterialError(
            f"{folder / NAME} names unknown keys, or pins no public half; restore it from a backup"
        )
    return given, former


def checked(given: Mapping[Use, str], clients: Clients) -> dict[Use, Pinned]:
    """Return each key as it is now, in its place.

    Raises:
        KeyMaterialError: when it is of the wrong kind, or its bytes may be outside of its place.
        KeyServiceError: when its service does not answer.
    """
    found = {use: public_half(uri, use, clients) for use, uri in given.items()}
    return {use: Pinned(given[use], public) for use, public in found.items()}


def pin(folder: Path, keys: Mapping[Use, Pinned]) -> None:
    """Write `keyring.json` for these keys. Raises FileExistsError where there is one."""
    write_closed(folder / NAME, _text(keys, []))


def successor(uri: str, use: Use, clients: Clients) -> Pinned:
    """Return a key that is to follow, as it is now in its place.

    Raises:
        KeyMaterialError: when it is not fit, or is a file.
        KeyServiceError: when its service does not answer.
    """
    if place_of(uri, clients) is None:
        raise KeyMaterialError(
            "a key that follows another is made as a file by `stanch key rotate` itself; --to "
            "names one that lives in a service"
        )
    return checked({use: uri}, clients)[use]


def succeed(folder: Path, use: Use, key: Pinned, key_id: str, *, destroy: bool) -> None:
    """Put a key elsewhere in the place of the one in use, which becomes a former one.

    `key_id` names the one in use; empty where the new one is another version of it, which opens
    what it wrapped. It may be done again after a crash. With `destroy` a file is overwritten.
    """
    given, wraps = _read(folder)
    used = given.get(use)
    if key_id:
        former = mark_former(folder, use, key_id)
        if use == "wrap" and used is not None and used.uri != key.uri:
            wraps.append(used.uri)
    replace_closed(folder / NAME, _text({**given, use: key}, wraps))
    if key_id and destroy:
        overwrite(former)
    (folder / FILE_OF[use]).unlink(missing_ok=True)
    sync_folder(folder)


def _text(keys: Mapping[Use, Pinned], wraps: Sequence[str]) -> bytes:
    told: dict[str, Any] = {
        use: {"uri": key.uri, "public": base64.b64encode(key.public).decode()}
        for use, key in keys.items()
    }
    told |= {FORMER_WRAPS: list(wraps)} if wraps else {}
    return (json.dumps(told, indent=2) + "\n").encode()
