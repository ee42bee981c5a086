"""What in a Vault is Stanch's own: every action asks, so that none takes it away."""

from dataclasses import dataclass

from actions.errors import UnfitError
from actions.vault.clients import Vault


@dataclass(frozen=True, slots=True)
class Own:
    """The token that Stanch acts with, as auth/token/lookup-self tells of it.

    `path` is where it was given out, such as auth/stanch/login; `role` the role or user that
    logged in there, or empty (Vault API docs, "Token auth method", "Lookup a token (Self)").
    """

    vault: str
    accessor: str
    entity: str
    policies: frozenset[str]
    path: str
    role: str

    @property
    def mount(self) -> str:
        """Return the auth mount it came from, such as auth/stanch."""
        mount, login, _ = self.path.rpartition("/login")
        return mount if login else "auth/token"

    def spare_prefix(self, prefix: str) -> None:
        """Raise UnfitError if revoking all under the prefix would revoke this token."""
        folder = prefix.strip("/")
        if not folder or f"{self.path}/".startswith(f"{folder}/"):
            self._refuse(f"all under {prefix!r}")

    def spare_token(self, accessor: str) -> None:
        """Raise UnfitError if the accessor is this token's."""
        if accessor == self.accessor:
            self._refuse(f"the token with accessor {accessor}")

    def spare_entity(self, entity: str) -> None:
        """Raise UnfitError if the entity is this token's."""
        if entity and entity == self.entity:
            self._refuse(f"entity {entity}")

    def spare_policy(self, name: str) -> None:
        """Raise UnfitError if this token lives by the policy."""
        if name in self.policies:
            self._refuse(f"policy {name}")

    def spare_mount(self, mount: str) -> None:
        """Raise UnfitError if the auth mount, such as auth/approle, holds this token's login."""
        if mount.strip("/") in (self.mount, "auth/token"):
            self._refuse(f"auth mount {mount}")

    def spare_login(self, mount: str, role: str) -> None:
        """Raise UnfitError if this token's login is, or may be, by this role of the mount."""
        if mount.strip("/") == self.mount and role in ("", self.role):
            self._refuse(f"role {role or '(any)'} of {mount}")

    def _refuse(self, what: str) -> None:
        raise UnfitError(
            f"{what} of Vault {self.vault} covers Stanch itself, which would be locked out in the "
            "middle of its work. Give Stanch a mount, role and policy of its own, or do this one "
            "by hand."
        )


def own(p: Vault) -> Own:
    """Return what is Stanch's own in this Vault, read anew."""
    data = p.client.auth.token.lookup_self()["data"]
    meta = data.get("meta") or {}
    return Own(
        p.name,
        data["accessor"],
        data.get("entity_id") or "",
        frozenset([*data["policies"], *(data.get("identity_policies") or ())]),
        data["path"],
        meta.get("role_name") or meta.get("username") or "",
    )
