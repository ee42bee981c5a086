"""Keys in Vault's transit engine: `vault-transit://VAULT/MOUNT/KEY?version=N`.

VAULT is the Vault's name in the settings; MOUNT may have slashes. The version is part of the URI,
so a rotated key signs nothing until the URI says so. Source: Vault API docs, "Transit secrets
engine" (read key, sign data, encrypt data, decrypt data).
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from hvac import exceptions

from evidence.canonical import canonical
from evidence.errors import KeyMaterialError, KeyServiceError
from evidence.signing.place import Clients, Use

FORM = "vault-transit"
# The type that a key must have to be used for this.
TYPE: Mapping[Use, str] = {"log": "ed25519", "manifest": "ecdsa-p256", "wrap": "aes256-gcm96"}
# A key of which one of these is true exists, or may come to exist, outside of the Vault; or it is
# not one key.
UNFIT = ("exportable", "allow_plaintext_backup", "imported_key", "derived")

_URI = re.compile(
    r"vault-transit://(?P<vault>[a-z0-9][a-z0-9-]{0,31})"
    r"/(?P<mount>[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*)/(?P<key>[A-Za-z0-9_][A-Za-z0-9_.-]*)"
    r"\?version=(?P<version>[1-9][0-9]{0,8})"
)


@dataclass(frozen=True, slots=True)
class TransitKey:
    """One version of one key. `client()` is an hvac client, logged in; hvac has no types."""

    vault: str
    mount: str
    key: str
    version: int
    client: Callable[[], Any] = field(repr=False)
    form: str = FORM

    @property
    def name(self) -> str:
        """The key's URI without its version."""
        return f"vault-transit://{self.vault}/{self.mount}/{self.key}"

    def public(self, use: Use) -> bytes:
        """Check the key, as Place has it."""
        told = self._ask("read", lambda transit: transit.read_key(self.key, mount_point=self.mount))
        try:
            unfit = [flag for flag in UNFIT if told.get(flag)]
            kind, lowest = told["type"], int(told.get("min_encryption_version") or 0)
            version = told["keys"].get(str(self.version))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._odd("read") from error
        if kind != TYPE[use]:
            raise KeyMaterialError(
                f"{self.name} is a key of type {kind}; the {use} key must be {TYPE[use]}"
            )
        if unfit:
            raise KeyMaterialError(
                f"{self.name} is {' and '.join(unfit)}: its bytes may be outside of the Vault. "
                "Vault never takes that back, so make another key without"
            )
        if version is None or self.version < lowest:
            raise KeyMaterialError(
                f"{self.name} has no version {self.version} that is still used; put "
                f"version={told.get('latest_version')} into its URI"
            )
        return b"" if use == "wrap" else self._spki(use, version)

    def _spki(self, use: Use, version: Mapping[str, Any]) -> bytes:
        try:
            text = version["public_key"]
            public: Any = (
                Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
                if use == "log"
                else load_pem_public_key(text.encode())
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._odd("read") from error
        encoded: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return encoded

    def sign(self, use: Use, message: bytes) -> bytes:
        """Sign, as Place has it: raw r || s by marshaling `jws`; Ed25519 has one form."""
        how = {} if use == "log" else {"hash_algorithm": "sha2-256", "marshaling_algorithm": "jws"}
        told = self._ask(
            "sign",
            lambda transit: transit.sign_data(
                self.key,
                hash_input=base64.b64encode(message).decode(),
                key_version=self.version,
                mount_point=self.mount,
                **how,
            ),
        )
        prefix, _, text = str(told.get("signature")).rpartition(":")
        if prefix != f"vault:v{self.version}":
            raise self._odd("sign")
        try:
            # Ed25519 comes in base64, and `jws` in base64url without padding.
            signature = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_")
            return signature if use != "log" else base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise self._odd("sign") from error

    def wrap(self, key: bytes, about: Mapping[str, str]) -> bytes:
        """Encrypt, bound to `about` by `associated_data`, which an old Vault may not know."""
        told = self._ask(
            "encrypt",
            lambda transit: transit.encrypt_data(
                self.key,
                plaintext=base64.b64encode(key).decode(),
                key_version=self.version,
                associated_data=base64.b64encode(canonical(dict(about))).decode(),
                mount_point=self.mount,
            ),
        )
        wrapped = str(told.get("ciphertext"))
        if not wrapped.startswith(f"vault:v{self.version}:") or not wrapped.isascii():
            raise self._odd("encrypt")
        return wrapped.encode()

    def unwrap(self, wrapped: bytes, about: Mapping[str, str]) -> bytes:
        """Decrypt; the version is the one in what was wrapped."""
        text = wrapped.decode("ascii")
        try:
            told = self._ask(
                "decrypt",
                lambda transit: transit.decrypt_data(
                    self.key,
                    ciphertext=text,
                    associated_data=base64.b64encode(canonical(dict(about))).decode(),
                    mount_point=self.mount,
                ),
            )
            return base64.b64decode(told["plaintext"], validate=True)
        except exceptions.InvalidRequest as error:
            raise ValueError(f"{self.name} does not decrypt it") from error
        except (KeyError, TypeError, binascii.Error) as error:
            raise self._odd("decrypt") from error

    def _ask(self, what: str, ask: Callable[[Any], Any]) -> Mapping[str, Any]:
        try:
            answer = ask(self.client().secrets.transit)
            return dict(answer["data"])
        except exceptions.Forbidden as error:
            raise KeyServiceError(
                f"Vault {self.vault} denies to {what} with {self.name}; let Stanch's policy "
                f"{'read' if what == 'read' else 'update'} {self._path(what)}"
            ) from error
        except exceptions.InvalidPath as error:
            raise KeyServiceError(f"there is no key {self.name}; make it first") from error
        except exceptions.InvalidRequest:
            if what == "decrypt":
                raise
            # What it says may name what was sent.
            raise KeyServiceError(
                f"Vault {self.vault} refuses to {what} with version {self.version} of {self.name}; "
                "see the key's type and minimum versions"
            ) from None
        except (exceptions.VaultError, requests.RequestException) as error:
            raise KeyServiceError(
                f"Vault {self.vault} does not {what} with {self.name}: {type(error).__name__}. "
                "Is it up, unsealed, and reached from here?"
            ) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # What is no answer of a Vault breaks hvac's own reading, too.
            raise self._odd(what) from error

    def _path(self, what: str) -> str:
        return f"{self.mount}/{'keys' if what == 'read' else what}/{self.key}"

    def _odd(self, what: str) -> KeyServiceError:
        return KeyServiceError(
            f"Vault {self.vault} answered to {what} with {self.name} what is no such answer"
        )


def transit_key(uri: str, clients: Clients) -> TransitKey:
    """Return the key of a URI; nothing is asked yet. Raise KeyMaterialError for a malformed one."""
    found = _URI.fullmatch(uri)
    if found is None:
        # Not told again: somebody may have put a login in it.
        raise KeyMaterialError(
            "a vault-transit URI is not vault-transit://VAULT/MOUNT/KEY?version=N, with VAULT as "
            "it is named in stanch.toml, and the key's present version"
        )
    vault = found["vault"]
    return TransitKey(
        vault, found["mount"], found["key"], int(found["version"]), lambda: clients.vault(vault)
    )
