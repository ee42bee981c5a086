"""Copy a snapshot under another key: a customer's own, or that of the forensic account."""

from dataclasses import dataclass
from typing import ClassVar

from botocore.exceptions import ClientError

from actions.action import Foreseen, Takes
from actions.aws.clients import Aws
from actions.aws.snapshot import MARK, SNAPSHOT, Snapshot, gone, refuse_elsewhere
from actions.errors import UnfitError
from actions.journal import State
from actions.one_way import OneWay, Result
from actions.permission import Permission

_KEY = "arn:{partition}:kms:{region}:*:key/*"
# EC2 uses the keys in the caller's name; the source's may be another account's.
_VIA = {"StringLike": {"kms:ViaService": "ec2.{region}.amazonaws.com*"}}


@dataclass(frozen=True)
class CopySnapshot(OneWay[Aws]):
    """Request a copy of `source` in `account`, encrypted under `key` (EC2 API, "CopySnapshot").

    A snapshot under AWS's own key cannot be shared, so it is first copied under a customer's key
    in its own account; `key` is a KMS key's ARN, whose policy lets EC2 use it for the caller. AWS
    refuses a source that is still pending; it may take hours. The result is {"copies": [{"id",
    "of", "key"}]}, as of the request: whether the copy completes is evidence's to follow.
    """

    source: Snapshot
    account: str
    key: str

    destroys: ClassVar = False
    takes: ClassVar[Takes] = "nothing"
    window: ClassVar[float] = 30.0
    permissions: ClassVar = (
        Permission("ec2:DescribeSnapshots"),
        Permission("ec2:CopySnapshot", SNAPSHOT),
        Permission(
            "ec2:CreateTags", SNAPSHOT, {"StringEquals": {"ec2:CreateAction": "CopySnapshot"}}
        ),
        Permission("kms:Decrypt", _KEY, _VIA),
        Permission("kms:DescribeKey", _KEY, _VIA),
        Permission("kms:GenerateDataKeyWithoutPlaintext", _KEY, _VIA),
        Permission("kms:ReEncryptFrom", _KEY, _VIA),
        Permission("kms:ReEncryptTo", _KEY, _VIA),
        Permission(
            "kms:CreateGrant", _KEY, {**_VIA, "Bool": {"kms:GrantIsForAWSResource": "true"}}
        ),
    )

    @property
    def target(self) -> str:
        return f"{self.account}/{self.source.region}/snapshots/{self.source.host_id}"

    def facts(self, p: Aws) -> Result:
        refuse_elsewhere(p, self.account, self.source.region)
        if not self.key.startswith("arn:"):
            raise UnfitError(
                f"{self.key!r} is no ARN of a KMS key. AWS looks at it only later, and an id that "
                "is not known would let the copy fail in silence. Give the key's ARN."
            )
        return {}

    def foresee(self, p: Aws, before: State) -> Foreseen:
        return Foreseen(blast=(f"a copy is kept and paid for in account {self.account}",))

    def do(self, p: Aws, mark: str, approval: str | None) -> None:
        try:
            p.ec2.copy_snapshot(
                SourceRegion=self.source.region,
                SourceSnapshotId=self.source.snapshot_id,
                Description=f"Evidence of {self.source.host_id}",
                Encrypted=True,
                KmsKeyId=self.key,
                TagSpecifications=[
                    {
                        "ResourceType": "snapshot",
                        "Tags": [
                            {"Key": MARK, "Value": mark},
                            {"Key": "stanch:host", "Value": self.source.host_id},
                            {"Key": "stanch:copy-of", "Value": self.source.snapshot_id},
                        ],
                    }
                ],
            )
        except ClientError as error:
            raise gone(self.source, error) from error

    def find(self, p: Aws, mark: str) -> Result | None:
        pages = p.ec2.get_paginator("describe_snapshots").paginate(
            OwnerIds=["self"], Filters=[{"Name": f"tag:{MARK}", "Values": [mark]}]
        )
        made = sorted(
            s["SnapshotId"] for page in pages for s in page["Snapshots"] if s["State"] != "error"
        )
        if not made:
            return None
        return {"copies": [{"id": made[0], "of": self.source.snapshot_id, "key": self.key}]}
