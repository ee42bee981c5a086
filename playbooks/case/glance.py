"""One look at the world while an act is planned: what was asked once is not asked again."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from actions.aws.clients import Aws
from actions.vault.clients import Vault

READS = ("describe_", "get_", "list_")


def glance(provider: Aws | Vault) -> Aws | Vault:
    """Return the provider with answers remembered as long as it lives: for one plan, no longer.

    The plan, what it foresees and the guard all look at the host, within a second. What is read to
    verify, or after anything was written, is asked anew through another provider. A Vault is
    small, and asked each time.
    """
    if isinstance(provider, Vault):
        return provider
    return Aws(
        provider.account,
        provider.region,
        lambda service: _Client(provider.service(service)),
        provider.partition,
        provider.vault,
        provider.logins,
    )


class _Client:
    """A boto3 client whose reads are remembered; whatever else is asked of it goes through."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._known: dict[str, Any] = {}
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name == "get_paginator":
            return lambda operation: _Paginator(self, operation, found(operation))
        if not name.startswith(READS):
            return found
        return lambda **asked: self.once(name, asked, lambda: found(**asked))

    def once(self, name: str, asked: Any, ask: Callable[[], Any]) -> Any:
        """Return the answer to this question, asking where it was not yet; errors are not kept."""
        key = f"{name} {json.dumps(asked, sort_keys=True)}"
        with self._lock:
            if key not in self._known:
                self._known[key] = ask()
            return self._known[key]


class _Paginator:
    def __init__(self, client: _Client, name: str, under: Any) -> None:
        self._client = client
        self._name = name
        self._under = under

    def paginate(self, **asked: Any) -> Iterator[Any]:
        pages: Iterable[Any] = self._client.once(
            f"pages of {self._name}", asked, lambda: list(self._under.paginate(**asked))
        )
        return iter(pages)
