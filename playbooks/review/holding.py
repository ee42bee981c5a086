"""A principal as it was found, and each right by which it may do something. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from playbooks.review.statements import Granted, Statement


@dataclass(frozen=True, slots=True)
class Right:
    """One right, `policy/<arn>`, `inline/<name>` or `group/<name>`, and what it grants.

    `document` is the policy, where it is one. `digest` is of a state that is not its holder's: of
    the group.
    """

    privilege: str
    grants: tuple[Statement, ...] = ()
    boundary: tuple[Statement, ...] | None = None
    document: Mapping[str, Any] | None = None
    digest: str = ""

    @property
    def granted(self) -> Granted:
        """Return what it grants by itself, within the holder's boundary."""
        return Granted(self.grants, self.boundary)


@dataclass(frozen=True, slots=True)
class Holding:
    """A user, role or group, what it holds, and the digest of its state.

    `key` is account/aws-global/kind/name. `used` is when it was last used, as far as is known.
    """

    key: str
    kind: str
    name: str
    arn: str
    created: datetime
    digest: str
    rights: tuple[Right, ...]
    boundary: tuple[Statement, ...] | None = None
    trust: Mapping[str, Any] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    used: datetime | None = None

    def digest_of(self, right: Right) -> str:
        """Return the digest of what a decision on the right is about."""
        return digest({"holder": self.digest, "of": right.digest}) if right.digest else self.digest

    @property
    def granted(self) -> Granted:
        """Return all that it may do."""
        return Granted(tuple(s for r in self.rights for s in r.grants), self.boundary)


def digest(state: Mapping[str, Any]) -> str:
    """Return SHA-256, in hex, of a principal's state: what a decision is about.

    It covers the unique id, so that one who was deleted and made again is another.
    """
    text = json.dumps(state, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
