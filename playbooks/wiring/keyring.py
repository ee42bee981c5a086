"""The deployment's three keys, loaded together."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evidence import keys
from evidence.cosignature import CosigningKey
from evidence.signer import MEMORY, RememberingSigner


@dataclass(frozen=True, slots=True)
class Keyring:
    """The log's signer, the manifests' key and the wrapping key."""

    log: RememberingSigner
    manifest: keys.ManifestKey
    wrap: keys.Wrapper

    def trust(self) -> dict[str, Any]:
        """Return what an auditor must be given by another way than the bundle."""
        return keys.trust(self.log.verifier, [self.manifest.public], self.log.second)


def create(folder: Path, origin: str) -> Keyring:
    """Make the keys in the folder (0700). Raise KeyMaterialError where there are some."""
    made = _load(folder, keys.create_keys(folder), origin)
    made.log.begin()
    return made


def load(folder: Path, origin: str) -> Keyring:
    """Load the keys. Raise KeyMaterialError when one is missing, or open to others."""
    uris = [(folder.absolute() / name).as_uri() for name in ("log.pem", "manifest.pem", "wrap.key")]
    return _load(folder, keys.KeyUris(*uris), origin)


def _load(folder: Path, uris: keys.KeyUris, origin: str) -> Keyring:
    return Keyring(
        RememberingSigner(
            keys.load_log(uris.log, origin), folder / MEMORY, _second(folder, origin)
        ),
        keys.load_manifest(uris.manifest),
        keys.load_wrap(uris.wrap),
    )


def _second(folder: Path, origin: str) -> CosigningKey | None:
    # Where there is one, it signs: a key that cannot be read must not go missing in silence.
    if not os.path.lexists(folder / keys.SECOND):
        return None
    # Needs a cryptography that has ML-DSA, which nobody else does.
    from evidence.second_key import load_second

    return load_second(folder, origin)
