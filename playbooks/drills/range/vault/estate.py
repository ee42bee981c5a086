"""The drill's Vault: two applications, two people, Stanch, and secrets in every engine.

Everything is made with hvac calls by root. Stanch logs in on a mount of its own. Values here are
fakes, made from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playbooks.drills.range.vault.world import VaultWorld

DATABASE = "postgresql://{{username}}:{{password}}@db.internal/shop"
AUDIT = "file"
APPS = ("web", "batch")
READS = """
path "secret/data/{app}/*" {{ capabilities = ["read"] }}
path "database/creds/{app}" {{ capabilities = ["read"] }}
path "database/static-creds/reporting" {{ capabilities = ["read"] }}
path "transit/encrypt/{app}" {{ capabilities = ["update"] }}
path "transit/decrypt/{app}" {{ capabilities = ["update"] }}
path "pki/issue/{app}" {{ capabilities = ["update"] }}
"""
# What Stanch really needs is narrower: `stanch permissions` prints it.
EVERYTHING = (
    'path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "sudo"] }'
)


@dataclass(frozen=True, slots=True)
class RoleLogin:
    """What a machine logs in with at auth/`mount`, by AppRole."""

    mount: str
    role: str
    role_id: str
    secret_id: str = field(repr=False)
    accessor: str


@dataclass(frozen=True, slots=True)
class PersonLogin:
    """What a person logs in with at auth/userpass."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class VaultEstate:
    """The scenario's logins. `database` is the connection_url that the accounts are behind."""

    stanch: RoleLogin
    apps: tuple[RoleLogin, ...]
    people: tuple[PersonLogin, ...]
    database: str
    audit: str


def build_vault_estate(world: VaultWorld) -> VaultEstate:
    """Make the scenario in a fresh world."""
    root = world.client(world.root_token)
    root.sys.enable_audit_device("file", path=AUDIT, options={"file_path": "discard"})
    for mount in ("approle", "stanch"):
        root.sys.enable_auth_method("approle", path=mount)
    root.sys.enable_auth_method("userpass")
    _engines(world, root)
    for app in APPS:
        root.sys.create_or_update_acl_policy(app, READS.format(app=app))
    root.sys.create_or_update_acl_policy("admins", EVERYTHING)
    root.sys.create_or_update_acl_policy("stanch", EVERYTHING)
    return VaultEstate(
        _role(root, "stanch", "stanch"),
        tuple(_role(root, "approle", app) for app in APPS),
        tuple(_person(world, root, name) for name in ("alice", "mallory")),
        DATABASE,
        AUDIT,
    )


def _engines(world: VaultWorld, root: Any) -> None:
    for engine in ("database", "transit", "pki"):
        root.sys.enable_secrets_engine(engine)
    secret = world.core.name
    root.secrets.database.configure(
        "shop",
        plugin_name="postgresql-database-plugin",
        connection_url=DATABASE,
        username="vault",
        password=secret(),
        allowed_roles=["*"],
    )
    world.database(DATABASE).accounts["reporting"] = secret()
    root.secrets.database.create_static_role("reporting", "shop", "reporting", [], "24h")
    root.secrets.pki.generate_root("internal", "shop.internal", {"ttl": "700h"})
    names = {"allowed_domains": "shop.internal", "allow_subdomains": True, "max_ttl": "72h"}
    for app in APPS:
        root.secrets.kv.v2.create_or_update_secret(f"{app}/api", {"key": secret()})
        root.secrets.database.create_role(
            app, "shop", ["CREATE ROLE"], default_ttl="1h", max_ttl="24h"
        )
        root.secrets.transit.create_key(app)
        root.secrets.pki.create_or_update_role(app, names)


def _role(root: Any, mount: str, name: str) -> RoleLogin:
    roles = root.auth.approle
    roles.create_or_update_approle(name, token_policies=[name], token_ttl=3600, mount_point=mount)
    role_id = roles.read_role_id(name, mount_point=mount)["data"]["role_id"]
    made = roles.generate_secret_id(name, mount_point=mount)["data"]
    return RoleLogin(mount, name, role_id, made["secret_id"], made["secret_id_accessor"])


def _person(world: VaultWorld, root: Any, name: str) -> PersonLogin:
    password = world.core.name()
    root.auth.userpass.create_or_update_user(name, password, token_policies=["admins"])
    return PersonLogin(name, password)
