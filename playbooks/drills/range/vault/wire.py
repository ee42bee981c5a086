"""A request as the Vault API gives it, and an answer as it is given (HTTP API, API operations)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from playbooks.drills.range.vault.durations import seconds
from playbooks.drills.range.vault.errors import RefusedError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.vault.token import Token

PREFIX = "/v1/"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `path` has neither /v1/ nor slashes at its ends; `named` is what the route
    took from it. PUT is POST, and GET with list=true is LIST, as the API has it."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any] = field(repr=False)
    token: str = field(default="", repr=False)
    address: str = "127.0.0.1"
    namespace: str = ""
    wrap_ttl: str = ""
    content_type: str = ""
    named: Mapping[str, str] = field(default_factory=dict)
    caller: Token | None = field(default=None, repr=False)
    request_id: str = ""

    def given(self, name: str) -> Any:
        """The parameter from the body or the query, or None."""
        return self.body.get(name, self.query.get(name))

    def text(self, name: str, otherwise: str = "") -> str:
        """A string parameter."""
        value = self.given(name)
        return otherwise if value is None else str(value)

    def needed(self, name: str) -> str:
        """A string parameter; raises RefusedError 400 when it is missing or empty."""
        value = self.named.get(name) or self.text(name)
        if not value:
            raise invalid(f"missing {name}")
        return value

    def texts(self, name: str, otherwise: list[str] | None = None) -> list[str]:
        """A list of strings, or one string with commas."""
        value = self.given(name)
        if value is None or value == "":
            return list(otherwise or [])
        if isinstance(value, str):
            return [part.strip() for part in value.split(",")]
        return [str(v) for v in value]

    def flag(self, name: str, otherwise: bool = False) -> bool:
        """A boolean, also as "true" or "false"."""
        value = self.given(name)
        if value is None or value == "":
            return otherwise
        return str(value).lower() in ("true", "1", "t")

    def number(self, name: str, otherwise: int = 0) -> int:
        """An integer; raises RefusedError 400 for what is none."""
        value = self.given(name)
        if value is None or value == "":
            return otherwise
        try:
            return int(value)
        except (TypeError, ValueError) as e:
            raise invalid(f"error converting input for field {name!r}, expected a number") from e

    def numbers(self, name: str) -> list[int]:
        """A list of integers; raises RefusedError 400 for what is none."""
        try:
            return [int(v) for v in self.texts(name)]
        except ValueError as e:
            raise invalid(f"error converting input for field {name!r}, expected numbers") from e

    def span(self, name: str, otherwise: int = 0) -> int:
        """A duration in seconds."""
        value = self.given(name)
        return otherwise if value is None else seconds(value)

    def mapping(self, name: str) -> dict[str, Any] | None:
        """An object, or None when it was not given; raises RefusedError 400 for anything else."""
        value = self.given(name)
        if value is not None and not isinstance(value, dict):
            raise invalid(f"error converting input for field {name!r}, expected an object")
        return value


@dataclass(slots=True)
class Reply:
    """One answer. With `bare` the body is `data` alone, and else the common envelope; a reply
    with nothing to say is 204. `raw` is a body that is not JSON."""

    data: dict[str, Any] | None = None
    status: int = 0
    auth: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)
    lease_id: str = ""
    lease_duration: int = 0
    renewable: bool = False
    bare: bool = False
    raw: bytes | None = None
    content_type: str = "application/json"

    def code(self) -> int:
        """The HTTP status."""
        said = self.data is not None or self.auth or self.warnings or self.raw is not None
        return self.status or (200 if said else 204)

    def body(self, request_id: str, on_top: bool) -> bytes:
        """The body's bytes; `on_top` repeats the data beside the envelope, as sys/ does."""
        if self.raw is not None:
            return self.raw
        if self.code() == 204:
            return b""
        if self.bare:
            return json.dumps(self.data).encode()
        whole = dict(self.data or {}) if on_top else {}
        whole |= {
            "request_id": request_id,
            "lease_id": self.lease_id,
            "renewable": self.renewable,
            "lease_duration": self.lease_duration,
            "data": self.data,
            "wrap_info": None,
            "warnings": self.warnings or None,
            "auth": self.auth,
        }
        return json.dumps(whole).encode()


def keys(names: Any) -> Reply:
    """The answer to LIST; 404 when there is nothing to list (HTTP status codes)."""
    found = list(names)
    if not found:
        raise RefusedError(404)
    return Reply({"keys": found})


def read(environ: Mapping[str, Any]) -> Asked:
    """The request in a WSGI environ; raises RefusedError for what no Vault would parse."""
    # WSGI gives the path's bytes as Latin-1 (PEP 3333).
    path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
    if not path.startswith(PREFIX):
        raise RefusedError(404, "404 page not found")
    query = {k: v[-1] for k, v in parse_qs(environ.get("QUERY_STRING", ""), True).items()}
    method = environ["REQUEST_METHOD"].upper()
    if method == "PUT":
        method = "POST"
    if method == "GET" and query.get("list") == "true":
        method = "LIST"
    bearer = environ.get("HTTP_AUTHORIZATION", "")
    token = bearer.removeprefix("Bearer ") if bearer.startswith("Bearer ") else ""
    return Asked(
        method,
        path.removeprefix(PREFIX).strip("/"),
        query,
        _body(environ),
        environ.get("HTTP_X_VAULT_TOKEN") or token,
        environ.get("REMOTE_ADDR", "127.0.0.1"),
        environ.get("HTTP_X_VAULT_NAMESPACE", "").strip("/"),
        environ.get("HTTP_X_VAULT_WRAP_TTL", ""),
        environ.get("CONTENT_TYPE", ""),
    )


def _body(environ: Mapping[str, Any]) -> dict[str, Any]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    raw = environ["wsgi.input"].read(length) if length else b""
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except ValueError as e:
        raise invalid("failed to parse JSON input") from e
    if not isinstance(body, dict):
        raise invalid("failed to parse JSON input, expected an object")
    return body
