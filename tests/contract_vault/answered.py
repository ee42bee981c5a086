"""Which of the listed endpoints a run of the contract tests has asked a server for."""

import re
from collections.abc import Iterable

from playbooks.drills.range.vault.endpoints import Endpoint

HOLE = re.compile(r"\{(\w+)(\.\.\.)?\}")
VERBS = {"PUT": "POST"}


def matches(endpoint: Endpoint, method: str, path: str) -> bool:
    """Whether this request went to the endpoint; tests name a mount after its kind."""
    if endpoint.method != VERBS.get(method, method):
        return False
    text, last = "", 0
    for hole in HOLE.finditer(endpoint.path):
        one = f"contract-{endpoint.kind}-[0-9a-f]+" if hole[1] == "mount" else "[^/]+"
        text += re.escape(endpoint.path[last : hole.start()]) + (".+" if hole[2] else one)
        last = hole.end()
    return re.fullmatch(text + re.escape(endpoint.path[last:]) + "/?", path) is not None


def unasked(
    endpoints: Iterable[Endpoint], asked: Iterable[tuple[str, str]]
) -> tuple[Endpoint, ...]:
    """The endpoints that no request went to."""
    requests = set(asked)
    return tuple(e for e in endpoints if not any(matches(e, *r) for r in requests))
