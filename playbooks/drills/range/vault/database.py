"""The database engine: connections and dynamic roles (API: Database secrets engine)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from playbooks.drills.range.vault.errors import BackendError, RefusedError, absent, invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.token_engine import caller
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.core import Core
    from playbooks.drills.range.vault.database_server import DatabaseServer
    from playbooks.drills.range.vault.leases import Lease
    from playbooks.drills.range.vault.wire import Asked

STATEMENTS = ("creation", "revocation", "rollback", "renew")


@dataclass(slots=True)
class Connection:
    """One connection: to which database, as whom, and for which roles ("*" is all)."""

    plugin: str
    url: str
    username: str
    password: str = field(repr=False)
    allowed: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Role:
    """A dynamic role. TTLs in seconds, 0 for the mount's."""

    database: str
    default_ttl: int = 0
    max_ttl: int = 0
    statements: dict[str, list[str]] = field(default_factory=dict)


class Database(Engine):
    """One database mount."""

    kind: ClassVar[str] = "database"

    def __init__(self, core: Core, mount: str) -> None:
        super().__init__(core, mount)
        self.connections: dict[str, Connection] = {}
        self.roles: dict[str, Role] = {}

    def there(self, asked: Asked) -> bool:
        """Whether the connection is there already."""
        return asked.named["name"] in self.connections

    @route("POST", "config/{name}", exists="there")
    def write_connection(self, asked: Asked) -> Reply:
        name = asked.named["name"]
        old = self.connections.get(name)
        made = Connection(
            old.plugin if old else asked.needed("plugin_name"),
            asked.text("connection_url", old.url if old else ""),
            asked.text("username", old.username if old else ""),
            asked.text("password", old.password if old else ""),
            asked.texts("allowed_roles", old.allowed if old else []),
        )
        if not made.url:
            raise invalid("connection_url cannot be empty")
        if asked.flag("verify_connection", True):
            try:
                self.core.database(made.url, made.username, made.password)
            except BackendError as e:
                raise invalid(f"error creating database object: {e}") from e
        self.connections[name] = made
        return Reply()

    @route("GET", "config/{name}")
    def read_connection(self, asked: Asked) -> Reply:
        found = self.connections.get(asked.named["name"])
        if found is None:
            raise absent()
        return Reply(
            {
                "allowed_roles": found.allowed,
                "connection_details": {"connection_url": found.url, "username": found.username},
                "password_policy": "",
                "plugin_name": found.plugin,
                "plugin_version": "",
                "root_credentials_rotate_statements": [],
            }
        )

    @route("LIST", "config")
    def list_connections(self, asked: Asked) -> Reply:
        return keys(sorted(self.connections))

    @route("DELETE", "config/{name}")
    def delete_connection(self, asked: Asked) -> Reply:
        self.connections.pop(asked.named["name"], None)
        return Reply()

    @route("POST", "reset/{name}")
    def reset_connection(self, asked: Asked) -> Reply:
        self._opened(asked.named["name"])
        return Reply()

    @route("POST", "rotate-root/{name}")
    def rotate_root(self, asked: Asked) -> Reply:
        connection, server = self._opened(asked.named["name"])
        connection.password = server.accounts[connection.username] = self.core.name(20)
        return Reply()

    def _opened(self, name: str) -> tuple[Connection, DatabaseServer]:
        if name not in self.connections:
            raise invalid(f"no connection configuration found for {name!r}")
        try:
            return self.connections[name], self.connect(name)
        except BackendError as e:
            raise RefusedError(500, str(e)) from e

    def connect(self, name: str) -> DatabaseServer:
        """The database of a connection; raises BackendError when it cannot be reached."""
        connection = self.connections.get(name)
        if connection is None:
            raise BackendError(f"failed to find entry for connection with name: {name!r}")
        return self.core.database(connection.url, connection.username, connection.password)

    def role_there(self, asked: Asked) -> bool:
        """Whether the role is there already."""
        return asked.named["name"] in self.roles

    @route("POST", "roles/{name}", exists="role_there")
    def write_role(self, asked: Asked) -> Reply:
        name = asked.named["name"]
        old = self.roles.get(name)
        role = Role(
            asked.text("db_name", old.database if old else ""),
            asked.span("default_ttl", old.default_ttl if old else 0),
            asked.span("max_ttl", old.max_ttl if old else 0),
            {
                s: asked.texts(f"{s}_statements", old.statements[s] if old else [])
                for s in STATEMENTS
            },
        )
        if not role.database:
            raise invalid("database name is required")
        if role.max_ttl and role.default_ttl > role.max_ttl:
            raise invalid("default_ttl cannot be greater than max_ttl")
        self.roles[name] = role
        return Reply()

    @route("GET", "roles/{name}")
    def read_role(self, asked: Asked) -> Reply:
        role = self.roles.get(asked.named["name"])
        if role is None:
            raise absent()
        data: dict[str, Any] = {f"{s}_statements": text for s, text in role.statements.items()}
        data |= {"credential_type": "password", "db_name": role.database}
        return Reply({**data, "default_ttl": role.default_ttl, "max_ttl": role.max_ttl})

    @route("LIST", "roles")
    def list_roles(self, asked: Asked) -> Reply:
        return keys(sorted(self.roles))

    @route("DELETE", "roles/{name}")
    def delete_role(self, asked: Asked) -> Reply:
        # Leases that the role gave out stay.
        self.roles.pop(asked.named["name"], None)
        return Reply()

    @route("GET", "creds/{name}")
    def make_credentials(self, asked: Asked) -> Reply:
        name = asked.named["name"]
        role = self.roles.get(name)
        if role is None:
            raise invalid(f"unknown role: {name}")
        connection, server = self._opened(role.database)
        if not {"*", name} & set(connection.allowed):
            raise RefusedError(500, f"{name!r} is not an allowed role")
        token = caller(asked)
        username = f"v-{token.display_name[:8]}-{name[:8]}-{self.core.name(20)}"
        password = server.accounts[username] = self.core.name(20)
        lease = self.core.lease(
            token,
            self.mount,
            asked.path,
            role.default_ttl,
            role.max_ttl,
            {"database": role.database, "username": username},
        )
        return Reply(
            {"username": username, "password": password},
            lease_id=lease.id,
            lease_duration=lease.ttl,
            renewable=True,
        )

    def take_back(self, lease: Lease) -> None:
        """Drop the account of a lease; raises BackendError when the database is not to be had."""
        server = self.connect(lease.data["database"])
        server.accounts.pop(lease.data["username"], None)
