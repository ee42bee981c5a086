"""When a user's access key was last used.

IAM: GetAccessKeyLastUsed; IAM: Getting credential reports: used more than once in 15 minutes, only
the first use is recorded. A request counts once its signature is right, allowed or not. moto
notes no use of a request that is signed with a key of its own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.iam.models import AccessKeyLastUsed

if TYPE_CHECKING:
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

SPAN = timedelta(minutes=15)


def note(ground: Ground, asked: Asked, key: Any) -> None:
    """Note that a request was signed with the key."""
    now = ground.now().replace(tzinfo=None)
    last = key.last_used
    if last is None or now - last.timestamp >= SPAN:
        key.last_used = AccessKeyLastUsed(now, asked.service, asked.region)
