"""Signs and wraps with keys that live elsewhere, and believes no signature it has not checked.

The public halves were pinned when the deployment was made, so a service that was given another key
under the same name signs nothing that leaves this process.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from jose.backends.base import Key
from jose.backends.cryptography_backend import CryptographyECKey

from evidence.errors import KeyMaterialError, KeyServiceError
from evidence.jws_token import ALGORITHM, PublicKey
from evidence.note import NoteSigner, NoteVerifier
from evidence.signing.place import Place


class KeyElsewhere(Key):
    """A P-256 key in its place, as python-jose takes it: `jws.sign(..., key, algorithm="ES256")`.

    `public` is its pinned public half.
    """

    def __init__(self, place: Place, public: PublicKey) -> None:
        self.place = place
        self.public = public
        # python-jose has no types.
        self._checker: Any = CryptographyECKey(public, ALGORITHM)

    def sign(self, msg: bytes) -> bytes:
        """Return r || s over SHA-256 of the message, once the pinned key has verified it."""
        signature = self.place.sign("manifest", msg)
        if not self.verify(msg, signature):
            raise _strange(self.place)
        return signature

    def verify(self, msg: bytes, sig: bytes) -> bool:
        """Return whether r || s is the pinned key's signature over the message."""
        return bool(self._checker.verify(msg, sig))

    def public_key(self) -> Any:
        """Return the public half, as python-jose has it."""
        return self._checker

    def to_dict(self) -> dict[str, Any]:
        """Return the public half as a JWK."""
        members: dict[str, Any] = self._checker.to_dict()
        return members


@dataclass(frozen=True, slots=True)
class WrapElsewhere:
    """A wrapping key in its place: a `Wrapper`."""

    place: Place

    @property
    def reference(self) -> str:
        """A name for the key that manifests hold; it tells no account and no path."""
        return f"wrap:{hashlib.sha256(self.place.name.encode()).digest()[:8].hex()}"

    @property
    def form(self) -> str:
        """How it wraps."""
        return self.place.form

    def wrap(self, key: bytes, about: Mapping[str, str]) -> bytes:
        """Return the key wrapped by the service."""
        return self.place.wrap(key, about)

    def unwrap(self, wrapped: bytes, about: Mapping[str, str]) -> bytes:
        """Return the key that was wrapped. Raise ValueError where something was altered."""
        return self.place.unwrap(wrapped, about)


def log_elsewhere(place: Place, spki: bytes, origin: str) -> NoteSigner:
    """Return a signer of heads; `spki` is the pinned Ed25519 key."""
    public = load_der_public_key(spki)
    if not isinstance(public, Ed25519PublicKey):
        raise KeyMaterialError(f"{place.name} is pinned as another key than Ed25519")

    def sign(message: bytes) -> bytes:
        signature = place.sign("log", message)
        try:
            public.verify(signature, message)
        except InvalidSignature:
            raise _strange(place) from None
        return signature

    return NoteSigner(NoteVerifier(origin, public.public_bytes_raw()), sign)


def manifest_elsewhere(place: Place, spki: bytes) -> KeyElsewhere:
    """Return a key that signs manifests; `spki` is the pinned P-256 key."""
    public = load_der_public_key(spki)
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise KeyMaterialError(f"{place.name} is pinned as another key than P-256")
    return KeyElsewhere(place, public)


def _strange(place: Place) -> KeyServiceError:
    return KeyServiceError(
        f"a signature of {place.name} does not fit the public key that was pinned when this "
        "deployment was made; it is thrown away. Was the key replaced? Run `stanch doctor`"
    )
