"""Tokens, and the tree that they form (docs/concepts/tokens)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.vault.durations import stamp

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Token:
    """One token. Times are epoch seconds, durations seconds; `ttl` 0 never ends.

    A batch token has no accessor and no lease. `uses` counts down from `num_uses`; 0 is no limit.
    """

    id: str = field(repr=False)
    accessor: str
    policies: tuple[str, ...]
    path: str
    issued: float
    ttl: int = 0
    batch: bool = False
    parent: str = field(default="", repr=False)
    display_name: str = "token"
    meta: dict[str, str] = field(default_factory=dict)
    renewable: bool = True
    period: int = 0
    explicit_max_ttl: int = 0
    max_ttl: int = 0
    num_uses: int = 0
    uses: int = 0
    entity_id: str = ""
    bound_cidrs: tuple[str, ...] = ()
    renewed: float | None = None
    expires: float | None = None
    role: str = ""

    @property
    def orphan(self) -> bool:
        """Whether no other token's end is its end."""
        return not self.parent

    @property
    def root(self) -> bool:
        """Whether it may do anything."""
        return "root" in self.policies

    def left(self, now: float) -> int:
        """Whole seconds that it has left; 0 when it has no end."""
        return 0 if self.expires is None else max(0, int(self.expires - now))

    def looked_up(self, now: float) -> dict[str, Any]:
        """The data of auth/token/lookup, without `id` and `identity_policies`."""
        data: dict[str, Any] = {
            "accessor": self.accessor,
            "creation_time": int(self.issued),
            "creation_ttl": self.ttl,
            "display_name": self.display_name,
            "entity_id": self.entity_id,
            "expire_time": None if self.expires is None else stamp(self.expires),
            "explicit_max_ttl": self.explicit_max_ttl,
            "issue_time": stamp(self.issued),
            "meta": self.meta or None,
            "num_uses": self.uses,
            "orphan": self.orphan,
            "path": self.path,
            "policies": list(self.policies),
            "renewable": self.renewable and self.expires is not None,
            "ttl": self.left(now),
            "type": "batch" if self.batch else "service",
        }
        if self.renewed is not None:
            data |= {"last_renewal": stamp(self.renewed), "last_renewal_time": int(self.renewed)}
        if self.period:
            data["period"] = self.period
        if self.bound_cidrs:
            data["bound_cidrs"] = list(self.bound_cidrs)
        if self.role:
            data["role"] = self.role
        return data

    def auth(self, now: float) -> dict[str, Any]:
        """The `auth` object of an answer that hands the token out."""
        return {
            "client_token": self.id,
            "accessor": self.accessor,
            "policies": list(self.policies),
            "token_policies": list(self.policies),
            "metadata": self.meta or None,
            "lease_duration": self.left(now),
            "renewable": self.renewable and self.expires is not None,
            "entity_id": self.entity_id,
            "token_type": "batch" if self.batch else "service",
            "orphan": self.orphan,
            "num_uses": self.num_uses,
        }


@dataclass(slots=True)
class Tokens:
    """All tokens, by id. Ids are secrets, so none of it is shown."""

    by_id: dict[str, Token] = field(default_factory=dict, repr=False)
    by_accessor: dict[str, str] = field(default_factory=dict, repr=False)
    children: dict[str, dict[str, None]] = field(default_factory=dict, repr=False)

    def add(self, token: Token) -> None:
        """Take in a new token."""
        self.by_id[token.id] = token
        if token.accessor:
            self.by_accessor[token.accessor] = token.id
        if token.parent:
            self.children.setdefault(token.parent, {})[token.id] = None

    def living(self, token_id: str, now: float) -> Token | None:
        """The token, unless it has ended."""
        token = self.by_id.get(token_id)
        if token is None or (token.expires is not None and token.expires <= now):
            return None
        return token

    def of_accessor(self, accessor: str, now: float) -> Token | None:
        """The living token of this accessor."""
        return self.living(self.by_accessor.get(accessor, ""), now)

    def tree(self, token: Token) -> Iterator[Token]:
        """The token's descendants, then itself."""
        for child in list(self.children.get(token.id, ())):
            if child in self.by_id:
                yield from self.tree(self.by_id[child])
        yield token

    def drop(self, token: Token) -> None:
        """Forget one token; its children stay, as orphans."""
        for child in self.children.pop(token.id, {}):
            self.by_id[child].parent = ""
        self.by_id.pop(token.id, None)
        self.by_accessor.pop(token.accessor, None)
        if token.parent:
            self.children.get(token.parent, {}).pop(token.id, None)
