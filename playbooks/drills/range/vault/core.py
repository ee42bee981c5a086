"""The state of one Vault, and what all of its engines share."""

from __future__ import annotations

import heapq
import string
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any
from uuid import UUID

from playbooks.drills.range.vault import acl, hcl
from playbooks.drills.range.vault.database_server import DatabaseServer
from playbooks.drills.range.vault.iam import Bucket, Iam, OwnIam
from playbooks.drills.range.vault.identity_store import Alias, Entity, Identity
from playbooks.drills.range.vault.leases import Lease, Leases
from playbooks.drills.range.vault.mounts import DEFAULT_TTL, Mount
from playbooks.drills.range.vault.seal import Seal, new_seal
from playbooks.drills.range.vault.token import Token, Tokens

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable

    from playbooks.drills.range.vault.audit import Device
    from playbooks.drills.range.vault.routes import Engine

DAY = 24 * 3600.0
BASE62 = string.ascii_letters + string.digits
# Short of what a fresh Vault writes, but the same in what containment leans on.
DEFAULT_POLICY = "\n".join(
    f'path "{path}" {{ capabilities = ["{capability}"] }}'
    for path, capability in (
        ("auth/token/lookup-self", "read"),
        ("auth/token/renew-self", "update"),
        ("auth/token/revoke-self", "update"),
        ("sys/capabilities-self", "update"),
        ("sys/leases/lookup", "update"),
        ("sys/leases/renew", "update"),
        ("sys/renew", "update"),
    )
)


