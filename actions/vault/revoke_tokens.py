"""End tokens, with their children and their leases."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from actions.action import Foreseen
from actions.errors import NothingToDoError, UnfitError
from actions.journal import State
from actions.one_way import OneWay, Result, Underway
from actions.vault.clients import Vault
from actions.vault.own import own
from actions.vault.policy import may
from actions.vault.token_search import SEARCHING, accessors, left_behind, tokens


@dataclass(frozen=True)
class RevokeTokens(OneWay[Vault]):
    """Revoke the tokens of these accessors; or all that came of a mount, one role, an entity.

    With `mount` (without auth/) all that logged in there, with `role` those of one role or user
    only; with `entity` those of an identity, orphans too. The result is {"orphans": [accessor,
    ...]}: tokens that were made by another one and outlive it; whether one of these made them
    Vault does not tell, so a person looks at each. Children and leases go with a token, leases a
    little later. Batch tokens have no accessor, cannot be revoked, and run out (Vault API docs,
    "Token auth method", "Revoke a token accessor").
    """

    vault: str
    accessors: tuple[str, ...] = ()
    mount: str = ""
    role: str = ""
    entity: str = ""

    part: ClassVar[int] = 100
    permissions: ClassVar = (
        *may("auth/token/lookup-self", "read"),
        *may("auth/token/revoke-accessor", "update"),
        *SEARCHING,
    )

    @property
    def target(self) -> str:
        named = [_short(self.accessors)] if self.accessors else []
        named += [f"auth/{self.mount}/{self.role}".rstrip("/")] if self.mount else []
        named += [f"entity/{self.entity}"] if self.entity else []
        return f"{self.vault}/vault/tokens/{'+'.join(named)}"

    def facts(self, p: Vault) -> Result:
        return {"tokens": self._living(p)}

    def foresee(self, p: Vault, before: State) -> Foreseen:
        if not (self.accessors or self.mount or self.entity):
            raise UnfitError("no token is named: give accessors, a mount or an entity.")
        self._spare(p)
        if not before["tokens"]:
            raise NothingToDoError(f"none of these tokens lives in Vault {self.vault}.")
        return Foreseen(
            blast=(f"{len(before['tokens'])} tokens end, with their children and leases",),
            lost=(
                "the sessions of all who hold one; they have to log in again",
                "batch tokens are not reached: they have no accessor, and run out",
            ),
        )

    def do(self, p: Vault, mark: str, approval: str | None) -> None:
        self._spare(p)
        for accessor in self._living(p)[: self.part]:
            p.client.auth.token.revoke_accessor(accessor)

    def find(self, p: Vault, mark: str) -> Result | Underway:
        if left := self._living(p):
            return Underway(len(left))
        mine = own(p).accessor
        made = [t["accessor"] for t in tokens(p) if left_behind(t)]
        return {"orphans": sorted(a for a in made if a != mine)}

    def _living(self, p: Vault) -> list[str]:
        there = set(accessors(p)) & set(self.accessors)
        if self.mount or self.entity:
            there |= set(self._matching(tokens(p)))
        return sorted(there)

    def _matching(self, found: Iterable[dict[str, Any]]) -> Iterable[str]:
        for token in found:
            meta = token.get("meta") or {}
            roles = (meta.get("role_name"), meta.get("username"), token.get("role"))
            came = bool(self.mount) and f"{token['path']}/".startswith(f"auth/{self.mount}/")
            if came and self.role in ("", *roles):
                yield token["accessor"]
            elif self.entity and token.get("entity_id") == self.entity:
                yield token["accessor"]

    def _spare(self, p: Vault) -> None:
        ours = own(p)
        for accessor in self.accessors:
            ours.spare_token(accessor)
        if self.mount:
            ours.spare_login(f"auth/{self.mount}", self.role)
        ours.spare_entity(self.entity)


def _short(accessors: tuple[str, ...]) -> str:
    """Return the one accessor, or a name of fixed length for many."""
    if len(accessors) == 1:
        return accessors[0]
    return hashlib.sha256("\n".join(accessors).encode()).hexdigest()[:16]
