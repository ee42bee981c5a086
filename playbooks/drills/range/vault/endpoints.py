"""Which endpoints the simulated Vault serves, and how far each was checked (endpoints.yaml)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from playbooks.drills.range.vault import catalogue, kinds

PROVEN = "proven"
DOCUMENTATION = "documentation-only"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint.

    `kind` is the engine's or auth method's where {mount} stands in the path (a mount can have any
    name), and empty for what is always at one place. `page` is its page in OpenBao's
    website/content/api-docs. `checked` is PROVEN (a contract test passed against a real server)
    or DOCUMENTATION (only read).
    """

    kind: str
    method: str
    path: str
    page: str
    checked: str


@cache
def listed() -> tuple[Endpoint, ...]:
    """All that endpoints.yaml lists."""
    text = files(__package__).joinpath("endpoints.yaml").read_text(encoding="utf-8")
    return tuple(Endpoint(**entry) for entry in yaml.safe_load(text))


def counts() -> dict[str, int]:
    """How many endpoints were checked how far: PROVEN and DOCUMENTATION -> number."""
    found = Counter(endpoint.checked for endpoint in listed())
    return {PROVEN: found[PROVEN], DOCUMENTATION: found[DOCUMENTATION]}


def served() -> list[tuple[str, str, str]]:
    """Kind, method and path of every route that the simulator serves."""
    mounts = [
        ("", "sys", catalogue.SYSTEM),
        ("", "auth/token", catalogue.TOKEN),
        ("", "identity", catalogue.IDENTITY),
        *((kind, "{mount}", parts) for kind, parts in kinds.SECRETS.items()),
        *((kind, "auth/{mount}", parts) for kind, parts in kinds.AUTH.items()),
    ]
    return [
        (kind, one.method, f"{mount}/{one.pattern}")
        for kind, mount, parts in mounts
        for part in parts
        for one in part.routes()
    ]
