"""Token roles over HTTP (API: Token auth method, token roles)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from playbooks.drills.range.vault.errors import absent, invalid
from playbooks.drills.range.vault.routes import route
from playbooks.drills.range.vault.token_engine import caller
from playbooks.drills.range.vault.token_making import TokenMaking
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.core import Core
    from playbooks.drills.range.vault.wire import Asked

NOT_SIMULATED = (
    "allowed_policies_glob",
    "disallowed_policies_glob",
    "allowed_entity_aliases",
    "path_suffix",
)


@dataclass(frozen=True, slots=True)
class TokenRole:
    """What tokens created against a role may be. Durations in seconds."""

    allowed: tuple[str, ...] = ()
    disallowed: tuple[str, ...] = ()
    orphan: bool = False
    renewable: bool = True
    period: int = 0
    explicit_max_ttl: int = 0

    def shown(self, name: str) -> dict[str, Any]:
        """The role as the API reads it out."""
        return {
            "allowed_policies": list(self.allowed),
            "disallowed_policies": list(self.disallowed),
            "explicit_max_ttl": self.explicit_max_ttl,
            "name": name,
            "orphan": self.orphan,
            "path_suffix": "",
            "period": self.period,
            "renewable": self.renewable,
            "token_explicit_max_ttl": self.explicit_max_ttl,
            "token_period": self.period,
            "token_type": "default-service",
        }


class TokenRoles(TokenMaking):
    """Making tokens, also against a role: it may be more than the caller has."""

    kind: ClassVar[str] = "token"

    def __init__(self, core: Core, mount: str) -> None:
        super().__init__(core, mount)
        self.roles: dict[str, TokenRole] = {}

    @route("POST", "roles/{name}")
    def write_role(self, asked: Asked) -> Reply:
        for name in NOT_SIMULATED:
            if asked.given(name):
                raise invalid(f"{name} is not simulated here")
        self.roles[asked.named["name"]] = TokenRole(
            tuple(asked.texts("allowed_policies")),
            tuple(asked.texts("disallowed_policies")),
            asked.flag("orphan"),
            asked.flag("renewable", True),
            asked.span("token_period") or asked.span("period"),
            asked.span("token_explicit_max_ttl") or asked.span("explicit_max_ttl"),
        )
        return Reply()

    @route("GET", "roles/{name}")
    def read_role(self, asked: Asked) -> Reply:
        role = self.roles.get(asked.named["name"])
        if role is None:
            raise absent()
        return Reply(role.shown(asked.named["name"]))

    @route("LIST", "roles")
    def list_roles(self, asked: Asked) -> Reply:
        return keys(sorted(self.roles))

    @route("DELETE", "roles/{name}")
    def delete_role(self, asked: Asked) -> Reply:
        self.roles.pop(asked.named["name"], None)
        return Reply()

    @route("POST", "create/{name}")
    def create_by_role(self, asked: Asked) -> Reply:
        name = asked.named["name"]
        role = self.roles.get(name)
        if role is None:
            raise invalid(f"unknown role {name}")
        policies = self._of_role(asked, role)
        if "root" in policies:
            raise invalid("root tokens may not be created without parent token being root")
        return self.issued(
            asked,
            policies,
            orphan=role.orphan,
            renewable=role.renewable,
            period=role.period,
            explicit_max_ttl=role.explicit_max_ttl,
            role=name,
        )

    def _of_role(self, asked: Asked, role: TokenRole) -> list[str]:
        parent = caller(asked)
        if not role.allowed and not role.disallowed:
            return self.policies(asked, parent, self.core.is_sudo(parent, asked.path))
        names = set(asked.texts("policies") or role.allowed or parent.policies)
        adds = not asked.flag("no_default_policy") and "default" not in role.disallowed
        extra = {"default"} if adds else set()
        if role.allowed and names - set(role.allowed) - extra:
            raise invalid("token policies must be subset of the role's allowed policies")
        if names & set(role.disallowed):
            raise invalid("token policy is disallowed by this role")
        return sorted(names | extra)
