"""Take a whole way of logging in away: one that an attacker opened, or the last resort."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen
from actions.errors import NothingToDoError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.vault.clients import Vault
from actions.vault.own import own
from actions.vault.policy import may


@dataclass(frozen=True)
class DisableAuthMount(OneWay[Vault]):
    """Disable an auth method: its roles, users and settings are deleted, its tokens revoked.

    The result is {"mounts": [path, ...]}, the methods left. There is no softer way for a
    whole mount: tuning its TTLs lets a token live for a second, which is enough, and the type of
    token is all else that a tune can change. One role or user can be stopped and given back with
    block_login, one identity with disable_entity (Vault API docs, "/sys/auth").
    """

    vault: str
    mount: str

    permissions: ClassVar = (
        *may("auth/token/lookup-self", "read"),
        *may("sys/auth", "read"),
        *may("sys/auth/+", "delete", "sudo"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/auth/{self.mount}"

    def facts(self, p: Vault) -> Result:
        found = p.client.sys.list_auth_methods()["data"].get(f"{self.mount}/")
        told = ("type", "accessor", "description", "config", "local", "options")
        return {"mount": {k: found[k] for k in told if k in found} if found else None}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        own(p).spare_mount(f"auth/{self.mount}")
        if before["mount"] is None:
            raise NothingToDoError(f"Vault {self.vault} has no auth method at {self.mount}.")
        kind = before["mount"]["type"]
        return Foreseen(
            blast=(f"nobody logs in through auth/{self.mount} ({kind}); its tokens end",),
            lost=(
                f"every role, user and setting of auth/{self.mount}",
                "the aliases of its logins point to an accessor that no mount has any more",
            ),
        )

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        own(p).spare_mount(f"auth/{self.mount}")
        p.client.sys.disable_auth_method(self.mount)

    def find(self, p: Vault, mark: str) -> Result | None:
        mounts = p.client.sys.list_auth_methods()["data"]
        return (
            None
            if f"{self.mount}/" in mounts
            else {"mounts": sorted(k for k in mounts if k.endswith("/"))}
        )
