"""The database engine's static roles (API: Database secrets engine, static roles)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.database import Database
from playbooks.drills.range.vault.durations import stamp
from playbooks.drills.range.vault.errors import BackendError, RefusedError, absent, invalid
from playbooks.drills.range.vault.routes import route
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.core import Core
    from playbooks.drills.range.vault.wire import Asked

SHORTEST = 5


@dataclass(slots=True)
class StaticRole:
    """One account whose password Vault changes each `period` seconds. `at` is when it last did."""

    database: str
    username: str
    period: int
    statements: list[str]
    password: str = field(default="", repr=False)
    at: float = 0.0


class DatabaseStatic(Database):
    """A database mount with all of its endpoints."""

    kind: ClassVar[str] = "database"

    def __init__(self, core: Core, mount: str) -> None:
        super().__init__(core, mount)
        self.static: dict[str, StaticRole] = {}

    def static_there(self, asked: Asked) -> bool:
        """Whether the static role is there already."""
        return asked.named["name"] in self.static

    @route("POST", "static-roles/{name}", exists="static_there")
    def write_static(self, asked: Asked) -> Reply:
        name = asked.named["name"]
        old = self.static.get(name)
        period = asked.span("rotation_period", old.period if old else 0)
        if period < SHORTEST:
            raise invalid(f"rotation_period must be {SHORTEST} seconds or more")
        if old is not None:
            old.period = period
            old.statements = asked.texts("rotation_statements", old.statements)
            return Reply()
        role = StaticRole(
            asked.needed("db_name"),
            asked.needed("username"),
            period,
            asked.texts("rotation_statements"),
        )
        # Vault can only know a password that it has set.
        self._rotated(role)
        self.static[name] = role
        self._plan(name, role)
        return Reply()

    def _rotated(self, role: StaticRole) -> None:
        try:
            server = self.connect(role.database)
            if role.username not in server.accounts:
                raise BackendError(f"role {role.username!r} does not exist in the database")
        except BackendError as e:
            raise RefusedError(500, f"error setting credentials: {e}") from e
        role.password = server.accounts[role.username] = self.core.name(20)
        role.at = self.core.now

    def _plan(self, name: str, role: StaticRole) -> None:
        # No closure: a copy of the world is to rotate its own role.
        self.core.later(role.at + role.period, partial(self._again, name, role, role.at))

    def _again(self, name: str, role: StaticRole, at: float) -> None:
        # Rotated, changed or deleted since: somebody else has planned the next time.
        if self.static.get(name) is not role or role.at != at:
            return
        try:
            self._rotated(role)
        except RefusedError:
            role.at += role.period
        self._plan(name, role)

    @route("GET", "static-roles/{name}")
    def read_static(self, asked: Asked) -> Reply:
        role = self._found(asked)
        return Reply(
            {
                "credential_type": "password",
                "db_name": role.database,
                "last_vault_rotation": stamp(role.at),
                "rotation_period": role.period,
                "rotation_statements": role.statements,
                "username": role.username,
            }
        )

    @route("LIST", "static-roles")
    def list_static(self, asked: Asked) -> Reply:
        return keys(sorted(self.static))

    @route("DELETE", "static-roles/{name}")
    def delete_static(self, asked: Asked) -> Reply:
        self.static.pop(asked.named["name"], None)
        return Reply()

    @route("GET", "static-creds/{name}")
    def read_credentials(self, asked: Asked) -> Reply:
        role = self.static.get(asked.named["name"])
        if role is None:
            raise invalid(f"unknown role: {asked.named['name']}")
        return Reply(
            {
                "last_vault_rotation": stamp(role.at),
                "password": role.password,
                "rotation_period": role.period,
                "ttl": max(0, int(role.at + role.period - self.core.now)),
                "username": role.username,
            }
        )

    @route("POST", "rotate-role/{name}")
    def rotate(self, asked: Asked) -> Reply:
        name = asked.named["name"]
        role = self.static.get(name)
        if role is None:
            raise invalid("no static role found for role name")
        self._rotated(role)
        self._plan(name, role)
        return Reply()

    def _found(self, asked: Asked) -> StaticRole:
        role = self.static.get(asked.named["name"])
        if role is None:
            raise absent()
        return role
