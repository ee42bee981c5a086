"""Give an AppRole role a new secret id, and leave it where its application looks for it."""

from dataclasses import dataclass
from typing import Any, ClassVar

from hvac import exceptions

from actions.action import Foreseen
from actions.errors import TargetGoneError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault import kv_secret
from actions.vault.clients import Vault
from actions.vault.own import own
from actions.vault.policy import may

LOST = "stanch-lost-secret-ids"


@dataclass(frozen=True)
class IssueSecretId(OneWay[Vault]):
    """Issue a secret id and write it into a field of a KV version 2 secret.

    The result is {"accessor", "version": of the secret, "lost": [accessor, ...]}. The value goes
    from Vault to Vault and is told to nobody. One that a crash lost before it was delivered is
    known by the step's mark in its metadata: it is noted as lost with the secret, destroyed, and
    made again (Vault API docs, "AppRole auth method", "Generate new secret ID"; the metadata
    stands in the audit log and on tokens, in plain text).
    """

    vault: str
    mount: str
    role: str
    kv_mount: str
    kv_path: str
    name: str = "secret_id"

    destroys: ClassVar[bool] = False
    remakes: ClassVar[bool] = True
    permissions: ClassVar = (
        *may("auth/token/lookup-self", "read"),
        *may("auth/{approle}/role/+", "read"),
        *may("auth/{approle}/role/+/secret-id/", "list"),
        *may("auth/{approle}/role/+/secret-id", "update"),
        *may("auth/{approle}/role/+/secret-id/lookup", "update"),
        *may("auth/{approle}/role/+/secret-id-accessor/lookup", "update"),
        *may("auth/{approle}/role/+/secret-id-accessor/destroy", "update"),
        *may("{kv}/data/*", "create", "read", "update"),
        *may("{kv}/metadata/*", "read", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/auth/{self.mount}/{self.role}"

    def foresee(self, p: Vault, before: State) -> Foreseen:
        own(p).spare_login(f"auth/{self.mount}", self.role)
        if p.get(f"auth/{self.mount}/role/{self.role}") is None:
            raise TargetGoneError(f"role {self.role} of auth/{self.mount} does not exist.")
        return Foreseen((f"readers of {self.kv_mount}/{self.kv_path} get a new {self.name}",))

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        roles, at = p.client.auth.approle, {"mount_point": self.mount}
        delivered = self._delivered(p, mark)
        if lost := [a for a in self._made(p, mark) if a != delivered]:
            noted = {*self._lost(p), *lost}
            kv_secret.note(p, self.kv_mount, self.kv_path, {LOST: ",".join(sorted(noted))})
        for accessor in lost:
            roles.destroy_secret_id_accessor(self.role, accessor, **at)
        if delivered:
            return
        version = self._version(p)
        kept = kv_secret.values(p, self.kv_mount, self.kv_path, version)
        made = roles.generate_secret_id(self.role, metadata={"stanch": mark}, **at)["data"]
        p.client.secrets.kv.v2.create_or_update_secret(
            self.kv_path,
            kept | {self.name: made["secret_id"]},
            cas=version,
            mount_point=self.kv_mount,
        )

    def find(self, p: Vault, mark: str) -> Result | None:
        accessor = self._delivered(p, mark)
        if not accessor or self._made(p, mark) != [accessor]:
            return None
        return {"accessor": accessor, "version": self._version(p), "lost": self._lost(p)}

    def _delivered(self, p: Vault, mark: str) -> str:
        """Return the accessor of the secret id that the secret holds, if this step made it."""
        held = kv_secret.values(p, self.kv_mount, self.kv_path, self._version(p)).get(self.name)
        if not held:
            return ""
        answer: Any = p.client.auth.approle.read_secret_id(self.role, held, mount_point=self.mount)
        # Vault answers 204 about a secret id that there is not.
        told = answer["data"] if isinstance(answer, dict) else {}
        ours = (told.get("metadata") or {}).get("stanch") == mark
        return str(told["secret_id_accessor"]) if ours else ""

    def _made(self, p: Vault, mark: str) -> list[str]:
        """Return the accessor of every secret id that this step made, delivered or not."""
        found = []
        for accessor in p.names(f"auth/{self.mount}/role/{self.role}/secret-id"):
            try:
                answer = p.client.auth.approle.read_secret_id_accessor(
                    self.role, accessor, mount_point=self.mount
                )
            except exceptions.InvalidPath:
                continue  # it ran out since it was listed
            if (answer["data"].get("metadata") or {}).get("stanch") == mark:
                found.append(accessor)
        return found

    def _version(self, p: Vault) -> int:
        found = kv_secret.metadata(p, self.kv_mount, self.kv_path)
        return int(found["current_version"]) if found else 0

    def _lost(self, p: Vault) -> list[str]:
        found = kv_secret.metadata(p, self.kv_mount, self.kv_path) or {}
        noted = (found.get("custom_metadata") or {}).get(LOST, "")
        return [a for a in noted.split(",") if a]
