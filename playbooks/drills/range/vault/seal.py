"""The seal: key shares, how many were given, and the making of a root token from them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

SHARES = 5
THRESHOLD = 3


@dataclass(slots=True)
class Given:
    """The shares given so far for one purpose, under a nonce."""

    nonce: str = ""
    shares: set[str] = field(default_factory=set, repr=False)


@dataclass(slots=True)
class Seal:
    """The shares (hex) and what they are being used for. `otp` hides a root token in the making."""

    shares: tuple[str, ...] = field(repr=False)
    sealed: bool = False
    unsealing: Given = field(default_factory=Given)
    rooting: Given | None = None
    otp: str = field(default="", repr=False)


def new_seal(rng: random.Random) -> Seal:
    """A seal with fresh shares."""
    return Seal(tuple(rng.randbytes(33).hex() for _ in range(SHARES)))


def hidden(token: str, otp: str) -> str:
    """A token XORed with a one-time password of its length, in base64 without padding."""
    mixed = bytes(a ^ b for a, b in zip(token.encode(), otp.encode(), strict=True))
    return base64.b64encode(mixed).decode().rstrip("=")
