"""Who signs: access keys, what they stand for, and when they stop working."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

# IAM identifiers: unique ids and key ids are of these letters behind a prefix for their kind.
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a request comes from, in the terms of IAM's identifiers and global condition keys.

    `kind` is root, user, role (an assumed-role session), federated or service. `issued_at` is set
    for temporary credentials only; `instance_arn` for sessions of an EC2 instance profile only;
    `holder` is the name and `holder_id` the unique id of the user that a federated one comes from.
    """

    kind: str
    account: str
    arn: str
    user_id: str
    name: str
    session_name: str = ""
    issued_at: datetime | None = None
    instance_arn: str = ""
    session_policy: Mapping[str, Any] | None = None
    source_identity: str = ""
    mfa: bool = False
    holder: str = ""
    holder_id: str = ""
    identity_user: str = ""

    @property
    def comes_from(self) -> str:
        """The user's own name, also behind a federated session."""
        return self.holder or self.name


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key. `token` is empty for long-term keys (AKIA), set for temporary ones (ASIA)."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """Credentials the world gave out itself, with the principal they stand for."""

    credentials: Credentials
    principal: Principal


def make(rng: random.Random, *, temporary: bool, expires_at: datetime | None = None) -> Credentials:
    """Fresh credentials in AWS's form (IAM identifiers: AKIA long-term, ASIA temporary)."""
    key = ("ASIA" if temporary else "AKIA") + "".join(rng.choices(ALPHABET, k=16))
    secret = base64.b64encode(rng.randbytes(30)).decode()
    token = base64.b64encode(rng.randbytes(96)).decode() if temporary else ""
    return Credentials(key, secret, token, expires_at)


def unique_id(rng: random.Random, prefix: str) -> str:
    """A fresh unique id of 21 characters (IAM identifiers: AIDA a user, AROA a role, ...)."""
    return prefix + "".join(rng.choices(ALPHABET, k=17))
