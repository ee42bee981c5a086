"""ACL policies over HTTP (API: /sys/policies, /sys/policy)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault import hcl
from playbooks.drills.range.vault.errors import absent, invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.wire import Reply

if TYPE_CHECKING:
    from playbooks.drills.range.vault.wire import Asked


class SysPolicies(Engine):
    """sys/policies/acl, and sys/policy, which is its older name."""

    kind: ClassVar[str] = "system"

    @route("LIST", "policies/acl")
    def list_all(self, asked: Asked) -> Reply:
        return Reply({"keys": [*sorted(self.core.policies), "root"]})

    @route("GET", "policy")
    def list_older(self, asked: Asked) -> Reply:
        names = [*sorted(self.core.policies), "root"]
        return Reply({"keys": names, "policies": names})

    @route("GET", "policies/acl/{name}")
    def read(self, asked: Asked) -> Reply:
        name, text = self._found(asked)
        return Reply({"name": name, "policy": text})

    @route("GET", "policy/{name}")
    def read_older(self, asked: Asked) -> Reply:
        name, text = self._found(asked)
        return Reply({"name": name, "rules": text})

    @route("POST", "policies/acl/{name}")
    @route("POST", "policy/{name}")
    def write(self, asked: Asked) -> Reply:
        name = asked.named["name"].lower()
        if name == "root":
            raise invalid('cannot update "root" policy')
        text = asked.needed("policy")
        hcl.rules(text)
        self.core.policies[name] = text
        return Reply()

    @route("DELETE", "policies/acl/{name}")
    @route("DELETE", "policy/{name}")
    def delete(self, asked: Asked) -> Reply:
        name = asked.named["name"].lower()
        if name in ("root", "default"):
            raise invalid(f'cannot delete "{name}" policy')
        self.core.policies.pop(name, None)
        return Reply()

    def _found(self, asked: Asked) -> tuple[str, str]:
        name = asked.named["name"].lower()
        if name == "root":
            return name, ""
        if name not in self.core.policies:
            raise absent()
        return name, self.core.policies[name]
