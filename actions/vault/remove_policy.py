"""Take away a policy that an attacker wrote, from every token that has it, at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.errors import NothingToDoError
from actions.journal import Json, State
from actions.vault import acl_policy
from actions.vault.clients import Vault


@dataclass(frozen=True)
class RemovePolicy(Lens[Vault]):
    """Delete an ACL policy; its name stays on tokens, roles and entities, and grants nothing.

    State: `policy` is its text, or None (Vault API docs, "/sys/policies/acl"; a policy that is
    deleted or changed holds at once for every token that has it).
    """

    vault: str
    name: str

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = acl_policy.POLICY

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/policy/{self.name}"

    def read(self, p: Vault) -> Mapping[str, Json]:
        return {acl_policy.KEY: acl_policy.read(p, self.name)}

    def wanted(self, before: State) -> State:
        return {acl_policy.KEY: None}

    def write(self, p: Vault, key: str, value: Json) -> None:
        acl_policy.write(p, self.name, value)

    def foresee(self, p: Vault, before: State) -> Foreseen:
        acl_policy.must_be_theirs(p, self.name)
        if before[acl_policy.KEY] is None:
            raise NothingToDoError(f"Vault {self.vault} has no policy {self.name}.")
        return Foreseen((f"every token, role and entity with policy {self.name} loses it",))
