"""One Vault, as actions see it: an hvac client made lazily by whoever was passed in."""

from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import requests
from hvac import exceptions

from actions.errors import ProviderError

# Codes that mean "not now": 412 is a node that lags behind, 429 a limit, 5xx a server that is
# sealed, in standby or short of something (Vault API docs, "HTTP status codes").
PASSING = frozenset({412, 429, 500, 502, 503, 504})


class Vault:
    """Bound to one Vault. `make()` returns an hvac client that is logged in."""

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        self.name = name
        self._make = make

    @cached_property
    def client(self) -> Any:
        """The hvac client; hvac has no types."""
        return self._make()

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


def _of_vault(error: exceptions.VaultError) -> ProviderError:
    status = STATUS.get(type(error), 0)
    said = "; ".join(map(str, error.errors or ())) or type(error).__name__
    # The path names mounts and ids, never a secret; the query is left out.
    path = f"{error.method or 'call'} {urlsplit(error.url or '').path}".strip()
    return ProviderError(
        path,
        str(status or type(error).__name__),
        said,
        passing=status in PASSING,
        refused=0 < status < 500,
    )
