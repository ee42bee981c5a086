"""A witness on disk: its key, its configuration, and what it has seen, in one closed folder.

FOLDER/witness.pem    the Ed25519 key, 0600
FOLDER/witness.json   {"name", "logs": [vkey, ...], "host", "port", "certificate", "private_key"}
FOLDER/seen.db        see witness_state.py; lost, the witness is to be retired
"""

import ipaddress
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from evidence.cosignature import CosigningKey, cosigning_key
from evidence.errors import CanonicalError, WitnessError
from evidence.key_files import pem, read_closed, refuse_readable, write_closed
from evidence.note import NoteVerifier, parse_vkey
from evidence.strict_json import parse
from evidence.witness import Witness
from evidence.witness_state import WitnessState

KEY, CONFIG, STATE = "witness.pem", "witness.json", "seen.db"
MAX_FILE = 1 << 20
PORT = 8791


@dataclass(frozen=True, slots=True)
class Config:
    """A witness's name, the vkeys of the logs that it knows, and where it listens.

    Of a log several keys may stand here, while it changes them. Without `certificate` and
    `private_key` (PEM files) it listens on loopback only.
    """

    name: str
    logs: tuple[str, ...]
    host: str = "127.0.0.1"
    port: int = PORT
    certificate: str = ""
    private_key: str = ""

    def known(self) -> dict[str, list[NoteVerifier]]:
        """Return the keys of each log, by its origin. Raises NoteError where one is malformed."""
        logs: dict[str, list[NoteVerifier]] = {}
        for text in self.logs:
            verifier = parse_vkey(text)
            logs.setdefault(verifier.name, []).append(verifier)
        return logs

    def refuse_open(self) -> None:
        """Raise WitnessError where it would listen to the network without TLS."""
        if bool(self.certificate) != bool(self.private_key):
            raise WitnessError("certificate and private_key go together: PEM files for TLS")
        if not self.certificate and not _loopback(self.host):
            raise WitnessError(
                f"{self.host} is not loopback, and there is no certificate. Set certificate and "
                f"private_key in {CONFIG}, or listen on 127.0.0.1 behind a proxy that has TLS"
            )


def create_witness(folder: Path, config: Config) -> CosigningKey:
    """Make a witness in a new folder, or an empty one; return its key.

    Raises:
        WitnessError: when there is one already, or a folder that holds anything else.
        NoteError: when its name or a log's key is malformed.
        KeyMaterialError: when the folder is open to others.
    """
    config.refuse_open()
    config.known()
    key = Ed25519PrivateKey.generate()
    signer = cosigning_key(config.name, key)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_readable(folder, os.stat(folder, follow_symlinks=False))
    if any(folder.iterdir()):
        raise WitnessError(
            f"{folder} is not empty; a witness is never begun over another one. Name a new folder"
        )
    # The state last: a folder without one is refused, so nothing half made ever serves.
    write_closed(folder / KEY, pem(key))
    write_closed(folder / CONFIG, (json.dumps(asdict(config), indent=2) + "\n").encode())
    WitnessState(folder / STATE, signer.cosigner.public).create()
    return signer


def read_config(folder: Path) -> Config:
    """Return a witness's configuration.

    Raises:
        WitnessError: when it is not there or not of its form.
    """
    place = folder / CONFIG
    try:
        members = parse(place.read_bytes()[:MAX_FILE])
        config = Config(**(members | {"logs": tuple(members["logs"])}))
    except (OSError, CanonicalError, KeyError, TypeError) as error:
        raise WitnessError(f"{place} cannot be read: {error}. `witness init` makes one") from error
    texts = (config.name, config.host, config.certificate, config.private_key, *config.logs)
    if not all(isinstance(text, str) for text in texts) or type(config.port) is not int:
        raise WitnessError(f"{place} has a member of the wrong type")
    return config


def open_witness(folder: Path, config: Config, clock: Callable[[], int]) -> Witness:
    """Return the witness of a folder; its state must be there, its own, and whole.

    Raises:
        WitnessError: when the state was lost: it must not start as if it were new.
        KeyMaterialError: when the key is missing, open to others, or of another kind.
    """
    try:
        key = load_pem_private_key(read_closed(folder / KEY, MAX_FILE), None)
    except (ValueError, TypeError) as error:
        raise WitnessError(f"{folder / KEY} is not an unencrypted PEM private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise WitnessError(f"{folder / KEY} is not an Ed25519 private key")
    signer = cosigning_key(config.name, key)
    state = WitnessState(folder / STATE, signer.cosigner.public)
    state.check()
    return Witness(signer, config.known(), state, clock)


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
