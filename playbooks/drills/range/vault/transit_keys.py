"""Transit's keys, their versions, and which of these still serve (API: Transit secrets engine)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.errors import absent, invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.transit_kinds import AES, SIZE, TYPES, shown
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.core import Core
    from playbooks.drills.range.vault.wire import Asked


@dataclass(slots=True)
class KeyVersion:
    """One version's key bytes, and when it was made (epoch seconds)."""

    secret: bytes = field(repr=False)
    created: float


@dataclass(slots=True)
class Key:
    """One named key. `min_encryption` 0 is the latest; versions below `min_available` are gone."""

    name: str
    type: str = AES
    versions: dict[int, KeyVersion] = field(default_factory=dict)
    min_decryption: int = 1
    min_encryption: int = 0
    min_available: int = 0
    deletion_allowed: bool = False
    exportable: bool = False
    plaintext_backup: bool = False

    @property
    def latest(self) -> int:
        """The newest version's number."""
        return max(self.versions)

    def shown(self) -> dict[str, object]:
        """The key as the API reads it out; versions that are no more decrypted are left out."""
        return {
            "allow_plaintext_backup": self.plaintext_backup,
            "deletion_allowed": self.deletion_allowed,
            "derived": False,
            "exportable": self.exportable,
            "imported_key": False,
            "keys": {
                str(n): shown(self.type, v.secret, v.created)
                for n, v in self.versions.items()
                if n >= self.min_decryption
            },
            "latest_version": self.latest,
            "min_available_version": self.min_available,
            "min_decryption_version": self.min_decryption,
            "min_encryption_version": self.min_encryption,
            "name": self.name,
            "supports_decryption": self.type == AES,
            "supports_derivation": True,
            "supports_encryption": self.type == AES,
            "supports_signing": self.type != AES,
            "type": self.type,
        }


class TransitKeys(Engine):
    """keys/. Other types than the three, derivation and import are not simulated."""

    kind: ClassVar[str] = "transit"

    def __init__(self, core: Core, mount: str) -> None:
        super().__init__(core, mount)
        self.keys: dict[str, Key] = {}

    def there(self, asked: Asked) -> bool:
        """Whether the key is there already."""
        return asked.named["name"] in self.keys

    def key(self, asked: Asked, otherwise: str = "key not found") -> Key:
        """The key of a request; raises RefusedError 400 when it is not there."""
        found = self.keys.get(asked.named["name"])
        if found is None:
            raise invalid(otherwise)
        return found

    def new_key(self, name: str, kind: str = AES) -> Key:
        """A key with one version."""
        made = self.keys[name] = Key(name, kind)
        self._add_version(made)
        return made

    def _add_version(self, key: Key) -> None:
        number = max(key.versions, default=0) + 1
        key.versions[number] = KeyVersion(self.core.rng.randbytes(SIZE), self.core.now)

    @route("POST", "keys/{name}")
    def create(self, asked: Asked) -> Reply:
        name, kind = asked.named["name"], asked.text("type") or AES
        if kind not in TYPES or asked.flag("derived") or asked.flag("convergent_encryption"):
            raise invalid(f"only keys of type {', '.join(TYPES)}, not derived, are simulated here")
        if name in self.keys:
            return Reply(self.keys[name].shown(), warnings=[f"key {name} already existed"])
        key = self.new_key(name, kind)
        key.exportable = asked.flag("exportable")
        key.plaintext_backup = asked.flag("allow_plaintext_backup")
        return Reply(key.shown())

    @route("GET", "keys/{name}")
    def read(self, asked: Asked) -> Reply:
        found = self.keys.get(asked.named["name"])
        if found is None:
            raise absent()
        return Reply(found.shown())

    @route("LIST", "keys")
    def list_keys(self, asked: Asked) -> Reply:
        return keys(sorted(self.keys))

    @route("DELETE", "keys/{name}")
    def delete(self, asked: Asked) -> Reply:
        key = self.key(asked, "could not delete key; not found")
        if not key.deletion_allowed:
            raise invalid("deletion is not allowed for this key")
        del self.keys[key.name]
        return Reply()

    @route("POST", "keys/{name}/rotate")
    def rotate(self, asked: Asked) -> Reply:
        key = self.key(asked)
        self._add_version(key)
        return Reply(key.shown())

    @route("POST", "keys/{name}/config")
    def configure(self, asked: Asked) -> Reply:
        key = self.key(asked, f"no existing key named {asked.named['name']} could be found")
        decryption = asked.number("min_decryption_version", key.min_decryption) or 1
        encryption = asked.number("min_encryption_version", key.min_encryption)
        if not max(1, key.min_available) <= decryption <= key.latest:
            raise invalid(f"cannot set min decryption version of {decryption}")
        if encryption and not decryption <= encryption <= key.latest:
            raise invalid(f"cannot set min encryption version of {encryption}")
        key.min_decryption, key.min_encryption = decryption, encryption
        key.deletion_allowed = asked.flag("deletion_allowed", key.deletion_allowed)
        # Neither is ever taken back.
        key.exportable = key.exportable or asked.flag("exportable")
        key.plaintext_backup = key.plaintext_backup or asked.flag("allow_plaintext_backup")
        return Reply(key.shown())

    @route("POST", "keys/{name}/trim")
    def trim(self, asked: Asked) -> Reply:
        key = self.key(asked)
        lowest = asked.number("min_available_version")
        if not key.min_encryption or not key.min_available <= lowest <= key.min_decryption:
            raise invalid(
                "minimum available version cannot be set: min_encryption_version must be set, and "
                "it lies neither below what was trimmed nor above min_decryption_version"
            )
        key.min_available = lowest
        key.versions = {n: v for n, v in key.versions.items() if n >= lowest}
        return Reply(key.shown())


def decoded(text: str) -> bytes:
    """The bytes of a parameter in base64; raises RefusedError 400 for what is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as e:
        raise invalid("failed to base64-decode input, plaintext or ciphertext") from e
