"""Asks a provider one read-only question and keeps the answer as it came.

An answer becomes one item: JSON with `call`, `parameters` and `pages`, the responses verbatim but
for transport metadata; times are RFC 3339, bytes base64. Fields that hold secrets are cut
out of it and become sensitive items of their own.
"""

import base64
import json
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from evidence.errors import SourceError
from evidence.sources.item import Item, Missed

JSON = "application/json"

# Member names, in lower case, whose values may hold secrets: EC2 and launch template user data,
# Lambda's Environment, ECS's environment and secrets, CodeBuild's environmentVariables.
SENSITIVE = frozenset({"userdata", "environment", "environmentvariables"})

_READS = ("describe_", "get_", "list_", "lookup_")

Pages = list[dict[str, Any]]


class Client(Protocol):
    """What is used of a boto3 client."""

    def can_paginate(self, operation_name: str, /) -> bool: ...
    def get_paginator(self, operation_name: str, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class Question:
    """One call: `service.operation` with parameters, and the name its answer is kept under."""

    name: str
    service: str
    operation: str
    parameters: Mapping[str, Any]
    sensitive: frozenset[str] = frozenset()

    @property
    def call(self) -> str:
        """The call as boto3 names it."""
        return f"{self.service}.{self.operation}"


def ask(client: Client, question: Question) -> Generator[Item | Missed, None, Pages]:
    """Yield what came of a question, and return its pages: those before a failure, if it failed.

    Raises:
        SourceError: when the operation is not one that only reads.
    """
    pages: Pages = []
    missed: str | None = None
    try:
        pages.extend(answers(client, question))
    except (ClientError, BotoCoreError) as error:
        missed = code_of(error)
    if pages:
        yield from items_of(question, pages)
    if missed is not None:
        yield Missed(question.name, question.call, missed)
    return pages


def code_of(error: ClientError | BotoCoreError) -> str:
    """Return the provider's error code, or the kind of what went wrong on the way there."""
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return type(error).__name__


def answer(client: Client, question: Question) -> dict[str, Any]:
    """Return the response to one call, transport metadata included; what boto3 raises, passes.

    Raises:
        SourceError: when the operation is not one that only reads.
    """
    _refuse_writes(question)
    found: dict[str, Any] = getattr(client, question.operation)(**question.parameters)
    return found


def answers(client: Client, question: Question) -> Iterator[dict[str, Any]]:
    """Yield the pages of an answer, without transport metadata; raises as `answer` does."""
    _refuse_writes(question)
    operation = question.operation
    if client.can_paginate(operation):
        pages = client.get_paginator(operation).paginate(**question.parameters)
    else:
        pages = [answer(client, question)]
    for page in pages:
        yield {name: value for name, value in page.items() if name != "ResponseMetadata"}


def _refuse_writes(question: Question) -> None:
    if not question.operation.startswith(_READS):
        raise SourceError(f"{question.call} does not only read; a source may not call it")


def items_of(question: Question, pages: Pages) -> Iterator[Item]:
    """Yield the item that an answer becomes, and those with the secrets cut out of it."""
    secrets: list[tuple[str, Any]] = []
    kept = _redact(pages, question.sensitive | SENSITIVE, question.name, secrets)
    whole = {"call": question.call, "parameters": question.parameters, "pages": kept}
    yield Item(question.name, JSON, as_json(whole), False, question.call)
    for name, value in secrets:
        yield Item(name, JSON, as_json(value), True, question.call)


def _redact(value: Any, names: frozenset[str], owner: str, secrets: list[tuple[str, Any]]) -> Any:
    if isinstance(value, dict):
        return {
            name: _cut(name, item, owner, secrets)
            if item and str(name).lower() in names
            else _redact(item, names, owner, secrets)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_redact(item, names, owner, secrets) for item in value]
    return value


def _cut(name: str, value: Any, owner: str, secrets: list[tuple[str, Any]]) -> dict[str, str]:
    kept_as = f"{owner}.{name}.{len(secrets)}"
    secrets.append((kept_as, value))
    return {"redacted": kept_as}


def as_json(value: Any) -> bytes:
    """Return the value as items hold it: keys sorted, times RFC 3339, bytes base64."""
    text = json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, default=_plain)
    return text.encode("utf-8", errors="surrogatepass")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode("ascii")
    raise SourceError(f"an answer holds a {type(value).__name__}, which has no JSON form")
