"""People with a name and a password (API: Userpass auth method)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.errors import absent, invalid
from playbooks.drills.range.vault.routes import Engine, route
from playbooks.drills.range.vault.token_fields import TokenFields, log_in
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.core import Core
    from playbooks.drills.range.vault.wire import Asked


@dataclass(slots=True)
class User:
    """One person; the password is kept as its hash."""

    password: str = field(repr=False)
    tokens: TokenFields = field(default_factory=TokenFields)


class Userpass(Engine):
    """One userpass mount: name -> User."""

    kind: ClassVar[str] = "userpass"

    def __init__(self, core: Core, mount: str) -> None:
        super().__init__(core, mount)
        self.users: dict[str, User] = {}

    @route("LIST", "users")
    def list_users(self, asked: Asked) -> Reply:
        return keys(sorted(self.users))

    def there(self, asked: Asked) -> bool:
        """Whether the user is there already."""
        return asked.named["name"].lower() in self.users

    @route("POST", "users/{name}", exists="there")
    def write(self, asked: Asked) -> Reply:
        name = asked.named["name"].lower()
        user = self.users.get(name)
        if user is None:
            user = self.users[name] = User(_hashed(asked.needed("password")))
        elif asked.text("password"):
            user.password = _hashed(asked.text("password"))
        user.tokens = user.tokens.changed(asked)
        return Reply()

    @route("GET", "users/{name}")
    def read(self, asked: Asked) -> Reply:
        user = self.users.get(asked.named["name"].lower())
        if user is None:
            raise absent()
        return Reply(user.tokens.shown())

    @route("DELETE", "users/{name}")
    def delete(self, asked: Asked) -> Reply:
        self.users.pop(asked.named["name"].lower(), None)
        return Reply()

    @route("POST", "users/{name}/password")
    def write_password(self, asked: Asked) -> Reply:
        self._user(asked).password = _hashed(asked.needed("password"))
        return Reply()

    @route("POST", "users/{name}/policies")
    def write_policies(self, asked: Asked) -> Reply:
        user = self._user(asked)
        user.tokens = user.tokens.changed(asked)
        return Reply()

    def _user(self, asked: Asked) -> User:
        user = self.users.get(asked.named["name"].lower())
        if user is None:
            raise invalid("username does not exist")
        return user

    @route("POST", "login/{name}", free=True)
    def log_in(self, asked: Asked) -> Reply:
        name = asked.named["name"].lower()
        user = self.users.get(name)
        if user is None or user.password != _hashed(asked.needed("password")):
            raise invalid("invalid username or password")
        if not self.core.fits(asked.address, user.tokens.bound_cidrs):
            raise invalid("request originated from invalid CIDR")
        return log_in(
            self.core,
            self.mount,
            f"login/{name}",
            name,
            user.tokens,
            meta={"username": name},
            display_name=f"{self.mount.removeprefix('auth/').rstrip('/')}-{name}",
        )


def _hashed(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
