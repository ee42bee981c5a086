"""An EBS snapshot as a target: one copy of a disk of a host, in one account and region."""

from dataclasses import dataclass

from botocore.exceptions import ClientError

from actions.aws.clients import Aws
from actions.errors import TargetGoneError, UnfitError

# What Stanch made carries its mark, so its permissions need not reach other snapshots.
MARK = "stanch:mark"
OURS = {"Null": {f"aws:ResourceTag/{MARK}": "false"}}
SNAPSHOT = "arn:{partition}:ec2:{region}::snapshot/*"


@dataclass(frozen=True)
class Snapshot:
    """`account` owns it, `host_id` (i-...) is whose disk it is of, `snapshot_id` is snap-..."""

    account: str
    region: str
    host_id: str
    snapshot_id: str

    @property
    def key(self) -> str:
        """Return account/region/snapshots/host: all copies of a host's disks are one target."""
        return f"{self.account}/{self.region}/snapshots/{self.host_id}"


def refuse_elsewhere(p: Aws, account: str, region: str) -> None:
    """Raise UnfitError where the provider is bound to another account or region."""
    if (p.account, p.region) != (account, region):
        raise UnfitError(
            f"a snapshot of {account}/{region} was to be acted on in {p.account}/{p.region}. "
            "Sessions are made per account and region; this one is not the snapshot's."
        )


def gone(snapshot: Snapshot, error: ClientError) -> Exception:
    """Return the error to raise for what AWS said of a snapshot: ours, where it is gone."""
    if not error.response["Error"]["Code"].startswith("InvalidSnapshot"):
        return error
    return TargetGoneError(
        f"snapshot {snapshot.snapshot_id} does not exist (any more) in {snapshot.account}, "
        f"{snapshot.region}. Look at who deleted it (CloudTrail, DeleteSnapshot)."
    )
