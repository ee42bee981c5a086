"""requests to the simulated Vault without a socket: a transport adapter that answers in the same
thread."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import BaseAdapter

if TYPE_CHECKING:
    from collections.abc import Callable

    from playbooks.drills.range.vault.front import Answer


class _Transport(BaseAdapter):
    def __init__(self, handle: Callable[[dict[str, Any]], Answer], address: str) -> None:
        super().__init__()
        self._handle = handle
        self._address = address

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        answer = self._handle(environ_of(request, self._address))
        response = requests.Response()
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response.raw = BytesIO(answer.body)
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is open."""


def environ_of(request: requests.PreparedRequest, address: str) -> dict[str, Any]:
    """The WSGI environ of a prepared request (PEP 3333)."""
    url = urlsplit(request.url or "")
    body = request.body or b""
    raw = body.encode() if isinstance(body, str) else bytes(body)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method or "GET",
        "PATH_INFO": unquote(url.path).encode().decode("latin-1"),
        "QUERY_STRING": url.query,
        "CONTENT_LENGTH": str(len(raw)),
        "wsgi.input": BytesIO(raw),
        "REMOTE_ADDR": address,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value
        elif key != "CONTENT_LENGTH":
            environ[f"HTTP_{key}"] = value
    return environ


def session(handle: Callable[[dict[str, Any]], Answer], url: str, address: str) -> requests.Session:
    """A session whose requests to `url` are answered by `handle`, as if from `address`."""
    made = requests.Session()
    # Neither a proxy nor a .netrc of this machine has a say here.
    made.trust_env = False
    made.mount(url, _Transport(handle, address))
    return made
