"""One Vault, as actions see it: an hvac client made lazily by whoever was passed in."""

import re
import secrets
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from hvac import exceptions

from actions.errors import ProviderError

# Codes that mean "not now": 412 is a node that lags behind, 429 a limit, 5xx a server that is
# sealed, in standby or short of something (Vault API docs, "HTTP status codes").
PASSING = frozenset({412, 429, 500, 502, 503, 504})

# Requests that a secret goes along with, and what Vault may be quoted with in answer to them.
CARRIES = re.compile(r"/data/|/(secret-id|role-id)(/|$)|/audit-hash/")
KNOWN = (
    "permission denied",
    "check-and-set parameter did not match the current version",
    "check-and-set parameter required for this call",
)


class Vault:
    """Bound to one Vault. `make()` returns an hvac client that is logged in.

    `chance(n)` returns a new secret as URL-safe text of n random bytes.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[], Any],
        chance: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self.name = name
        self.chance = chance
        self._make = make

    @cached_property
    def client(self) -> Any:
        """The hvac client; hvac has no types."""
        return self._make()

    def get(self, path: str) -> dict[str, Any] | None:
        """Read what hvac has no method for: return its data, or None where there is nothing."""
        try:
            return _data(self.client.adapter.get(f"/v1/{quote(path)}"))
        except exceptions.InvalidPath as error:
            if error.errors:  # a mount that is not there is complained of
                raise
            return None

    def names(self, path: str) -> list[str]:
        """Return the keys of a LIST; none where Vault answers 404 because there are none."""
        try:
            return list(_data(self.client.adapter.list(f"/v1/{quote(path)}"))["keys"])
        except exceptions.InvalidPath as error:
            if error.errors:
                raise
            return []

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Write where hvac has no method, or one that adds to or leaves out of the body."""
        return self.client.adapter.post(f"/v1/{quote(path)}", json=dict(body or {}))

    def translate(self, error: Exception) -> ProviderError | None:
        """Return an error of hvac or of the network as ours, or None when it is neither."""
        if isinstance(error, exceptions.VaultError):
            return _of_vault(error)
        if isinstance(error, requests.RequestException):
            # Its text may hold the URL, and that an accessor; the kind says enough.
            kind = type(error).__name__
            return ProviderError("call", kind, "Vault was not reached", passing=True, refused=False)
        return None


STATUS = {
    exceptions.InvalidRequest: 400,
    exceptions.Unauthorized: 401,
    exceptions.Forbidden: 403,
    exceptions.InvalidPath: 404,
    exceptions.UnsupportedOperation: 405,
    exceptions.PreconditionFailed: 412,
    exceptions.RateLimitExceeded: 429,
    exceptions.InternalServerError: 500,
    exceptions.VaultNotInitialized: 501,
    exceptions.BadGateway: 502,
    exceptions.VaultDown: 503,
}


def _data(answer: Any) -> dict[str, Any]:
    data = answer["data"] if "data" in answer else answer
    return dict(data)


def _of_vault(error: exceptions.VaultError) -> ProviderError:
    status = STATUS.get(type(error), 0)
    said = "; ".join(map(str, error.errors or ())) or type(error).__name__
    # The path names mounts and ids, never a secret; the query is left out.
    at = urlsplit(error.url or "").path
    path = f"{error.method or 'call'} {at}".strip()
    if CARRIES.search(at):
        said = "; ".join(k for k in KNOWN if k in said) or "not quoted: it may hold the secret"
    return ProviderError(
        path,
        str(status or type(error).__name__),
        said,
        passing=status in PASSING,
        refused=0 < status < 500,
    )
