"""Let another account, the forensic one, make volumes and copies from a snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Lens, Takes
from actions.aws.clients import Aws
from actions.aws.snapshot import OURS, SNAPSHOT, Snapshot, gone, refuse_elsewhere
from actions.journal import Json, State
from actions.permission import Permission


@dataclass(frozen=True)
class ShareSnapshot(Lens[Aws]):
    """Add one account to a snapshot's createVolumePermission; others in it are left alone.

    State: `<snapshot>/shared/<account>` is True, or None. AWS refuses it for a snapshot under its
    own default key: copy it first (copy_snapshot). The other account also needs the key (EC2 User
    Guide, "Share an Amazon EBS snapshot").
    """

    snapshot: Snapshot
    account: str

    takes: ClassVar[Takes] = "nothing"
    permissions: ClassVar = (
        Permission("ec2:DescribeSnapshotAttribute", SNAPSHOT),
        Permission("ec2:ModifySnapshotAttribute", SNAPSHOT, OURS),
    )

    @property
    def target(self) -> str:
        return self.snapshot.key

    def read(self, p: Aws) -> Mapping[str, Json]:
        refuse_elsewhere(p, self.snapshot.account, self.snapshot.region)
        try:
            found = p.ec2.describe_snapshot_attribute(
                SnapshotId=self.snapshot.snapshot_id, Attribute="createVolumePermission"
            )
        except ClientError as error:
            raise gone(self.snapshot, error) from error
        shared = {one.get("UserId") for one in found["CreateVolumePermissions"]}
        return {self._key: True if self.account in shared else None}

    def wanted(self, before: State) -> State:
        return {self._key: True}

    def write(self, p: Aws, key: str, value: Json) -> None:
        p.ec2.modify_snapshot_attribute(
            SnapshotId=self.snapshot.snapshot_id,
            Attribute="createVolumePermission",
            OperationType="add" if value else "remove",
            UserIds=[self.account],
        )

    def foresee(self, p: Aws, before: State) -> Foreseen:
        return Foreseen(blast=(f"account {self.account} can read the disk's content",))

    @property
    def _key(self) -> str:
        return f"{self.snapshot.snapshot_id}/shared/{self.account}"
