"""Put new random values into a secret, as a new version, unless somebody else did meanwhile."""

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

from actions.action import Foreseen
from actions.errors import UnfitError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault import kv_secret
from actions.vault.clients import Vault
from actions.vault.policy import may

# Bytes of chance in a value: 32 are more than any key search covers.
BYTES = 32


@dataclass(frozen=True)
class WriteKvVersion(OneWay[Vault]):
    """Replace these fields of a secret's version `cas` by generated values; keep its others.

    The result is {"version": cas + 1}. The write is a check-and-set on `cas` (0 makes the secret),
    and the incident is noted in the custom metadata. A value is nowhere but in Vault: it ends in
    a digest of itself and the step's mark, by which it is known again after a crash. For secrets
    whose value is the secret; what a service has to be told is that service's rotation (Vault
    API docs, "KV secrets engine - version 2", "Create/Update secret").
    """

    vault: str
    mount: str
    path: str
    cas: int
    names: tuple[str, ...]
    incident: str

    destroys: ClassVar[bool] = False
    permissions: ClassVar = (
        *may("{kv}/data/*", "create", "read", "update"),
        *may("{kv}/metadata/*", "read", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/{self.mount}/{self.path}"

    def facts(self, p: Vault) -> Result:
        found = kv_secret.metadata(p, self.mount, self.path)
        return {"version": found["current_version"] if found else 0}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        self._must_be_at_cas(before["version"])
        if not self.names:
            raise UnfitError("no field is named, so nothing would be new. Give `names`.")
        return Foreseen((f"readers of {self.path} get new {', '.join(self.names)} from now on",))

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        if not self._is_ours(p, mark):
            self._must_be_at_cas(self.facts(p)["version"])
            kept = kv_secret.values(p, self.mount, self.path, self.cas)
            new = {name: _signed(p.chance(BYTES), mark) for name in self.names}
            p.client.secrets.kv.v2.create_or_update_secret(
                self.path, kept | new, cas=self.cas, mount_point=self.mount
            )
        kv_secret.note(p, self.mount, self.path, {"stanch-incident": self.incident})

    def find(self, p: Vault, mark: str) -> Result | None:
        found = kv_secret.metadata(p, self.mount, self.path) or {}
        noted = (found.get("custom_metadata") or {}).get("stanch-incident") == self.incident
        return {"version": self.cas + 1} if noted and self._is_ours(p, mark) else None

    def _is_ours(self, p: Vault, mark: str) -> bool:
        held = kv_secret.values(p, self.mount, self.path, self.cas + 1)
        return all(_is_signed(held.get(name), mark) for name in self.names)

    def _must_be_at_cas(self, version: int) -> None:
        if version != self.cas:
            raise UnfitError(
                f"{self.mount}/{self.path} is at version {version}, expected {self.cas}: somebody "
                "else wrote it. Look at who, then name the version that is to be replaced."
            )


def _signed(value: str, mark: str) -> str:
    return f"{value}.{hashlib.sha256(f'{mark}.{value}'.encode()).hexdigest()[:8]}"


def _is_signed(value: Any, mark: str) -> bool:
    return isinstance(value, str) and _signed(value.rpartition(".")[0], mark) == value
