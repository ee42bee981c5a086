"""Makes a Vault's rows: entities, logins of AppRole and userpass, policies, tokens that stay.

Tokens that a login gave out and that run out are not listed: their entity or login is. When
something in a Vault was last used, only its audit device knows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from actions.vault.token_search import tokens
from playbooks.case.store.reviews import ReviewRow
from playbooks.review import vault_policy
from playbooks.review.holding import digest
from playbooks.review.live import Live, same
from playbooks.review.row import Row
from playbooks.review.vault_policy import Paths

# What is read, for the policy of Stanch's own login: path -> capabilities.
READS: Mapping[str, tuple[str, ...]] = {
    "auth/token/accessors": ("list", "sudo"),
    "auth/token/lookup-accessor": ("update",),
    "identity/entity/id/": ("list",),
    "identity/entity/id/+": ("read",),
    "sys/policies/acl": ("list",),
    "sys/policies/acl/+": ("read",),
    "sys/auth": ("read",),
    "auth/{approle}/role/": ("list",),
    "auth/{approle}/role/+": ("read",),
    "auth/{userpass}/users/": ("list",),
    "auth/{userpass}/users/+": ("read",),
}
# Where each kind of auth method keeps its logins.
LOGINS = {"approle": "role", "userpass": "users"}
# Every token has the first, and only root the second.
BUILT_IN = ("default", "root")


class Reader(Protocol):
    """A Vault that is read: `actions.vault.clients.Vault`."""

    name: str

    @property
    def client(self) -> Any:
        """The hvac client."""
        ...

    def get(self, path: str) -> dict[str, Any] | None:
        """Return what stands at a path, or None."""
        ...

    def names(self, path: str) -> list[str]:
        """Return the keys of a LIST."""
        ...


@dataclass(frozen=True, slots=True)
class _Making:
    vault: Reader
    policies: Mapping[str, Paths]
    owner_tag: str

    def row(self, of: str, kind: str, held: list[str], state: Any, *more: str, **about: Any) -> Row:
        """Return a row; `more` are flags beyond those of the policies that are held."""
        granted = [self.policies[p] for p in held if p in self.policies]
        flags = ("admin",) if "root" in held else vault_policy.flags(granted)
        owner = str((about.pop("metadata", None) or {}).get(self.owner_tag, ""))
        return Row(
            f"{self.vault.name}/vault/{of}",
            f"{kind}/{','.join(sorted(held))}" if kind != "acl" else "acl",
            owner,
            None,
            (*flags, *more),
            digest({"state": state, "held": sorted(held)}),
            about,
        )


def vault_rows(vault: Any, owner_tag: str) -> Iterator[Row]:
    """Yield the rows of a Vault. Raises what hvac raises."""
    reader: Reader = vault
    texts = {
        name: str((reader.get(f"sys/policies/acl/{name}") or {}).get("policy", ""))
        for name in reader.names("sys/policies/acl")
        if name not in BUILT_IN
    }
    making = _Making(reader, {n: vault_policy.paths(t) for n, t in texts.items()}, owner_tag)
    for name, text in texts.items():
        row = making.row(f"policy/{name}", "acl", [name], text)
        yield row
    yield from _entities(making)
    for mount, told in sorted((reader.get("sys/auth") or {}).items()):
        if isinstance(told, dict) and told.get("type") in LOGINS:
            yield from _logins(making, mount.strip("/"), told["type"])
    for token in tokens(vault):
        if (why := _stays(token)) is not None:
            yield _token(making, token, why)


def live_vault(vault: Any, rows: list[ReviewRow], owner_tag: str) -> Live:
    """Return which rows are stale: all is listed anew, for a Vault is small against an account."""
    now = {row.id: row for row in vault_rows(vault, owner_tag)} if rows else {}
    return Live({}, {row.id: why for row in rows if (why := same(row, now))}, {})


def _entities(making: _Making) -> Iterator[Row]:
    for id in making.vault.names("identity/entity/id"):
        found = making.vault.get(f"identity/entity/id/{id}")
        if found is None:
            continue
        aliases = sorted(a["name"] for a in found.get("aliases") or ())
        state = {
            "disabled": bool(found.get("disabled")),
            "aliases": aliases,
            "groups": sorted(found.get("group_ids") or ()),
        }
        more = ("disabled",) if found.get("disabled") else ()
        held = list(found.get("policies") or ())
        about = {"name": found.get("name", ""), "metadata": found.get("metadata")}
        yield making.row(f"entity/{id}", "entity", held, state, *more, **about)


def _logins(making: _Making, mount: str, kind: str) -> Iterator[Row]:
    folder = f"auth/{mount}/{LOGINS[kind]}"
    for name in making.vault.names(folder):
        found = making.vault.get(f"{folder}/{name}")
        if found is None:
            continue
        held = list(found.get("token_policies") or found.get("policies") or ())
        about = {"mount": mount, "method": kind, "name": name if kind == "userpass" else ""}
        yield making.row(f"auth/{mount}/{name}", "login", held, found, **about)


def _stays(token: Mapping[str, Any]) -> str | None:
    """Return why a token is one to decide on; None for one that a login gave, and that runs out."""
    if token.get("period"):
        return "is renewed without end"
    if not token.get("ttl") and not token.get("expire_time"):
        return "never runs out"
    return "" if str(token.get("path", "")).startswith("auth/token/") else None


def _token(making: _Making, token: Mapping[str, Any], why: str) -> Row:
    held = list(token.get("policies") or ())
    more = [why] if why else []
    more += ["orphan"] if token.get("orphan") else []
    state = {"made": token.get("creation_time"), "path": token.get("path")}
    about = {"name": token.get("display_name", ""), "metadata": token.get("meta")}
    return making.row(f"token/{token['accessor']}", "token", held, state, *more, **about)
