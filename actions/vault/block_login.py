"""Let nobody log in by one AppRole role or user, and leave all that it has as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Lens, Takes
from actions.errors import TargetGoneError, UnfitError
from actions.journal import Json, State
from actions.vault.clients import Vault
from actions.vault.own import own
from actions.vault.policy import may

# An address that no host has: RFC 5737, "IPv4 Address Blocks Reserved for Documentation".
NOWHERE = ["192.0.2.0/24"]

# Where each kind of auth method keeps one login, and what of it binds to addresses. The first
# of a kind stops the login; token_bound_cidrs makes a token that comes of it worthless as well.
# Vault API docs, "AppRole auth method" and "Userpass auth method" (Create/Update).
KEPT = {
    "approle": ("role", ("secret_id_bound_cidrs", "token_bound_cidrs")),
    "userpass": ("users", ("token_bound_cidrs",)),
}


@dataclass(frozen=True)
class BlockLogin(Lens[Vault]):
    """Bind a role's or user's logins to addresses that nobody has.

    State: for `approle`, `secret_id_bound_cidrs` and `token_bound_cidrs`, for `userpass` the
    latter; each a list of CIDR blocks, empty for no bound. No secret id, role id or password is
    touched, so the way back is exact. Tokens that were given out go on: revoke_tokens. Secret ids
    can be issued meanwhile. `kind` is the auth method's type, `mount` its path without auth/.
    """

    vault: str
    mount: str
    name: str
    kind: str = "approle"

    takes: ClassVar[Takes] = "access"
    permissions: ClassVar = (
        *may("auth/token/lookup-self", "read"),
        *may("auth/{approle}/role/+", "read", "update"),
        *may("auth/{userpass}/users/+", "read", "update"),
    )

    @property
    def target(self) -> str:
        return f"{self.vault}/vault/auth/{self.mount}/{self.name}"

    @property
    def path(self) -> str:
        """Return the API path of the role or user. Raise UnfitError for another kind of login."""
        if self.kind not in KEPT:
            raise UnfitError(
                f"logins by {self.kind} cannot be blocked one by one; expected one of "
                f"{', '.join(KEPT)}. Disable the entity (disable_entity), or in the last resort "
                "the whole auth mount (disable_auth_mount)."
            )
        return f"auth/{self.mount}/{KEPT[self.kind][0]}/{self.name}"

    def read(self, p: Vault) -> Mapping[str, Json]:
        found = p.get(self.path)
        if found is None:
            raise TargetGoneError(f"{self.path} of Vault {self.vault} does not exist (any more).")
        return {key: list(found.get(key) or ()) for key in KEPT[self.kind][1]}

    def wanted(self, before: State) -> State:
        return dict.fromkeys(before, NOWHERE)

    def write(self, p: Vault, key: str, value: Json) -> None:
        # hvac would send the list as text, and a user's password along with it.
        p.post(self.path, {key: value})

    def same(self, key: str, one: Json, other: Json) -> bool:
        return _blocks(one) == _blocks(other)

    def foresee(self, p: Vault, before: State) -> Foreseen:
        own(p).spare_login(f"auth/{self.mount}", self.name)
        return Foreseen((f"nothing can log in as {self.name} of auth/{self.mount}",))


def _blocks(cidrs: Json) -> set[str]:
    """Return the blocks without /32 and /128, which Vault leaves out when it tells of them."""
    return {str(c).removesuffix("/32").removesuffix("/128") for c in cidrs or ()}
