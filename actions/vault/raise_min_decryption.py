"""Refuse what was encrypted, or signed, with a transit key's compromised versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hvac import exceptions

from actions.action import Foreseen, Lens, Takes
from actions.errors import NothingToDoError, TargetGoneError, UnfitError
from actions.journal import Json, State
from actions.vault.clients import Vault
from actions.vault.policy import may


@dataclass(frozen=True)
class RaiseMinDecryption(Lens[Vault]):
    """Raise the lowest version that a transit key decrypts and verifies with, to `version`.

    State: `versions` is {"min_decryption_version", "min_encryption_version"}; the latter, unless
    0 (the latest), may not be lower. It goes back exactly until the key is trimmed (Vault API
    docs, "Transit secrets engine", "Update key configuration", "Trim key"). Rewrap first.
    """

    vault: str
    mount: str
    key: str
    version: int

    takes: ClassVar[Takes] = "service"
    permissions: ClassVar = (
        *may("{transit}/keys/+", "read"),
        *may("{transit}/keys/+/config", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/{self.mount}/keys/{self.key}"

    def read(self, p: Vault) -> Mapping[str, Json]:
        found = key_facts(p, self.mount, self.key)
        names = ("min_decryption_version", "min_encryption_version")
        return {"versions": {name: found[name] for name in names}}

    def wanted(self, before: State) -> State:
        encrypts = before["versions"]["min_encryption_version"]
        return {
            "versions": {
                "min_decryption_version": self.version,
                "min_encryption_version": max(encrypts, self.version) if encrypts else 0,
            }
        }

    def write(self, p: Vault, key: str, value: Json) -> None:
        # hvac refuses the two versions when they are equal, which Vault does not.
        p.post(f"{self.mount}/keys/{self.key}/config", value)

    def foresee(self, p: Vault, before: State) -> Foreseen:
        latest = key_facts(p, self.mount, self.key)["latest_version"]
        if self.version > latest:
            raise UnfitError(
                f"transit key {self.key} has versions up to {latest}, not {self.version}. Rotate "
                "it first (rotate_transit_key)."
            )
        if before["versions"]["min_decryption_version"] >= self.version:
            raise NothingToDoError(f"transit key {self.key} decrypts nothing older already.")
        older = f"what is encrypted or signed with {self.key} before version {self.version}"
        return Foreseen((f"{older} is refused until it is rewrapped",))


def key_facts(p: Vault, mount: str, key: str) -> dict[str, Json]:
    """Return what Vault tells of a transit key. Raise TargetGoneError when there is none."""
    try:
        return dict(p.client.secrets.transit.read_key(key, mount_point=mount)["data"])
    except exceptions.InvalidPath as error:
        raise TargetGoneError(f"transit key {mount}/{key} does not exist (any more).") from error
