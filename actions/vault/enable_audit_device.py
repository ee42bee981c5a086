"""Turn an audit device on again that an attacker turned off, or pointed elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.errors import NothingToDoError, UnfitError
from actions.journal import Json, State
from actions.vault.clients import Vault
from actions.vault.policy import may


@dataclass(frozen=True)
class EnableAuditDevice(Lens[Vault]):
    """Have an audit device of this type and these options, each as name=value, at a path.

    State: `device` is {"type", "description", "options"}, or None when there is none (Vault API
    docs, "/sys/audit"). A device cannot be changed, so another one at the path is turned off
    first; with it goes its salt, and with that the hashes of its lines can be told no more.
    """

    vault: str
    path: str
    kind: str
    options: tuple[str, ...] = ()
    description: str = ""

    takes: ClassVar[Takes] = "nothing"
    permissions: ClassVar = (
        *may("sys/audit", "read", "sudo"),
        *may("sys/audit/*", "update", "delete", "sudo"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/audit/{self.path}"

    @property
    def device(self) -> dict[str, Json]:
        """Return the device as Vault tells of it. Raise UnfitError for an option without a ="""
        pairs = [option.partition("=") for option in self.options]
        if not all(equals for _, equals, _ in pairs):
            raise UnfitError(f"an audit option is name=value, not among {self.options!r}.")
        options = {name: value for name, _, value in pairs}
        return {"type": self.kind, "description": self.description, "options": options}

    def read(self, p: Vault) -> Mapping[str, Json]:
        answer = p.client.sys.list_enabled_audit_devices()
        found = answer["data"].get(f"{self.path}/")
        if found is None:
            return {"device": None}
        told = {k: found.get(k) or "" for k in ("type", "description")}
        return {"device": {**told, "options": dict(found.get("options") or {})}}

    def wanted(self, before: State) -> State:
        return {"device": self.device}

    def write(self, p: Vault, key: str, value: Json) -> None:
        now = self.read(p)["device"]
        if now == value:
            return
        if now is not None:
            p.client.sys.disable_audit_device(self.path)
        if value is not None:
            p.client.sys.enable_audit_device(
                value["type"],
                description=value["description"],
                options=value["options"],
                path=self.path,
            )

    def transit(self, before: State) -> Mapping[str, Iterable[Json]]:
        return {"device": [None]}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        if before["device"] == self.device:
            raise NothingToDoError(f"audit device {self.path} of Vault {self.vault} is on.")
        if before["device"] is None:
            return Foreseen()
        return Foreseen(lost=(f"hashes in the lines that {self.path} has written until now",))
