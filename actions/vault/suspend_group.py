"""Take from a group the policies that it gives to its members, until they are given back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.errors import NothingToDoError, TargetGoneError
from actions.journal import Json, State
from actions.vault.clients import Vault
from actions.vault.own import own
from actions.vault.policy import may


@dataclass(frozen=True)
class SuspendGroup(Lens[Vault]):
    """Leave an identity group with no policies; its members, and what they have besides, stay.

    State: `policies` is a list of names. For a group that an attacker made, or added to: every
    token of a member loses them at once (Vault API docs, "Identity secrets engine: group").
    """

    vault: str
    group: str

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        *may("auth/token/lookup-self", "read"),
        *may("identity/group/id/+", "read", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/group/{self.group}"

    def read(self, p: Vault) -> Mapping[str, Json]:
        return {"policies": list(self._told(p).get("policies") or ())}

    def wanted(self, before: State) -> State:
        return {"policies": []}

    def write(self, p: Vault, key: str, value: Json) -> None:
        # hvac wants name, type and members along, and so would write those too.
        p.post(f"identity/group/id/{self.group}", {"policies": value})

    def same(self, key: str, one: Json, other: Json) -> bool:
        return sorted(one or ()) == sorted(other or ())

    def foresee(self, p: Vault, before: State) -> Foreseen:
        ours, members = own(p), self._told(p).get("member_entity_ids") or ()
        for member in members:
            ours.spare_entity(member)
        if not before["policies"]:
            raise NothingToDoError(f"group {self.group} gives no policies.")
        lost = ", ".join(before["policies"])
        return Foreseen((f"{len(members)} entities lose what they have by {lost}",))

    def _told(self, p: Vault) -> dict[str, Json]:
        found = p.get(f"identity/group/id/{self.group}")
        if found is None:
            raise TargetGoneError(
                f"group {self.group} of Vault {self.vault} does not exist (any more)."
            )
        return found
