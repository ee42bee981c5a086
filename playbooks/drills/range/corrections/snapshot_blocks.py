"""The blocks of an EC2 snapshot are listed and read, with the SHA-256 that AWS tells of each.

AWS: EBS direct APIs reference, ListSnapshotBlocks, GetSnapshotBlock. moto knows only snapshots that
its own StartSnapshot made, and fails for others. Here: of each volume three blocks of 512 KiB were
written, what is in them follows from the volume's id, tokens are checked, and a snapshot must be
complete. Not here: ListChangedBlocks, tokens that expire, more than one page. The code of the
refusals is AWS's; their reasons are not told.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections.correction import AS_IT_IS
from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

SIZE = 512 << 10
# Between them the disk was never written.
WRITTEN = (0, 1, 7)


def blocks(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """ListSnapshotBlocks of a snapshot that EC2 made."""
    snapshot = _snapshot(ground, asked)
    if snapshot is None:
        return AS_IT_IS
    start = int(asked.params.get("StartingBlockIndex") or 0)
    rows = [
        {"BlockIndex": index, "BlockToken": _token(snapshot, index)}
        for index in WRITTEN
        if index >= start
    ]
    return {"Blocks": rows, "VolumeSize": snapshot.volume.size, "BlockSize": SIZE}


def block(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
    """GetSnapshotBlock of a snapshot that EC2 made."""
    snapshot = _snapshot(ground, asked)
    if snapshot is None:
        return AS_IT_IS
    index = int(asked.params["BlockIndex"])
    if index not in WRITTEN or asked.params["BlockToken"] != _token(snapshot, index):
        raise AwsError("ValidationException", "The block token is not valid.")
    data = content(snapshot.volume.id, index)
    return {
        "DataLength": len(data),
        "BlockData": data,
        "Checksum": base64.b64encode(hashlib.sha256(data).digest()).decode("ascii"),
        "ChecksumAlgorithm": "SHA256",
    }


def content(volume: str, index: int) -> bytes:
    """What is in a block of a volume."""
    return hashlib.shake_256(f"{volume}/{index}".encode()).digest(SIZE)


def _snapshot(ground: Ground, asked: Asked) -> Any:
    snapshot = ground.ec2(asked.account, asked.region).snapshots.get(asked.params["SnapshotId"])
    if snapshot is None:
        raise AwsError("ResourceNotFoundException", "The snapshot does not exist.", 404)
    if snapshot.id not in ground.kept.snapshots:
        return None
    if ground.seconds() < ground.kept.snapshots[snapshot.id]:
        raise AwsError("ValidationException", "The snapshot is not complete.")
    return snapshot


def _token(snapshot: Any, index: int) -> str:
    return base64.b64encode(f"{snapshot.id}/{index}".encode()).decode("ascii")


CORRECTIONS: Corrections = {
    ("ebs", "ListSnapshotBlocks"): blocks,
    ("ebs", "GetSnapshotBlock"): block,
}
