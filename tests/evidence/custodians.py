"""People with keys, and the statements of custody that they sign."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from evidence.custody.signing import sign, state
from evidence.custody.state import LOCKER

CASE = "ab" * 16
START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
# Made once: each test would make its own, and they are as good as these.
KEYS = {n: ec.generate_private_key(ec.SECP256R1()) for n in ("alice", "bob", "carol", LOCKER)}
PEOPLE = {name: key.public_key() for name, key in KEYS.items()}


@dataclass(frozen=True)
class Desk:
    """Where statements about one case are made."""

    case: str = CASE

    def body(
        self, kind: str, at: datetime, *signers: str, reason: str = "as asked", **more: Any
    ) -> dict[str, Any]:
        said = dict(state(kind, self.case, at, reason, **more))
        return {"statement": said, "signatures": [sign(said, n, KEYS[n]) for n in signers]}
