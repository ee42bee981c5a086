"""The three keys of a deployment, found by URI: log (Ed25519), manifest (ES256), wrap (AES-256).

A `file:` key lies alone in a file that nobody else can read; the folder stands outside the store.
A key of another scheme never leaves its place: it signs and wraps there (`signing/`).
"""

import hashlib
import hmac
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from evidence.canonical import canonical
from evidence.cosignature import CosigningKey, cosigner_vkey
from evidence.errors import KeyMaterialError
from evidence.jws_token import ALGORITHM, PublicKey, base64url
from evidence.key_files import pem, read_closed, refuse_readable, write_closed
from evidence.manifest_values import KEY_WRAP
from evidence.note import NoteSigner, NoteVerifier, signer_of, vkey
from evidence.signing.aws_kms import kms_key
from evidence.signing.elsewhere import (
    KeyElsewhere,
    WrapElsewhere,
    log_elsewhere,
    manifest_elsewhere,
)
from evidence.signing.pkcs11_token import token_key
from evidence.signing.place import NO_CLIENTS, Clients, Place, Use
from evidence.signing.vault_transit import transit_key

WRAP_BYTES = 32
# The file of each key that lies in the keys' folder.
FILE_OF: Mapping[Use, str] = {"log": "log.pem", "manifest": "manifest.pem", "wrap": "wrap.key"}
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
    key: ec.EllipticCurvePrivateKey | KeyElsewhere = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return self.key.public if isinstance(self.key, KeyElsewhere) else self.key.public_key()


class Wrapper(Protocol):
    """What wraps each sensitive artifact's data key.

    `reference` and `form` stand in the manifest: which key it was, and how it wraps. `about` names
    the artifact, for who can bind to it.
    """

    @property
    def reference(self) -> str: ...
    @property
    def form(self) -> str: ...
    def wrap(self, key: bytes, about: Mapping[str, str]) -> bytes: ...
    def unwrap(self, wrapped: bytes, about: Mapping[str, str]) -> bytes: ...


@dataclass(frozen=True, slots=True)
class WrapKey:
    """A wrapping key of 32 bytes in memory, and its reference: a `Wrapper`."""

    reference: str
    key: bytes = field(repr=False)

    @property
    def form(self) -> str:
        """AES key wrap (RFC 3394), which binds to nothing."""
        return KEY_WRAP

    def wrap(self, key: bytes, about: Mapping[str, str]) -> bytes:
        """Return the key wrapped."""
        return aes_key_wrap(self.key, key)

    def unwrap(self, wrapped: bytes, about: Mapping[str, str]) -> bytes:
        """Return what was wrapped. Raise ValueError where it was altered."""
        try:
            return aes_key_unwrap(self.key, wrapped)
        except InvalidUnwrap as error:
            raise ValueError("not wrapped by this key, or altered") from error


def create_keys(folder: Path, elsewhere: Collection[Use] = ()) -> KeyUris:
    """Make the keys in `folder` (0700, created when missing), each in a file 0600.

    Those that live `elsewhere` are not made; the URIs are those of the folder all the same.

    Raises:
        KeyMaterialError: when others can read the folder, or one of the files exists.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_readable(folder, os.stat(folder, follow_symlinks=False))
    made: Mapping[Use, bytes] = {
        "log": pem(Ed25519PrivateKey.generate()),
        "manifest": pem(ec.generate_private_key(ec.SECP256R1())),
        "wrap": os.urandom(WRAP_BYTES),
    }
    for name in FILE_OF.values():
        if os.path.lexists(folder / name):
            raise KeyMaterialError(f"{folder / name} exists; keys are never overwritten. Move it")
    for use, material in made.items():
        if use not in elsewhere:
            write_closed(folder / FILE_OF[use], material)
    log, manifest, wrap = ((folder / name).absolute().as_uri() for name in FILE_OF.values())
    return KeyUris(log, manifest, wrap)


def load_log(
    uri: str, origin: str, clients: Clients = NO_CLIENTS, pinned: bytes = b""
) -> NoteSigner:
    """Return the signer of the log named `origin`.

    `pinned` is the public half (SPKI, DER) that a key elsewhere must have; without it the service
    is asked now, and with it not before the first signature.

    Raises:
        KeyMaterialError: when the material is missing, exposed, or no Ed25519 private key.
        KeyServiceError: when a service is asked and does not answer.
    """
    if (place := place_of(uri, clients)) is not None:
        return log_elsewhere(place, pinned or place.public("log"), origin)
    key = _private(uri)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyMaterialError(f"{uri} is not an Ed25519 private key")
    return signer_of(origin, key)


def load_manifest(uri: str, clients: Clients = NO_CLIENTS, pinned: bytes = b"") -> ManifestKey:
    """Return the key that signs manifests; `pinned` as for `load_log`.

    Raises:
        KeyMaterialError: when the material is missing, exposed, or no P-256 private key.
        KeyServiceError: when a service is asked and does not answer.
    """
    if (place := place_of(uri, clients)) is not None:
        elsewhere = manifest_elsewhere(place, pinned or place.public("manifest"))
        return ManifestKey(thumbprint(elsewhere.public), elsewhere)
    key = _private(uri)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise KeyMaterialError(f"{uri} is not a P-256 private key")
    return ManifestKey(thumbprint(key.public_key()), key)


def load_wrap(uri: str, clients: Clients = NO_CLIENTS) -> Wrapper:
    """Return the wrapping key. Nothing is asked of a service before it is used.

    Raises:
        KeyMaterialError: when the material is missing, exposed, or not 32 bytes.
    """
    if (place := place_of(uri, clients)) is not None:
        return WrapElsewhere(place)
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


def place_of(uri: str, clients: Clients) -> Place | None:
    """Return where a key lives that stays there; None for one whose material is read here.

    Raises:
        KeyMaterialError: when the URI is malformed, or of an unknown scheme.
    """
    scheme = uri.partition(":")[0]
    if scheme not in PLACE_FOR_SCHEME:
        known = ", ".join(PLACE_FOR_SCHEME)
        raise KeyMaterialError(f"key URI of scheme {scheme[:40]!r}; expected one of: {known}")
    at = PLACE_FOR_SCHEME[scheme]
    return at(uri, clients) if at else None


def public_half(uri: str, use: Use, clients: Clients) -> bytes:
    """Check a key as it is now, and return its public half (SPKI, DER), b"" of a wrapping key.

    Raises:
        KeyMaterialError: when it is not fit for `use`.
        KeyServiceError: when its service does not answer.
    """
    if (place := place_of(uri, clients)) is not None:
        return place.public(use)
    if use == "wrap":
        load_wrap(uri)
        return b""
    public: Any = (
        Ed25519PublicKey.from_public_bytes(load_log(uri, "any").verifier.public)
        if use == "log"
        else load_manifest(uri).public
    )
    encoded: bytes = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


# None: the key's material is read from there.
PLACE_FOR_SCHEME: Mapping[str, Callable[[str, Clients], Place] | None] = {
    "file": None,
    "vault-transit": transit_key,
    "awskms": kms_key,
    "pkcs11": token_key,
}


def _material(uri: str) -> bytes:
    parts = urlsplit(uri)
    path = Path(unquote(parts.path))
    if parts.netloc or not path.is_absolute():
        raise KeyMaterialError(f"{uri} is not file:///absolute/path")
    return read_closed(path, MAX_KEY_FILE)


def _private(uri: str) -> object:
    try:
        return serialization.load_pem_private_key(_material(uri), password=None)
    except (ValueError, TypeError) as error:
        raise KeyMaterialError(f"{uri} is not an unencrypted PEM private key") from error
