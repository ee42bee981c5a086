"""What a Vault knows of who gets in, what they may, and what they hold; and who watches."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from evidence.sources.item import Item, Missed
from evidence.sources.vault_ask import VAULT, Found, Read, Vaults, ask, item


@dataclass(frozen=True, slots=True)
class VaultFacts:
    """Auth methods, policies, entities, groups, roles, users, tokens, leases, audit devices.

    `account` is the Vault's name. No answer holds a token, secret id or secret: each is known by
    its accessor or its name. Costs a request for each token and each secret id; batch tokens have
    no accessor, and are not seen. `paths` says what it reads: API path -> capabilities.
    """

    account: str
    region: str = VAULT

    name: ClassVar[str] = "vault_facts"
    permissions: ClassVar[tuple[str, ...]] = ()  # of AWS: none
    paths: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "auth/token/lookup-self": ("read",),
        "sys/auth": ("read",),
        "sys/mounts": ("read",),
        "sys/mounts/auth/*": ("read",),
        "sys/policies/acl/": ("list",),
        "sys/policies/acl/+": ("read",),
        "identity/entity/id/": ("list",),
        "identity/entity/id/+": ("read",),
        "identity/entity-alias/id/": ("list",),
        "identity/group/id/": ("list",),
        "identity/group/id/+": ("read",),
        "auth/token/roles/": ("list",),
        "auth/token/roles/+": ("read",),
        "auth/{approle}/role/": ("list",),
        "auth/{approle}/role/+": ("read",),
        "auth/{approle}/role/+/secret-id/": ("list",),
        "auth/{approle}/role/+/secret-id-accessor/lookup": ("update",),
        "auth/{userpass}/users/": ("list",),
        "auth/{userpass}/users/+": ("read",),
        "auth/token/accessors": ("list", "sudo"),
        "auth/token/lookup-accessor": ("update",),
        "sys/leases/lookup/*": ("list", "sudo"),
        "sys/leases": ("read", "sudo"),
        "sys/audit": ("read", "sudo"),
    }

    def collect(self, clients: Vaults) -> Iterator[Item | Missed]:
        """Yield an item or a miss for each question; one that fails does not stop the others."""
        client = clients.client
        yield from ask(client, "vault.self", Read("GET", "auth/token/lookup-self"))
        yield from ask(client, "vault.audit", Read("GET", "sys/audit"))
        yield from ask(client, "vault.generate-root", Read("GET", "sys/generate-root/attempt"))
        methods = _mounts((yield from ask(client, "vault.auth", Read("GET", "sys/auth"))))
        engines = _mounts((yield from ask(client, "vault.mounts", Read("GET", "sys/mounts"))))
        tunes = [Read("GET", f"sys/mounts/auth/{mount}/tune") for mount in methods]
        yield from ask(client, "vault.auth-tune", *tunes)
        yield from _each(client, "vault.policies", "sys/policies/acl", without=("root",))
        yield from _each(client, "vault.entities", "identity/entity/id")
        yield from ask(client, "vault.aliases", Read("LIST", "identity/entity-alias/id"))
        yield from _each(client, "vault.groups", "identity/group/id")
        yield from _each(client, "vault.token.roles", "auth/token/roles")
        for mount, kind in methods.items():
            if kind == "approle":
                yield from _roles(client, mount)
            elif kind == "userpass":
                yield from _each(client, f"vault.{mount}.users", f"auth/{mount}/users")
        yield from tokens(client)
        yield from _leases(client, [*engines, *(f"auth/{m}" for m in methods)])
        given_up = Read("GET", "sys/leases", {"type": "irrevocable", "limit": "none"})
        yield from ask(client, "vault.leases-irrevocable", given_up)


def tokens(client: Any) -> Found:
    """Yield what is known of each service token, by its accessor."""
    listed = yield from ask(client, "vault.accessors", Read("LIST", "auth/token/accessors"))
    lookups = [
        Read("POST", "auth/token/lookup-accessor", {"accessor": accessor})
        for accessor in _keys(listed)
    ]
    return (yield from ask(client, "vault.tokens", *lookups))


def _each(client: Any, name: str, folder: str, without: tuple[str, ...] = ()) -> Found:
    listed = yield from ask(client, f"{name}-list", Read("LIST", folder))
    names = [key for key in _keys(listed) if key not in without]
    return (yield from ask(client, name, *(Read("GET", f"{folder}/{key}") for key in names)))


def _roles(client: Any, mount: str) -> Found:
    at = f"auth/{mount}/role"
    listed = yield from ask(client, f"vault.{mount}.role-list", Read("LIST", at))
    names = _keys(listed)
    yield from ask(client, f"vault.{mount}.roles", *(Read("GET", f"{at}/{n}") for n in names))
    for name in names:
        ids = yield from ask(
            client, f"vault.{mount}.{name}.accessors", Read("LIST", f"{at}/{name}/secret-id")
        )
        lookup = f"{at}/{name}/secret-id-accessor/lookup"
        reads = [Read("POST", lookup, {"secret_id_accessor": one}) for one in _keys(ids)]
        yield from ask(client, f"vault.{mount}.{name}.secret-ids", *reads)
    return listed


def _leases(client: Any, mounts: list[str]) -> Iterator[Item | Missed]:
    """Yield how many leases each path has; their ids are not worth keeping, and may be many."""
    counts: Counter[str] = Counter()
    todo = [f"{mount}/" for mount in mounts]
    while todo:
        folder = todo.pop()
        listed = Read("LIST", f"sys/leases/lookup/{folder}")
        keys = _keys((yield from _missed(ask(client, f"vault.leases.{folder}", listed))))
        todo += [folder + key for key in keys if key.endswith("/")]
        if own := sum(not key.endswith("/") for key in keys):
            counts[folder] += own
    yield item("vault.leases", f"{VAULT}.LIST sys/leases/lookup", mounts, [dict(counts)])


def _missed(found: Found) -> Found:
    """Yield the misses alone; return the answers."""
    while True:
        try:
            one = next(found)
        except StopIteration as end:
            return list(end.value)
        if isinstance(one, Missed):
            yield one


def _keys(pages: list[dict[str, Any]]) -> list[str]:
    return [key for page in pages for key in page["keys"]]


def _mounts(pages: list[dict[str, Any]]) -> dict[str, str]:
    """Return path without its last slash -> type."""
    return {
        path.rstrip("/"): told["type"]
        for page in pages
        for path, told in page.items()
        if path.endswith("/")
    }
