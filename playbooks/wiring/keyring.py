"""The deployment's three keys, loaded together."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence import keys
from evidence.cosignature import CosigningKey
from evidence.errors import KeyMaterialError, NoteError
from evidence.key_history import WRAP
from evidence.key_succession import former_keys
from evidence.note import parse_vkey
from evidence.signer import MEMORY, RememberingSigner
from evidence.signer_client import AskedSigner, socket_of
from evidence.signing.place import NO_CLIENTS, Clients, Use
from evidence.wrap_ring import ring
from playbooks.wiring.key_places import checked, former_wraps, pin, places


@dataclass(frozen=True, slots=True)
class Keyring:
    """The log's signer, the manifests' key and the wrapping key."""

    log: RememberingSigner | AskedSigner
    manifest: keys.ManifestKey
    wrap: keys.Wrapper

    def trust(self) -> dict[str, Any]:
        """Return what an auditor must be given by another way than the bundle."""
        members = keys.trust(self.log.verifier, [self.manifest.public], self.log.second)
        if isinstance(self.log, AskedSigner) and self.log.second_vkey:
            members["log_second_vkey"] = self.log.second_vkey
        return members


def create(
    folder: Path,
    origin: str,
    given: Mapping[Use, str] | None = None,
    clients: Clients = NO_CLIENTS,
) -> Keyring:
    """Make the keys in the folder (0700) that are not `given` by URI; pin those that are.

    Raises KeyMaterialError where there are some, or a given one is not fit; KeyServiceError where
    one cannot be asked. Nothing is made then.
    """
    pinned = checked(given or {}, clients)
    keys.create_keys(folder, pinned)
    if pinned:
        pin(folder, pinned)
    made = load(folder, origin, clients)
    made.log.begin()
    return made


def load(
    folder: Path, origin: str, clients: Clients = NO_CLIENTS, signer: str | None = None
) -> Keyring:
    """Load the keys. Raise KeyMaterialError when one is missing, or open to others.

    A service is not asked before its key is used, so this holds nothing up while it is away. With
    the URI of a `signer` in a process of its own the log's key is not looked for.
    """
    at = places(folder)
    log, manifest = at["log"], at["manifest"]
    return Keyring(
        asked(folder, origin, signer)
        if signer is not None
        else RememberingSigner(
            keys.load_log(log.uri, origin, clients, log.public),
            folder / MEMORY,
            _second(folder, origin),
        ),
        keys.load_manifest(manifest.uri, clients, manifest.public),
        ring(
            keys.load_wrap(at["wrap"].uri, clients),
            [
                keys.load_wrap(uri, clients)
                for uri in (*former_keys(folder, WRAP), *former_wraps(folder))
            ],
        ),
    )


def asked(folder: Path, origin: str, uri: str) -> AskedSigner:
    """Return the client of a signer; which key signs there, `trust.json` in the folder says.

    Raises KeyMaterialError where that is missing, or of another log.
    """
    path = folder / "trust.json"
    try:
        trusted = json.loads(path.read_bytes())
        verifier = parse_vkey(trusted["log_vkey"])
        second = str(trusted.get("log_second_vkey", ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, NoteError) as error:
        raise KeyMaterialError(
            f"{path} does not say which key signs the log; put back the one of `stanch init`"
        ) from error
    if verifier.name != origin:
        raise KeyMaterialError(f"{path} is of the log {verifier.name!r}, not of {origin!r}")
    return AskedSigner(socket_of(uri), verifier, second)


def _second(folder: Path, origin: str) -> CosigningKey | None:
    # Where there is one, it signs: a key that cannot be read must not go missing in silence.
    if not os.path.lexists(folder / keys.SECOND):
        return None
    # Needs a cryptography that has ML-DSA, which nobody else does.
    from evidence.second_key import load_second

    return load_second(folder, origin)
