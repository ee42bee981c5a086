"""Encryption as a service (API: Transit secrets engine), by keys of type aes256-gcm96."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from playbooks.drills.range.vault.errors import invalid
from playbooks.drills.range.vault.routes import route
from playbooks.drills.range.vault.transit_keys import Key, decoded
from playbooks.drills.range.vault.transit_kinds import AES, SIZE
from playbooks.drills.range.vault.transit_signing import TransitSigning
from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from playbooks.drills.range.vault.wire import Asked

NONCE = 12


class Transit(TransitSigning):
    """A transit mount with all of its endpoints."""

    kind: ClassVar[str] = "transit"

    @route("POST", "encrypt/{name}", exists="there")
    def encrypt(self, asked: Asked) -> Reply:
        name = asked.named["name"]
        # A caller that may create gets the key on the way; the front has looked at that.
        key = self.keys.get(name) or self.new_key(name)
        return _each(
            asked, "plaintext", "ciphertext", lambda text: self._encrypted(key, text, asked)
        )

    def _encrypted(self, key: Key, text: str, asked: Asked) -> str:
        _refuse_signing(key, "encryption")
        number = asked.number("key_version") or key.latest
        if number not in key.versions or number < max(key.min_encryption, key.min_decryption):
            raise invalid("requested version for encryption is less than the minimum")
        nonce = self.core.rng.randbytes(NONCE)
        sealed = AESGCM(key.versions[number].secret).encrypt(nonce, decoded(text), _bound(asked))
        return f"vault:v{number}:{base64.b64encode(nonce + sealed).decode()}"

    @route("POST", "decrypt/{name}")
    def decrypt(self, asked: Asked) -> Reply:
        key = self.key(asked, "encryption key not found")

        def opened(text: str) -> str:
            return base64.b64encode(_decrypted(key, text, asked)).decode()

        return _each(asked, "ciphertext", "plaintext", opened)

    @route("POST", "rewrap/{name}")
    def rewrap(self, asked: Asked) -> Reply:
        key = self.key(asked, "encryption key not found")

        def wrapped(text: str) -> str:
            plain = _decrypted(key, text, asked)
            return self._encrypted(key, base64.b64encode(plain).decode(), asked)

        return _each(asked, "ciphertext", "ciphertext", wrapped)

    @route("POST", "datakey/{shown}/{name}")
    def data_key(self, asked: Asked) -> Reply:
        if asked.named["shown"] not in ("plaintext", "wrapped"):
            raise invalid("invalid path, must be 'plaintext' or 'wrapped'")
        if asked.number("bits", 256) != 256:
            raise invalid("only data keys of 256 bits are simulated here")
        key = self.key(asked, "encryption key not found")
        plain = base64.b64encode(self.core.rng.randbytes(SIZE)).decode()
        data = {"ciphertext": self._encrypted(key, plain, asked), "key_version": key.latest}
        return Reply(data | ({"plaintext": plain} if asked.named["shown"] == "plaintext" else {}))


def _refuse_signing(key: Key, what: str) -> None:
    if key.type != AES:
        raise invalid(f"key type {key.type} does not support {what}")


def _bound(asked: Asked) -> bytes | None:
    text = asked.text("associated_data")
    return decoded(text) if text else None


def _decrypted(key: Key, text: str, asked: Asked) -> bytes:
    _refuse_signing(key, "decryption")
    prefix, _, rest = text.partition(":")
    version, _, sealed = rest.partition(":")
    if prefix != "vault" or not version.startswith("v") or not version[1:].isdigit():
        raise invalid("invalid ciphertext: no prefix")
    number, raw = int(version[1:]), decoded(sealed)
    if number < key.min_decryption:
        raise invalid("ciphertext or signature version is disallowed by policy (too old)")
    if number not in key.versions:
        raise invalid("invalid ciphertext: version is too new")
    try:
        return AESGCM(key.versions[number].secret).decrypt(raw[:NONCE], raw[NONCE:], _bound(asked))
    except (InvalidTag, ValueError) as e:
        raise invalid("cipher: message authentication failed") from e


def _each(asked: Asked, given: str, made: str, one: Callable[[str], str]) -> Reply:
    """Do one thing to one value, or to each of a batch, in its order."""
    batch = asked.given("batch_input")
    if not batch:
        if asked.given(given) is None:
            raise invalid(f"missing {given}")
        return Reply({made: one(asked.text(given))})
    return Reply({"batch_results": [{made: one(str(item.get(given, "")))} for item in batch]})
