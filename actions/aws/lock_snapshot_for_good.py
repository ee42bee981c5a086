"""Lock a snapshot in compliance mode: nobody, not even the account's root, can delete it."""

from dataclasses import dataclass
from typing import ClassVar

from actions.action import Foreseen, Takes
from actions.aws.clients import Aws
from actions.aws.snapshot import OURS, SNAPSHOT, Snapshot
from actions.aws.snapshot_lock import COMPLIANCE, lock_of
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.permission import Permission


@dataclass(frozen=True)
class LockSnapshotForGood(OneWay[Aws]):
    """Lock for so many `days` (1 to 36,500) in compliance mode (EC2 API, "LockSnapshot").

    It destroys the freedom to delete, and so asks. For `cool_off` hours (1 to 72) whoever may
    unlock can still take it off by hand; after that, nobody can before it expires. The result is
    {"state": "compliance-cooloff" or "compliance", "days"}.
    """

    snapshot: Snapshot
    days: int
    cool_off: int

    takes: ClassVar[Takes] = "nothing"
    permissions: ClassVar = (
        Permission("ec2:DescribeLockedSnapshots"),
        Permission("ec2:LockSnapshot", SNAPSHOT, OURS),
    )

    @property
    def target(self) -> str:
        return self.snapshot.key

    def facts(self, p: Aws) -> Result:
        lock = lock_of(p, self.snapshot)
        return {"lock": lock["LockState"] if lock else None}

    def foresee(self, p: Aws, before: State) -> Foreseen:
        return Foreseen(
            blast=(
                f"{self.snapshot.snapshot_id} is kept and paid for during {self.days} days, "
                "whatever comes",
            ),
            lost=(f"after {self.cool_off} hours nobody can unlock {self.snapshot.snapshot_id}",),
        )

    def do(self, p: Aws, mark: str, approval: str | None) -> None:
        p.ec2.lock_snapshot(
            SnapshotId=self.snapshot.snapshot_id,
            LockMode="compliance",
            LockDuration=self.days,
            CoolOffPeriod=self.cool_off,
        )

    def find(self, p: Aws, mark: str) -> Result | None:
        lock = lock_of(p, self.snapshot)
        # A lock that was there, and ends earlier, is not what was asked for.
        if lock is None or lock["LockState"] not in COMPLIANCE or lock["LockDuration"] < self.days:
            return None
        return {"state": lock["LockState"], "days": lock["LockDuration"]}
