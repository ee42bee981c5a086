"""Which keys do not lie in the keys' folder: their URIs and public halves, pinned at `stanch init`.

`keyring.json` in the keys' folder: {"log" | "manifest" | "wrap": {"uri", "public" (base64 of SPKI;
empty of a wrapping key)}}, one member for each key that was given by URI. It holds no secret; who
can write it can write the folder, and so is Stanch.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evidence.errors import KeyMaterialError
from evidence.key_files import read_closed, write_closed
from evidence.keys import FILE_OF, public_half
from evidence.signing.place import Clients, Use

NAME = "keyring.json"
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
    if not (folder / NAME).exists():
        return inside
    try:
        told = json.loads(read_closed(folder / NAME, MAX))
        given: dict[Use, Pinned] = {
            use: Pinned(str(told[use]["uri"]), base64.b64decode(told[use]["public"], validate=True))
            for use in FILE_OF
            if use in told
        }
        unknown = told.keys() - FILE_OF.keys()
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise KeyMaterialError(f"{folder / NAME} is malformed; restore it from a backup") from error
    if unknown:
        raise KeyMaterialError(f"{folder / NAME} names unknown keys; restore it from a backup")
    return inside | given


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
    told = {
        use: {"uri": key.uri, "public": base64.b64encode(key.public).decode()}
        for use, key in keys.items()
    }
    write_closed(folder / NAME, (json.dumps(told, indent=2) + "\n").encode())
