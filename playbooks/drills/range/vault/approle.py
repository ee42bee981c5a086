"""AppRole: roles and logging in (API: AppRole auth method)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from playbooks.drills.range.vault.errors import absent, invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.token_fields import TokenFields, log_in
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.core import Core
    from playbooks.drills.range.vault.wire import Asked


@dataclass(slots=True)
class SecretId:
    """One secret id. `expires` is epoch seconds; `uses` counts down from `num_uses`."""

    value: str = field(repr=False)
    accessor: str
    created: float
    ttl: int
    num_uses: int
    uses: int
    metadata: dict[str, str]
    cidrs: tuple[str, ...]
    token_cidrs: tuple[str, ...]
    expires: float | None = None


@dataclass(slots=True)
class Role:
    """One role. `secrets`: accessor -> secret id."""

    name: str
    role_id: str
    bind_secret_id: bool = True
    cidrs: tuple[str, ...] = ()
    num_uses: int = 0
    ttl: int = 0
    tokens: TokenFields = field(default_factory=TokenFields)
    secrets: dict[str, SecretId] = field(default_factory=dict)

    def living(self, now: float) -> dict[str, SecretId]:
        """The secret ids that have not ended."""
        return {a: s for a, s in self.secrets.items() if s.expires is None or s.expires > now}


class AppRole(Engine):
    """One AppRole mount: name -> Role."""

    kind: ClassVar[str] = "approle"

    def __init__(self, core: Core, mount: str) -> None:
        super().__init__(core, mount)
        self.roles: dict[str, Role] = {}

    @route("LIST", "role")
    def list_roles(self, asked: Asked) -> Reply:
        return keys(sorted(self.roles))

    def there(self, asked: Asked) -> bool:
        """Whether the role is there already."""
        return asked.named["name"] in self.roles

    @route("POST", "role/{name}", exists="there")
    def write_role(self, asked: Asked) -> Reply:
        name = asked.named["name"]
        role = self.roles.get(name) or Role(name, self.core.uuid())
        bind = asked.flag("bind_secret_id", role.bind_secret_id)
        cidrs = tuple(asked.texts("secret_id_bound_cidrs", list(role.cidrs)))
        tokens = role.tokens.changed(asked)
        if not bind and not cidrs and not tokens.bound_cidrs:
            raise invalid("at least one constraint should be enabled on the role")
        role.bind_secret_id, role.cidrs, role.tokens = bind, cidrs, tokens
        role.num_uses = asked.number("secret_id_num_uses", role.num_uses)
        role.ttl = asked.span("secret_id_ttl", role.ttl)
        self.roles[name] = role
        return Reply()

    @route("GET", "role/{name}")
    def read_role(self, asked: Asked) -> Reply:
        role = self.roles.get(asked.named["name"])
        if role is None:
            raise absent()
        return Reply(
            {
                "bind_secret_id": role.bind_secret_id,
                "local_secret_ids": False,
                "secret_id_bound_cidrs": list(role.cidrs) or None,
                "secret_id_num_uses": role.num_uses,
                "secret_id_ttl": role.ttl,
                **role.tokens.shown(),
            }
        )

    @route("DELETE", "role/{name}")
    def delete_role(self, asked: Asked) -> Reply:
        self.roles.pop(asked.named["name"], None)
        return Reply()

    @route("GET", "role/{name}/role-id")
    def read_role_id(self, asked: Asked) -> Reply:
        role = self.roles.get(asked.named["name"])
        if role is None:
            raise absent()
        return Reply({"role_id": role.role_id})

    @route("POST", "role/{name}/role-id")
    def write_role_id(self, asked: Asked) -> Reply:
        role, value = self.role(asked), asked.needed("role_id")
        if any(r.role_id == value and r is not role for r in self.roles.values()):
            raise invalid("role_id already in use")
        role.role_id = value
        return Reply()

    def role(self, asked: Asked) -> Role:
        """The role of a request; raises RefusedError 400 when it is not there."""
        role = self.roles.get(asked.named["name"])
        if role is None:
            raise invalid(f"role {asked.named['name']!r} does not exist")
        return role

    @route("POST", "login", free=True)
    def log_in(self, asked: Asked) -> Reply:
        wanted = asked.needed("role_id")
        role = next((r for r in self.roles.values() if r.role_id == wanted), None)
        if role is None:
            raise invalid("invalid role or secret ID")
        tokens, meta = role.tokens, {"role_name": role.name}
        cidrs: list[Any] = [role.cidrs]
        if role.bind_secret_id:
            secret = self._secret(role, asked.needed("secret_id"))
            cidrs.append(secret.cidrs)
            meta |= secret.metadata
            if secret.token_cidrs:
                tokens = tokens.narrowed(secret.token_cidrs)
        if not all(self.core.fits(asked.address, blocks) for blocks in cidrs):
            raise invalid(f"source address {asked.address!r} unauthorized by CIDR restrictions")
        if role.bind_secret_id:
            self._use(role, secret)
        return log_in(
            self.core,
            self.mount,
            "login",
            role.role_id,
            tokens,
            meta=meta,
            display_name=self.mount.removeprefix("auth/").rstrip("/").replace("/", "-"),
        )

    def _secret(self, role: Role, value: str) -> SecretId:
        for secret in role.living(self.core.now).values():
            if secret.value == value:
                return secret
        raise invalid("invalid role or secret ID")

    def _use(self, role: Role, secret: SecretId) -> None:
        if secret.num_uses:
            secret.uses -= 1
            if secret.uses <= 0:
                del role.secrets[secret.accessor]
