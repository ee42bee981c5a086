"""Whether the copies of the disks are complete, and under which keys they are encrypted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

from evidence.sources.ask import Client, Question, ask
from evidence.sources.item import Item, Missed


class SnapshotClients(Protocol):
    """boto3 clients in the snapshots' account and region."""

    @property
    def ec2(self) -> Client: ...
    @property
    def kms(self) -> Client: ...


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """State, progress, encryption and KMS key of each snapshot; keep it again until completed."""

    snapshot_ids: tuple[str, ...]
    account: str
    region: str

    name: ClassVar[str] = "snapshot_facts"
    permissions: ClassVar[tuple[str, ...]] = ("ec2:DescribeSnapshots", "kms:DescribeKey")

    def collect(self, clients: SnapshotClients) -> Iterator[Item | Missed]:
        """Yield an item or a miss for each snapshot and each key that encrypts one."""
        keys: set[str] = set()
        for snapshot_id in self.snapshot_ids:
            operation, name = "describe_snapshots", f"ec2.describe_snapshots.{snapshot_id}"
            question = Question(name, "ec2", operation, {"SnapshotIds": [snapshot_id]})
            pages = yield from ask(clients.ec2, question)
            snapshots = [found for page in pages for found in page["Snapshots"]]
            keys |= {found["KmsKeyId"] for found in snapshots if found.get("KmsKeyId")}
        for key in sorted(keys):
            name = f"kms.describe_key.{key.rpartition('/')[2]}"
            yield from ask(clients.kms, Question(name, "kms", "describe_key", {"KeyId": key}))
