"""One hash of everything in the simulated Vault that containment can change.

Time alone never changes it, and neither do reads, logins that have ended, or the log of calls:
times, what is left of a limited use, and the queue's order are left out.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.vault.range_iam import RangeIam
from playbooks.drills.range.vault.routes import Engine

if TYPE_CHECKING:
    from playbooks.drills.range.vault.core import Core

# Times, what is counted down, knobs, and indexes of what is covered elsewhere.
UNSEEN = frozenset(
    "issued expires renewed uses due attempts created updated deleted revoked at now "
    "agenda chores rng crl crl_number parsed end core children by_token by_accessor log "
    "revocation_delay sts_leases iam_bucket".split()
)


def digest(core: Core) -> str:
    """SHA-256 (hex) of the state."""
    text = json.dumps(state(core), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def state(value: Any) -> Any:
    """What of a value the digest covers, as JSON values."""
    if is_dataclass(value) and not isinstance(value, type):
        shown = {
            f.name: state(getattr(value, f.name)) for f in fields(value) if f.name not in UNSEEN
        }
        for name in ("deleted", "revoked"):
            if hasattr(value, name):
                shown[name] = getattr(value, name) is not None
        return shown
    if isinstance(value, Engine):
        hidden = UNSEEN | set(value.unseen)
        return {k: state(v) for k, v in vars(value).items() if k not in hidden}
    if isinstance(value, RangeIam):
        return "the range has a digest of its own"
    if isinstance(value, dict):
        return {str(k): state(v) for k, v in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if isinstance(value, (list, tuple)):
        return [state(v) for v in value]
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
