"""Snapshots are locked against deletion, in governance or compliance mode.

AWS: LockSnapshot, UnlockSnapshot, DescribeLockedSnapshots, DeleteSnapshot; EC2 User Guide, "Amazon
EBS snapshot lock". moto has none of them. Here: both modes, duration in days or an expiration date,
the cooling-off period, what each state lets be changed, that a lock of a pending snapshot begins to
count when it is completed, expiry, and that a locked snapshot is not deleted. Not here: the filter
of DescribeLockedSnapshots by anything but the state, and pages. The codes of refusals are ours: the
API reference gives none.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections.snapshots import found_snapshot
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

# On moto's own snapshot, so that it goes where the snapshot goes.
LOCK = "stanch_lock"


def lock(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """LockSnapshot: lock, or change a lock as far as its state lets."""
    snapshot = found_snapshot(ground, asked, asked.params["SnapshotId"])
    mode, cool_off = asked.params["LockMode"], asked.params.get("CoolOffPeriod")
    days, until = asked.params.get("LockDuration"), asked.params.get("ExpirationDate")
    if (days is None) == (until is None):
        raise AwsError("InvalidParameterCombination", "Specify LockDuration or ExpirationDate.")
    if mode == "governance" and cool_off is not None:
        raise AwsError("InvalidParameterCombination", "CoolOffPeriod is for compliance mode only.")
    now = ground.now()
    if until is not None:
        days = max(1, -((now - _aware(until)) // timedelta(days=1)))
    there = _lock(ground, snapshot)
    if there and there["LockState"] == "compliance":
        if mode != "compliance" or cool_off is not None or days < there["LockDuration"]:
            raise AwsError("InvalidRequest", "A lock in compliance mode can only be extended.")
        cool_off = None
    begun = there["LockCreatedOn"] if there else now
    made: dict[str, Any] = {"mode": mode, "days": days, "created": begun, "cool_off": cool_off}
    made["cool_until"] = now + timedelta(hours=cool_off) if cool_off else None
    setattr(snapshot, LOCK, made)
    return {"SnapshotId": snapshot.id, **(_lock(ground, snapshot) or {})}


def unlock(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """UnlockSnapshot: in governance mode, or in compliance mode while it cools off."""
    snapshot = found_snapshot(ground, asked, asked.params["SnapshotId"])
    there = _lock(ground, snapshot)
    if there is None:
        raise AwsError("SnapshotLock.NotFound", f"The snapshot {snapshot.id} is not locked.")
    if there["LockState"] == "compliance":
        raise AwsError("InvalidRequest", "A snapshot in compliance mode cannot be unlocked.")
    setattr(snapshot, LOCK, None)
    return {"SnapshotId": snapshot.id}


def describe(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """DescribeLockedSnapshots: those that are locked, or were until their lock expired."""
    backend = ground.ec2(asked.account, asked.region)
    named = asked.params.get("SnapshotIds") or sorted(backend.snapshots)
    states = [v for f in asked.params.get("Filters", []) for v in f["Values"]]
    found = []
    for snapshot_id in named:
        snapshot = found_snapshot(ground, asked, snapshot_id)
        told = _lock(ground, snapshot, expired=True)
        if told and (not states or told["LockState"] in states):
            found.append({"OwnerId": snapshot.owner_id, "SnapshotId": snapshot.id, **told})
    return {"Snapshots": found}


def delete(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """DeleteSnapshot is refused while a lock holds."""
    snapshot = ground.ec2(asked.account, asked.region).snapshots.get(asked.params["SnapshotId"])
    if snapshot is not None and _lock(ground, snapshot):
        raise AwsError("SnapshotLocked", f"The snapshot {snapshot.id} is locked.")
    return onward()


def _lock(ground: Ground, snapshot: Any, *, expired: bool = False) -> dict[str, Any] | None:
    """What DescribeLockedSnapshots tells of a snapshot's lock; None where none holds."""
    made = getattr(snapshot, LOCK, None)
    if made is None:
        return None
    completed = datetime.fromtimestamp(ground.kept.snapshots.get(snapshot.id, 0.0), UTC)
    starts = max(made["created"], completed)
    ends = starts + timedelta(days=made["days"])
    state = made["mode"]
    if made["cool_until"] and ground.now() < made["cool_until"]:
        state = "compliance-cooloff"
    if ground.now() >= ends:
        state = "expired"
    if state == "expired" and not expired:
        return None
    told = {
        "LockState": state,
        "LockDuration": made["days"],
        "LockCreatedOn": made["created"],
        "LockDurationStartTime": starts,
        "LockExpiresOn": ends,
    }
    if made["cool_until"]:
        told |= {
            "CoolOffPeriod": made["cool_off"],
            "CoolOffPeriodExpiresOn": made["cool_until"],
        }
    return told


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


CORRECTIONS: Corrections = {
    ("ec2", "LockSnapshot"): lock,
    ("ec2", "UnlockSnapshot"): unlock,
    ("ec2", "DescribeLockedSnapshots"): describe,
    ("ec2", "DeleteSnapshot"): delete,
}
