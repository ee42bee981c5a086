"""Give a policy that an attacker changed or deleted the text that it is known to have had."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.errors import NothingToDoError
from actions.journal import Json, State
from actions.vault import acl_policy
from actions.vault.clients import Vault


@dataclass(frozen=True)
class RestorePolicy(Lens[Vault]):
    """Write the text that a baseline or a person names, in the place of what is there.

    State: `policy` is the text, or None where there is no such policy (Vault API docs,
    "/sys/policies/acl"). The text is what Vault stores, in HCL or JSON, and holds no secret.
    """

    vault: str
    name: str
    text: str

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = acl_policy.POLICY

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/policy/{self.name}"

    def read(self, p: Vault) -> Mapping[str, Json]:
        return {acl_policy.KEY: acl_policy.read(p, self.name)}

    def wanted(self, before: State) -> State:
        return {acl_policy.KEY: self.text}

    def write(self, p: Vault, key: str, value: Json) -> None:
        acl_policy.write(p, self.name, value)

    def foresee(self, p: Vault, before: State) -> Foreseen:
        acl_policy.must_be_theirs(p, self.name)
        if before[acl_policy.KEY] == self.text:
            raise NothingToDoError(f"policy {self.name} of Vault {self.vault} has this text.")
        return Foreseen((f"every token, role and entity with policy {self.name} gets this text",))
