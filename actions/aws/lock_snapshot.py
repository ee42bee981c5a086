"""Lock a snapshot against deletion, in governance mode: who may unlock can still take it off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from actions.action import Lens, Takes
from actions.aws.clients import Aws
from actions.aws.snapshot import OURS, SNAPSHOT, Snapshot
from actions.aws.snapshot_lock import lock_of
from actions.journal import Json, State
from actions.permission import Permission


@dataclass(frozen=True)
class LockSnapshot(Lens[Aws]):
    """Lock for so many `days` (1 to 36,500) in governance mode (EC2 API, "LockSnapshot").

    State: `<snapshot>/lock` is {"mode", "days"}, or None. A lock that is there and lasts as long,
    or is in compliance mode, is left alone. A pending snapshot can be locked; the days count from
    when it is completed. Governance keeps accidents away, and those without ec2:UnlockSnapshot;
    for good is lock_snapshot_for_good.
    """

    snapshot: Snapshot
    days: int

    takes: ClassVar[Takes] = "nothing"
    permissions: ClassVar = (
        Permission("ec2:DescribeLockedSnapshots"),
        Permission("ec2:LockSnapshot", SNAPSHOT, OURS),
        Permission("ec2:UnlockSnapshot", SNAPSHOT, OURS),
    )

    @property
    def target(self) -> str:
        return self.snapshot.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        lock = lock_of(p, self.snapshot)
        held = lock and {"mode": lock["LockState"], "days": lock["LockDuration"]}
        return {self._key: held}

    def wanted(self, before: State) -> State:
        there = before[self._key]
        if there and (there["mode"] != "governance" or there["days"] >= self.days):
            return {self._key: there}
        return {self._key: {"mode": "governance", "days": self.days}}

    def write(self, p: Aws, key: str, value: Json) -> None:
        if value is None:
            if lock_of(p, self.snapshot) is not None:  # AWS unlocks only what is locked
                p.ec2.unlock_snapshot(SnapshotId=self.snapshot.snapshot_id)
            return
        p.ec2.lock_snapshot(
            SnapshotId=self.snapshot.snapshot_id,
            LockMode="governance",
            LockDuration=value["days"],
        )

    @property
    def _key(self) -> str:
        return f"{self.snapshot.snapshot_id}/lock"
