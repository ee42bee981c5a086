"""Asks a Vault what it knows, read by read, and keeps each answer as it came.

An answer becomes part of an item: JSON with `call`, `parameters` and `pages`, as the answers of a
cloud provider do (ask.py). What is read by a POST (a lookup, a hash) is on a list of its own.
"""

import json
import re
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

import requests
from hvac import exceptions

from evidence.errors import SourceError
from evidence.sources.item import Item, Missed

JSON = "application/json"
VAULT = "vault"  # where an AWS source has its region

# What a POST only reads (Vault API docs: "Token auth method", "AppRole auth method", "/sys/leases",
# "/sys/audit-hash"), and the one GET that writes ("PKI secrets engine", "Rotate CRLs").
_READS = re.compile(
    r"auth/token/lookup-accessor|auth/.+/role/[^/]+/secret-id-accessor/lookup"
    r"|sys/leases/lookup|sys/audit-hash/.+"
)
_WRITES = re.compile(r".*/crl/rotate(-delta)?")
# What an answer holds that nobody may keep: the token that asks, and a root token in the making.
_SECRET = {"auth/token/": ("id",), "sys/generate-root": ("otp", "encoded_token")}
WITHHELD = "(withheld)"


class Vaults(Protocol):
    """What a Vault's source reads through: one hvac client, logged in; hvac has no types."""

    @property
    def client(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Read:
    """One request: GET, LIST or POST of an API path without /v1/. `body` is never kept."""

    method: str
    path: str
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def call(self) -> str:
        """Return the call as it is named in evidence."""
        return f"{VAULT}.{self.method} {self.path}"


Found = Generator[Item | Missed, None, list[dict[str, Any]]]


def ask(client: Any, name: str, *reads: Read) -> Found:
    """Yield one item of all the answers, and a miss for each read that failed; return the answers.

    The item's parameters are the paths that were answered, one for each page.
    A list that is empty (404 without a complaint) is an answer too: {"keys": []}. Raises
    SourceError for a request that does not only read.
    """
    pages: list[dict[str, Any]] = []
    answered: list[str] = []
    for number, read in enumerate(reads):
        try:
            pages.append(_answer(client, read))
            answered.append(read.path)
        except (exceptions.VaultError, requests.RequestException) as error:
            at = name if len(reads) == 1 else f"{name}.{number}"
            yield Missed(at, read.call, type(error).__name__)
    if pages:
        yield item(name, reads[0].call, answered, pages)
    return pages


def item(name: str, call: str, parameters: Any, pages: Iterable[Any]) -> Item:
    """Return an item as `ask` makes them."""
    told = {"call": call, "parameters": parameters, "pages": list(pages)}
    text = json.dumps(told, sort_keys=True, indent=1, ensure_ascii=False)
    return Item(name, JSON, text.encode(errors="surrogatepass"), False, call)


def _answer(client: Any, read: Read) -> dict[str, Any]:
    posts = read.method == "POST" and not _READS.fullmatch(read.path)
    if posts or read.method not in ("GET", "LIST", "POST") or _WRITES.fullmatch(read.path):
        raise SourceError(f"{read.call} does not only read; a source may not call it")
    url, adapter = f"/v1/{quote(read.path)}", client.adapter
    if read.method == "POST":
        return _data(read.path, adapter.post(url, json=dict(read.body)))
    if read.method == "GET":
        return _data(read.path, adapter.get(url, params=dict(read.body)))
    try:
        return _data(read.path, adapter.list(url))
    except exceptions.InvalidPath as error:
        if error.errors:
            raise
        return {"keys": []}


def _data(path: str, answer: Any) -> dict[str, Any]:
    # A few answers, such as that of sys/generate-root, have no envelope.
    found = answer.get("data") if isinstance(answer, dict) else {}
    told = dict(found if found is not None else answer)
    secret = next((names for start, names in _SECRET.items() if path.startswith(start)), ())
    return told | {name: WITHHELD for name in secret if told.get(name)}
