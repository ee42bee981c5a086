"""A snapshot is pending until its time has passed, and one call takes all volumes of an instance.

AWS: CreateSnapshots: crash-consistent snapshots of the attached volumes, ExcludeBootVolume,
ExcludeDataVolumeIds, CopyTagsFromSource=volume; AWS: DescribeSnapshots: State pending, then
completed, Progress in per cent; AWS: CopySnapshot: of a completed snapshot, also of another account
that shares it, under a key only where it says Encrypted; AWS: ModifySnapshotAttribute: a snapshot
under AWS's own key is not shared. moto completes them at once, copies no tags, and copies from its
own account alone. Not here: whether the caller may use a key; the copy's own volume id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections.attributes import found
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked


def create_one(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """CreateSnapshot, and what CopySnapshot makes: requested now, complete later."""
    result = onward()
    backend = ground.ec2(asked.account, asked.region)
    _pending(ground, backend, [result["SnapshotId"]])
    return result if asked.operation == "CopySnapshot" else {**result, **_unfinished()}


def copy_one(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """CopySnapshot: of a completed snapshot that is one's own, or that its account shares."""
    source = _source(ground, asked)
    if asked.params.get("KmsKeyId") and not asked.params.get("Encrypted"):
        said = "KmsKeyId is for encrypted copies; set Encrypted."
        raise AwsError("InvalidParameterDependency", said)
    if ground.seconds() < ground.kept.snapshots.get(source.id, 0.0):
        raise AwsError("IncorrectState", f"{source.id} is not in the state 'completed'.")
    backend = ground.ec2(asked.account, asked.region)
    own = source.id in backend.snapshots
    # moto looks for the source in the copy's account: it is lent to it for this call.
    backend.snapshots[source.id] = source
    try:
        return create_one(ground, asked, onward)
    finally:
        if not own:
            del backend.snapshots[source.id]


def share(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """ModifySnapshotAttribute: what lies under AWS's own key is shared with nobody."""
    snapshot = found_snapshot(ground, asked, asked.params["SnapshotId"])
    key = str(snapshot.kms_key_id or "")
    if snapshot.encrypted and (not key or key.endswith("alias/aws/ebs")):
        said = f"{snapshot.id} is encrypted with the default key and cannot be shared."
        raise AwsError("InvalidParameter", said)
    return onward()


def found_snapshot(ground: Ground, asked: Asked, snapshot_id: str) -> Any:
    """One's own snapshot of that id, or InvalidSnapshot.NotFound."""
    snapshot = ground.ec2(asked.account, asked.region).snapshots.get(snapshot_id)
    if snapshot is None:
        said = f"The snapshot '{snapshot_id}' does not exist."
        raise AwsError("InvalidSnapshot.NotFound", said)
    return snapshot


def _source(ground: Ground, asked: Asked) -> Any:
    wanted, region = asked.params["SourceSnapshotId"], asked.params["SourceRegion"]
    accounts = [asked.account, *(a for _, a, r in sorted(ground.written) if r == region)]
    for account in dict.fromkeys(accounts):
        snapshot = ground.ec2(account, region).snapshots.get(wanted)
        shared = snapshot and asked.account in snapshot.create_volume_permission_userids
        if snapshot and (account == asked.account or shared):
            return snapshot
    raise AwsError("InvalidSnapshot.NotFound", f"The snapshot '{wanted}' does not exist.")


def create_all(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """CreateSnapshots: one snapshot for each volume of the instance."""
    backend = ground.ec2(asked.account, asked.region)
    wanted = asked.params["InstanceSpecification"]
    instance = found(backend, wanted["InstanceId"])
    root = instance.root_device_name
    volumes = [
        disk.volume_id
        for device, disk in instance.get_block_device_mapping
        if not (wanted.get("ExcludeBootVolume") and device == root)
        and disk.volume_id not in wanted.get("ExcludeDataVolumeIds", [])
    ]
    if not volumes:
        raise AwsError("InvalidParameterValue", "No volumes remain to be snapshotted.")
    tags = {
        tag["Key"]: tag.get("Value", "")
        for spec in asked.params.get("TagSpecifications", [])
        if spec["ResourceType"] == "snapshot"
        for tag in spec.get("Tags", [])
    }
    made = []
    for volume_id in volumes:
        snapshot = backend.create_snapshot(volume_id, asked.params.get("Description", ""))
        copied = backend.tags.get(volume_id, {}) if asked.params.get("CopyTagsFromSource") else {}
        snapshot.add_tags({**copied, **tags})
        made.append(snapshot)
    _pending(ground, backend, [s.id for s in made])
    return {"Snapshots": [{**_info(s), **_unfinished()} for s in made]}


def describe(ground: Ground, asked: Asked, onward: Onward) -> Mapping[str, Any]:
    """DescribeSnapshots with the state each snapshot has by now."""
    backend = ground.ec2(asked.account, asked.region)
    for snapshot_id, done_at in ground.kept.snapshots.items():
        if snapshot_id in backend.snapshots:
            done = ground.seconds() >= done_at
            # The filter `status` looks at moto's own attribute.
            backend.snapshots[snapshot_id].status = "completed" if done else "pending"
    result = onward()
    for snapshot in result["Snapshots"]:
        snapshot["Progress"] = _progress(ground, snapshot["SnapshotId"])
    return result


def _pending(ground: Ground, backend: Any, snapshot_ids: Iterable[str]) -> None:
    for snapshot_id in snapshot_ids:
        ground.kept.snapshots[snapshot_id] = ground.seconds() + ground.snapshot_seconds
        backend.snapshots[snapshot_id].status = "pending"
        backend.snapshots[snapshot_id].start_time = ground.now()


def _progress(ground: Ground, snapshot_id: str) -> str:
    left = ground.kept.snapshots.get(snapshot_id, 0.0) - ground.seconds()
    if left <= 0:
        return "100%"
    return f"{min(99, int(100 * (1 - left / ground.snapshot_seconds)))}%"


def _unfinished() -> dict[str, str]:
    return {"State": "pending", "Progress": "0%"}


def _info(snapshot: Any) -> dict[str, Any]:
    tags = [{"Key": t["key"], "Value": t["value"]} for t in snapshot.get_tags()]
    return {
        "SnapshotId": snapshot.id,
        "VolumeId": snapshot.volume.id,
        "VolumeSize": snapshot.volume.size,
        "Description": snapshot.description,
        "Encrypted": bool(snapshot.encrypted),
        "OwnerId": snapshot.owner_id,
        "StartTime": snapshot.start_time,
        "Tags": tags,
    }


CORRECTIONS: Corrections = {
    ("ec2", "CreateSnapshot"): create_one,
    ("ec2", "CopySnapshot"): copy_one,
    ("ec2", "ModifySnapshotAttribute"): share,
    ("ec2", "CreateSnapshots"): create_all,
    ("ec2", "DescribeSnapshots"): describe,
}
