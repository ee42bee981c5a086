"""The leases under a prefix, as Vault lists them folder by folder."""

from collections.abc import Iterator

from actions.vault.clients import Vault
from actions.vault.policy import may

# Vault API docs, "/sys/leases": "List leases", "Leases list"; both need sudo.
LISTING = (
    *may("sys/leases/lookup/*", "list", "sudo"),
    *may("sys/leases", "read", "sudo"),
)


def leases_under(p: Vault, prefix: str) -> list[str]:
    """Return the id of every lease under a prefix such as database/creds/web, sorted."""
    return sorted(_walk(p, f"{prefix.strip('/')}/".removeprefix("/")))


def irrevocable(p: Vault) -> set[str]:
    """Return the id of every lease that Vault has given up on, of the whole Vault."""
    answer = p.client.adapter.get("/v1/sys/leases", params={"type": "irrevocable", "limit": "none"})
    return {lease["lease_id"] for lease in answer["data"]["leases"] or ()}


def _walk(p: Vault, folder: str) -> Iterator[str]:
    for name in p.names(f"sys/leases/lookup/{folder}"):
        if name.endswith("/"):
            yield from _walk(p, folder + name)
        else:
            yield folder + name