@dataclass(slots=True)
class Core:
    """Everything that is true in this Vault. `now` is its time, `revocation_delay` how long the
    queue takes to come to a revocation, both in seconds."""

    rng: random.Random = field(repr=False)
    now: float
    revocation_delay: float = 1.0
    tokens: Tokens = field(default_factory=Tokens)
    policies: dict[str, str] = field(default_factory=lambda: {"default": DEFAULT_POLICY})
    mounts: dict[str, Mount] = field(default_factory=dict)
    identity: Identity = field(default_factory=Identity)
    leases: Leases = field(init=False)
    parsed: dict[str, hcl.Rules] = field(default_factory=dict)
    chores: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    databases: dict[str, DatabaseServer] = field(default_factory=dict)
    iam: Iam = field(init=False)
    iam_bucket: Bucket | None = None
    sts_leases: bool = False
    audits: dict[str, Device] = field(default_factory=dict)
    seal: Seal = field(init=False)
    cluster_id: str = ""

    def __post_init__(self) -> None:
        self.seal = new_seal(self.rng)
        self.cluster_id = self.uuid()
        self.leases = Leases(self._end)
        self.iam = OwnIam(self.rng)
        self.later(self.now + DAY, self._daily)

    def name(self, length: int = 24) -> str:
        """A random name of letters and digits."""
        return "".join(self.rng.choices(BASE62, k=length))

    def uuid(self) -> str:
        """A random UUID."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def mount(self, path: str, kind: str, parts: Iterable[type[Engine]], **more: Any) -> Mount:
        """Mount engines at a path that ends in a slash."""
        accessor = f"{'auth_' if path.startswith('auth/') else ''}{kind}_{self.name(8).lower()}"
        engines = tuple(part(self, path) for part in parts)
        made = Mount(path, kind, accessor, self.uuid(), engines, **more)
        self.mounts[path] = made
        return made

    def mount_of(self, path: str) -> Mount | None:
        """The mount that a request path lies under."""
        fitting = [m for m in self.mounts if (path + "/").startswith(m)]
        return self.mounts[max(fitting, key=len)] if fitting else None

    def ttls(self, mount: Mount) -> tuple[int, int]:
        """The default and the highest TTL of a mount, in seconds."""
        return mount.default_ttl or DEFAULT_TTL, mount.max_ttl or DEFAULT_TTL

    def unmount(self, path: str) -> None:
        """Take a mount away, with all that it gave out; raises BackendError when it cannot."""
        for lease in self.leases.under(path):
            if lease.id in self.leases.by_id:
                self.leases.revoke(lease)
        del self.mounts[path]

    def pass_until(self, now: float) -> None:
        """Let time pass, with what the queue does meanwhile, each thing at its own time.

        While Vault is sealed nothing is done, and all of it afterwards.
        """
        while not self.seal.sealed:
            due = self.leases.next_due()
            chore = self.chores[0][0] if self.chores else None
            first = min((t for t in (due, chore) if t is not None), default=None)
            if first is None or first > now:
                break
            self.now = max(self.now, first)
            if first == due:
                self.leases.run()
            else:
                heapq.heappop(self.chores)[2]()
        self.now = max(self.now, now)

    def later(self, at: float, do: Callable[[], None]) -> None:
        """Do something once it is `at` (epoch seconds)."""
        # The number keeps two of one time in order, and their functions from being compared.
        heapq.heappush(self.chores, (at, self.rng.getrandbits(64), do))

    def _daily(self) -> None:
        self.leases.try_irrevocable(self.now)
        self.later(self.now + DAY, self._daily)

    # What the engines talk to.

    def database(self, url: str, name: str, password: str) -> DatabaseServer:
        """A connection to the database at `url`; raises BackendError.

        The first to come to a URL finds a database with just that account.
        """
        server = self.databases.setdefault(url, DatabaseServer({name: password}))
        server.connect(name, password)
        return server

    def take_call(self) -> None:
        """Count one request to AWS; raises BackendError when it throttles this one."""
        if self.iam_bucket is not None:
            self.iam_bucket.take(self.now)

    # Tokens.

    def rules(self, token: Token) -> list[hcl.Rules]:
        """The rules of the token's policies, its entity's included; unknown names have none."""
        names = dict.fromkeys([*token.policies, *self.identity_policies(token)])
        return [self._parsed(name) for name in names if name in self.policies]

    def _parsed(self, name: str) -> hcl.Rules:
        text = self.policies[name]
        if text not in self.parsed:
            self.parsed[text] = hcl.rules(text)
        return self.parsed[text]

    def identity_policies(self, token: Token) -> list[str]:
        """The policies that a token has by its entity and groups."""
        return self.identity.policies(token.entity_id)

    def entity(self, name: str) -> Entity:
        """A new entity; without a name it gets one, as Vault gives it."""
        number = self.uuid()
        made = Entity(number, name or f"entity_{number[:8]}", self.now, self.now)
        self.identity.entities[number] = made
        return made

    def entity_of(self, alias: str, mount: Mount, metadata: dict[str, str]) -> str:
        """The id of the entity behind an alias of a mount; made if there is none yet."""
        found = self.identity.alias(alias, mount.accessor)
        if found is None:
            entity = self.entity("")
            found = Alias(self.uuid(), alias, mount.accessor, entity.id, self.now, self.now)
            self.identity.aliases[found.id] = found
        found.metadata = metadata
        return found.entity

    def capabilities(self, token: Token, path: str) -> frozenset[str]:
        """What a token may do with a path."""
        if token.root:
            return frozenset({"root"})
        return acl.capabilities(self.rules(token), path)

    def is_sudo(self, token: Token, path: str) -> bool:
        """Whether it is root or has the sudo capability there."""
        return bool(self.capabilities(token, path) & {"root", "sudo"})

    def issue(self, path: str, policies: Iterable[str], **more: Any) -> Token:
        """A new token for a path such as auth/approle/login; keywords as Token has them.

        `ttl` 0 means the mount's default, except for a root token.
        """
        batch = bool(more.get("batch"))
        token = Token(
            ("hvb." if batch else "hvs.") + self.name(),
            "" if batch else self.name(),
            tuple(sorted(set(policies))),
            path,
            self.now,
            **more,
        )
        mount = self.mount_of(path)
        limit = (mount.max_ttl if mount else 0) or DEFAULT_TTL
        if not token.ttl and not token.root:
            token.ttl = token.period or (mount.default_ttl if mount else 0) or DEFAULT_TTL
        if token.ttl and not token.period:
            caps = [limit, token.max_ttl, token.explicit_max_ttl]
            token.ttl = min([token.ttl, *(c for c in caps if c)])
            token.max_ttl = min(c for c in caps if c)
        elif token.ttl and token.explicit_max_ttl:
            token.ttl = min(token.ttl, token.explicit_max_ttl)
        token.uses = token.num_uses
        token.expires = self.now + token.ttl if token.ttl else None
        self.tokens.add(token)
        if token.expires is not None and not batch:
            self._lease_token(token)
        return token

    def _lease_token(self, token: Token) -> None:
        # A token's lease has a salted hash for a name: nobody can use it as the token.
        name = f"{token.path}/h{self.rng.getrandbits(256):064x}"
        assert token.expires is not None  # noqa: S101
        self.leases.add(
            Lease(
                name,
                token.path,
                "auth/token/",
                token.id,
                token.issued,
                token.ttl,
                token.max_ttl,
                token.renewable,
                of_token=True,
                expires=token.expires,
            )
        )

    def revoke_token(self, token: Token, *, orphans: bool = False) -> None:
        """End a token and its descendants (or leave these as orphans); their leases are queued."""
        for one in [token] if orphans else list(self.tokens.tree(token)):
            for lease in self.leases.of(one.id):
                if lease.of_token:
                    self.leases.drop(lease)
                else:
                    self.leases.queue(lease, self.now, self.now + self.revocation_delay)
            self.tokens.drop(one)

    def fits(self, address: str, cidrs: Iterable[str]) -> bool:
        """Whether an address is within one of the blocks; no blocks fit any."""
        blocks = list(cidrs)
        return not blocks or any(
            ip_address(address) in ip_network(block, strict=False) for block in blocks
        )

    # Leases.

    def lease(
        self, token: Token, mount: str, path: str, ttl: int, max_ttl: int, data: dict[str, Any]
    ) -> Lease:
        """A new lease of a token's for what the engine at `mount` gave out at `path`."""
        own = self.mounts[mount]
        limit = min(t for t in (max_ttl, own.max_ttl, DEFAULT_TTL) if t)
        ttl = min(ttl or own.default_ttl or DEFAULT_TTL, limit)
        if token.batch:
            ttl = min(ttl, token.left(self.now))
        made = Lease(
            f"{path}/{self.name()}",
            path,
            mount,
            token.id,
            self.now,
            ttl,
            limit,
            data=data,
            expires=self.now + ttl,
        )
        self.leases.add(made)
        return made

    def _end(self, lease: Lease) -> None:
        """What revoking a lease means: its token dies, or its engine takes back what it gave."""
        if lease.of_token:
            token = self.tokens.by_id.get(lease.token)
            if token is not None:
                self.revoke_token(token)
            return
        for part in self.mounts[lease.mount].parts:
            part.take_back(lease)
