"""The PKI engine: a root, roles, issuing (API: PKI secrets engine). Keys are Ed25519 only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from playbooks.drills.range.vault.errors import RefusedError, absent, invalid
from playbooks.drills.range.vault.pki_authority import Authority, key_pem, new_authority
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.core import Core
    from playbooks.drills.range.vault.wire import Asked

KEY_TYPE = "ed25519"


@dataclass(frozen=True, slots=True)
class PkiRole:
    """What may be issued. TTLs in seconds, 0 for the mount's."""

    allowed_domains: tuple[str, ...] = ()
    allow_subdomains: bool = False
    allow_bare_domains: bool = False
    allow_any_name: bool = False
    ttl: int = 0
    max_ttl: int = 0

    def allows(self, name: str) -> bool:
        """Whether a certificate for this name may be issued."""
        return self.allow_any_name or any(
            (self.allow_bare_domains and name == domain)
            or (self.allow_subdomains and name.endswith("." + domain))
            for domain in self.allowed_domains
        )


class Pki(Engine):
    """A PKI mount with one issuer."""

    kind: ClassVar[str] = "pki"

    def __init__(self, core: Core, mount: str) -> None:
        super().__init__(core, mount)
        self.authority: Authority | None = None
        self.roles: dict[str, PkiRole] = {}

    def root(self) -> Authority:
        """The authority; raises RefusedError 500 before there is one."""
        if self.authority is None:
            raise RefusedError(500, "no default issuer currently configured")
        return self.authority

    @route("POST", "root/generate/internal", sudo=True)
    def generate(self, asked: Asked) -> Reply:
        name = asked.needed("common_name")
        _check_type(asked)
        if self.authority is not None:
            raise invalid("a second issuer is not simulated here: delete the root first")
        ttl = self._ttl(asked.span("ttl"), 0)
        secret = self.core.rng.randbytes(32)
        made = new_authority(name, self._serial(), secret, self.core.now, ttl)
        made.write_crl(self.core.now)
        self.authority = made
        return Reply(
            {
                "certificate": made.root.pem,
                "expiration": int(made.root.expiration),
                "issuing_ca": made.root.pem,
                "serial_number": made.root.serial,
            }
        )

    @route("DELETE", "root", sudo=True)
    def delete_root(self, asked: Asked) -> Reply:
        self.authority = None
        return Reply()

    def _serial(self) -> int:
        # RFC 5280: positive and at most 20 octets.
        return self.core.rng.getrandbits(158) | 1 << 157

    def _ttl(self, wanted: int, limit: int) -> int:
        mount = self.core.mounts[self.mount]
        default, highest = self.core.ttls(mount)
        return min(wanted or default, limit or highest, highest)

    @route("POST", "roles/{name}")
    def write_role(self, asked: Asked) -> Reply:
        _check_type(asked)
        self.roles[asked.named["name"]] = PkiRole(
            tuple(asked.texts("allowed_domains")),
            asked.flag("allow_subdomains"),
            asked.flag("allow_bare_domains"),
            asked.flag("allow_any_name"),
            asked.span("ttl"),
            asked.span("max_ttl"),
        )
        return Reply()

    @route("GET", "roles/{name}")
    def read_role(self, asked: Asked) -> Reply:
        role = self.roles.get(asked.named["name"])
        if role is None:
            raise absent()
        return Reply(
            {
                "allow_any_name": role.allow_any_name,
                "allow_bare_domains": role.allow_bare_domains,
                "allow_subdomains": role.allow_subdomains,
                "allowed_domains": list(role.allowed_domains),
                "key_type": KEY_TYPE,
                "max_ttl": role.max_ttl,
                "ttl": role.ttl,
            }
        )

    @route("LIST", "roles")
    def list_roles(self, asked: Asked) -> Reply:
        return keys(sorted(self.roles))

    @route("DELETE", "roles/{name}")
    def delete_role(self, asked: Asked) -> Reply:
        self.roles.pop(asked.named["name"], None)
        return Reply()

    @route("POST", "issue/{name}")
    def issue(self, asked: Asked) -> Reply:
        role = self.roles.get(asked.named["name"])
        if role is None:
            raise invalid(f"unknown role: {asked.named['name']}")
        common_name = asked.text("common_name")
        if not common_name:
            raise invalid("the common_name field is required")
        names = [common_name, *(n for n in asked.texts("alt_names") if n != common_name)]
        for name in names:
            if not role.allows(name):
                raise invalid(f"common name {name} not allowed by this role")
        authority, ttl = self.root(), self._ttl(asked.span("ttl") or role.ttl, role.max_ttl)
        if self.core.now + ttl > authority.root.expiration:
            raise invalid("cannot satisfy request, as TTL would result in notAfter beyond the CA's")
        secret = self.core.rng.randbytes(32)
        made = authority.sign(self._serial(), common_name, names, secret, self.core.now, ttl)
        data: dict[str, Any] = {
            "ca_chain": [authority.root.pem],
            "certificate": made.pem,
            "expiration": int(made.expiration),
            "issuing_ca": authority.root.pem,
            "private_key": key_pem(secret),
            "private_key_type": KEY_TYPE,
            "serial_number": made.serial,
        }
        return Reply(data)


def _check_type(asked: Asked) -> None:
    if asked.text("key_type", KEY_TYPE) != KEY_TYPE:
        raise invalid(f"only keys of type {KEY_TYPE} are simulated here")
