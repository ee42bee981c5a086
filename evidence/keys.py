"""The three keys of a deployment, found by URI: log (Ed25519), manifest (ES256), wrap (AES-256).

Each lies alone in a file that nobody else can read; the folder stands outside the store.
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.canonical import canonical
from evidence.cosignature import CosigningKey, cosigner_vkey
from evidence.errors import KeyMaterialError
from evidence.jws_token import ALGORITHM, PublicKey, base64url
from evidence.key_files import pem, read_closed, refuse_readable, write_closed
from evidence.note import NoteSigner, NoteVerifier, signer_of, vkey

WRAP_BYTES = 32
# The log's second key, where it has one (second_key.py).
SECOND = "log-second.pem"
MAX_KEY_FILE = 1 << 14


@dataclass(frozen=True, slots=True)
class KeyUris:
    """Where the three keys are, such as `file:///etc/stanch/keys/log.pem`."""

    log: str
    manifest: str
    wrap: str


@dataclass(frozen=True, slots=True)
class ManifestKey:
    """The P-256 key that signs manifests, and its id (RFC 7638 thumbprint)."""

    kid: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class WrapKey:
    """The 32-byte key that wraps each sensitive artifact's data key, and its reference."""

    reference: str
    key: bytes = field(repr=False)


def create_keys(folder: Path) -> KeyUris:
    """Make the three keys in `folder` (0700, created when missing), each in a file 0600.

    Raises:
        KeyMaterialError: when others can read the folder, or one of the files exists.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_readable(folder, os.stat(folder, follow_symlinks=False))
    made = {
        "log.pem": pem(Ed25519PrivateKey.generate()),
        "manifest.pem": pem(ec.generate_private_key(ec.SECP256R1())),
        "wrap.key": os.urandom(WRAP_BYTES),
    }
    for name in made:
        if os.path.lexists(folder / name):
            raise KeyMaterialError(f"{folder / name} exists; keys are never overwritten. Move it")
    for name, material in made.items():
        write_closed(folder / name, material)
    log, manifest, wrap = ((folder / name).absolute().as_uri() for name in made)
    return KeyUris(log, manifest, wrap)


def load_log(uri: str, origin: str) -> NoteSigner:
    """Return the signer of the log named `origin`.

    Raises:
        KeyMaterialError: when the material is missing, exposed, or no Ed25519 private key.
    """
    key = _private(uri)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyMaterialError(f"{uri} is not an Ed25519 private key")
    return signer_of(origin, key)


def load_manifest(uri: str) -> ManifestKey:
    """Return the key that signs manifests.

    Raises:
        KeyMaterialError: when the material is missing, exposed, or no P-256 private key.
    """
    key = _private(uri)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise KeyMaterialError(f"{uri} is not a P-256 private key")
    return ManifestKey(thumbprint(key.public_key()), key)


def load_wrap(uri: str) -> WrapKey:
    """Return the wrapping key.

    Raises:
        KeyMaterialError: when the material is missing, exposed, or not 32 bytes.
    """
    material = _material(uri)
    if len(material) != WRAP_BYTES:
        raise KeyMaterialError(f"{uri} holds {len(material)} bytes; expected {WRAP_BYTES}")
    # A name for the key that tells nothing about it, not even to someone who knows the scheme.
    name = hmac.digest(material, b"key reference", hashlib.sha256)[:8].hex()
    return WrapKey(f"wrap:{name}", material)


def trust(
    verifier: NoteVerifier,
    manifest_keys: Iterable[PublicKey],
    second: CosigningKey | None = None,
) -> dict[str, Any]:
    """Return what an auditor needs to trust, for `trust.json`; hand it over by another way.

    Shape: {"origin": str, "log_vkey": str, "manifest_keys": [JWK, ...]}, and "log_second_vkey"
    where the log has a second key.
    """
    members: dict[str, Any] = {
        "origin": verifier.name,
        "log_vkey": vkey(verifier),
        "manifest_keys": [public_jwk(key) for key in manifest_keys],
    }
    return members | ({"log_second_vkey": cosigner_vkey(second.cosigner)} if second else {})


def public_jwk(key: PublicKey) -> dict[str, str]:
    """Return a P-256 public key as a JWK for verifying ES256 (RFC 7517, RFC 7518 6.2)."""
    return _point(key) | {"alg": ALGORITHM, "use": "sig", "kid": thumbprint(key)}


def thumbprint(key: PublicKey) -> str:
    """Return the key's JWK thumbprint, SHA-256 in base64url (RFC 7638)."""
    return base64url(hashlib.sha256(canonical(_point(key))).digest())


def _point(key: PublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    x, y = (base64url(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _material(uri: str) -> bytes:
    scheme = urlsplit(uri).scheme
    reader = READER_FOR_SCHEME.get(scheme)
    if reader is None:
        known = ", ".join(sorted(READER_FOR_SCHEME))
        raise KeyMaterialError(f"key URI of scheme {scheme!r}; expected one of: {known}")
    return reader(uri)


def _read_file(uri: str) -> bytes:
    parts = urlsplit(uri)
    path = Path(unquote(parts.path))
    if parts.netloc or not path.is_absolute():
        raise KeyMaterialError(f"{uri} is not file:///absolute/path")
    return read_closed(path, MAX_KEY_FILE)


READER_FOR_SCHEME: Mapping[str, Callable[[str], bytes]] = {"file": _read_file}


def _private(uri: str) -> object:
    try:
        return serialization.load_pem_private_key(_material(uri), password=None)
    except (ValueError, TypeError) as error:
        raise KeyMaterialError(f"{uri} is not an unencrypted PEM private key") from error
