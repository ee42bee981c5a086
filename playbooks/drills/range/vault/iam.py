"""The AWS that the AWS engine talks to: one of its own, small, or the range's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from playbooks.drills.range.keys import make
from playbooks.drills.range.vault.errors import BackendError

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from playbooks.drills.range.keys import Credentials


@dataclass(frozen=True, slots=True)
class Wanted:
    """An IAM user to be made: its name, path, and what it may do."""

    name: str
    path: str
    policy_arns: tuple[str, ...]
    document: str
    groups: tuple[str, ...]
    boundary: str
    tags: Mapping[str, str]


class Iam(Protocol):
    """What the engine needs. `key` are its own credentials. All raise BackendError."""

    def create(self, key: Credentials, wanted: Wanted) -> Credentials:
        """A new user, and its access key."""

    def delete(self, key: Credentials, name: str) -> None:
        """Take a user away with all that hangs on it; one that is gone already is well."""

    def assume(
        self, key: Credentials, role_arn: str, session: str, ttl: int, policy: str
    ) -> tuple[Credentials, str]:
        """A session of a role, and its ARN."""

    def rotate(self, key: Credentials) -> Credentials:
        """A new access key for the user of `key`, which must have no other; the old is deleted."""


@dataclass(slots=True)
class Bucket:
    """A token bucket, as IAM throttles: `capacity` calls at once, `refill` a second after that."""

    capacity: float
    refill: float
    left: float = 0.0
    at: float = 0.0

    def take(self, now: float) -> None:
        """Count one call at `now` (seconds); raises BackendError when there are too many."""
        self.left = min(self.capacity, self.left + (now - self.at) * self.refill)
        self.at = now
        if self.left < 1:
            raise BackendError("Throttling: Rate exceeded")
        self.left -= 1


@dataclass(slots=True)
class OwnIam:
    """A small IAM for a Vault without a range: `users`: name -> access key id.

    `broken` are users that AWS refuses to delete. It checks no permissions.
    """

    rng: random.Random = field(repr=False)
    users: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    account: str = "111122223333"

    def create(self, key: Credentials, wanted: Wanted) -> Credentials:
        """See Iam."""
        made = make(self.rng, temporary=False)
        self.users[wanted.name] = made.access_key
        return made

    def delete(self, key: Credentials, name: str) -> None:
        """See Iam."""
        if name in self.broken:
            raise BackendError("DeleteConflict: Cannot delete entity, must delete login profile")
        self.users.pop(name, None)

    def assume(
        self, key: Credentials, role_arn: str, session: str, ttl: int, policy: str
    ) -> tuple[Credentials, str]:
        """See Iam."""
        role = role_arn.rpartition("/")[2]
        arn = f"arn:aws:sts::{self.account}:assumed-role/{role}/{session}"
        return make(self.rng, temporary=True), arn

    def rotate(self, key: Credentials) -> Credentials:
        """See Iam."""
        return make(self.rng, temporary=False)
