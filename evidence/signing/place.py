"""What a key that lives elsewhere is to us: something that signs, or wraps; never its bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from evidence.errors import KeyServiceError

# What one of the three keys is for: Ed25519 over heads, ES256 over manifests, wrapping data keys.
Use = Literal["log", "manifest", "wrap"]


class Place(Protocol):
    """One key in its place. Every method but `name` and `form` asks the service, once.

    Raises:
        KeyServiceError: when the service does not answer in time, denies, or gives another answer
            than was asked for; or the key is not, or no longer, as it must be.
    """

    @property
    def name(self) -> str:
        """The key's name without its version, which tells it from all others."""

    @property
    def form(self) -> str:
        """How it wraps, as a manifest's `encryption.wrap` names it."""

    def public(self, use: Use) -> bytes:
        """Check that the key is fit for `use`; return its public half (SPKI, DER), b"" to wrap."""

    def sign(self, use: Use, message: bytes) -> bytes:
        """Return a raw signature of 64 bytes: Ed25519 (RFC 8032), or r || s (RFC 7518, 3.4)."""

    def wrap(self, key: bytes, about: Mapping[str, str]) -> bytes:
        """Return `key` encrypted, bound to `about` where the service can bind."""

    def unwrap(self, wrapped: bytes, about: Mapping[str, str]) -> bytes:
        """Return what was wrapped. Raise ValueError where it, or `about`, was altered."""


@dataclass(frozen=True, slots=True)
class Clients:
    """What reaches the services, logged in; they have timeouts of their own.

    `vault(name)` is an hvac client of that Vault, `kms(account, region)` a boto3 client. Both raise
    KeyServiceError where there is none.
    """

    vault: Callable[[str], Any]
    kms: Callable[[str, str], Any]


def _unreachable(*where: str) -> Any:
    raise KeyServiceError(
        f"nothing here reaches {'/'.join(where)}; this process only reads public keys"
    )


# For who needs public keys alone.
NO_CLIENTS = Clients(_unreachable, _unreachable)
