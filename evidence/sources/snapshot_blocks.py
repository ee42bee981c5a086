"""The hash of every block of a snapshot, held against the provider's, under one root."""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from evidence.errors import SourceError
from evidence.sources.ask import JSON, Client, Question, as_json, code_of
from evidence.sources.block_reading import Wanted, listing, read_blocks
from evidence.sources.block_tree import Block, Resume, grown
from evidence.sources.item import Item, Missed
from evidence.sources.outcome import CALL, Tally, ended, unsupported

# 2 GiB of a disk: as much is read again where a collection breaks off.
SEGMENT = 4096


class BlockClients(Protocol):
    """A boto3 EBS client (the direct APIs) in the snapshot's account and region."""

    @property
    def ebs(self) -> Client: ...


@dataclass(frozen=True, slots=True)
class Differing:
    """A block that the provider tells another SHA-256 of than its bytes have (hex)."""

    snapshot: str
    index: int
    read: str
    told: str

    def json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class SnapshotBlocks:
    """ListSnapshotBlocks, and GetSnapshotBlock of each; the content is hashed and not kept.

    It stops at the first block that cannot be read, or after `most` blocks; the outcome is then
    partial, and what stands in its `resume` (see `block_tree.resume_of`) goes on there: the root is
    that of one run. An encrypted snapshot also needs kms:Decrypt of its key.
    """

    snapshot_id: str
    account: str
    region: str
    resume: Resume = field(default_factory=Resume)
    most: int = 1 << 40
    segment_blocks: int = SEGMENT

    name: ClassVar[str] = "snapshot_blocks"
    permissions: ClassVar[tuple[str, ...]] = ("ebs:GetSnapshotBlock", "ebs:ListSnapshotBlocks")

    def collect(self, clients: BlockClients) -> Iterator[Item | Missed]:
        """Yield the manifest's parts, the tree as far as it goes, and the outcome."""
        tally = Tally({"blocks": 0, "bytes": 0, "verified": 0, "differing": 0})
        tree, found, sizes = self.resume, [], dict[str, Any]()
        wanted = self._wanted(clients.ebs, tally, sizes)
        while batch := list(itertools.islice(wanted, self._room(tally))):
            missed = [one for one in batch if isinstance(one, Missed)]
            blocks: list[Block] = []
            asked = [one for one in batch if isinstance(one, Wanted)]
            for one in read_blocks(clients.ebs, asked):
                if isinstance(one, Missed):
                    missed.append(one)
                    break
                blocks.append(one)
            if blocks:
                before = tree
                try:
                    tree = grown(before, blocks)
                except SourceError as error:
                    tally.lacking.append(str(error))
                    break
                data = _segment(self.snapshot_id, before, blocks, tree)
                part = f"{self.name}.{before.next_index:08d}"
                yield Item(part, JSON, data, False, "ebs.get_snapshot_block")
                found += _counted(self.snapshot_id, blocks, tally)
            yield from map(tally.miss, missed)
            if missed:
                break
        if not sizes:
            why = f"the blocks of {self.snapshot_id} cannot be listed"
            yield unsupported(why, tally).item(self.name)
            return
        if not tally.lacking and next(wanted, None) is not None:
            tally.lacking.append(f"stopped after {self.most} blocks")
        if not tree.leaves and not tally.lacking:
            tally.notes.append("the snapshot has no block: nothing was ever written to the disk")
        told = {"snapshot": self.snapshot_id, "root": tree.root, "resume": tree.json()} | sizes
        yield Item(f"{self.name}.tree", JSON, as_json(told), False, CALL)
        yield ended(tally, [one.json() for one in found]).item(self.name)

    def findings(self, items: Iterable[Item]) -> list[Differing]:
        """Return the blocks that are not what the provider's checksum says."""
        last = [one for one in items if one.name == f"{self.name}.outcome"]
        return [Differing(**found) for one in last for found in json.loads(one.data)["findings"]]

    def _room(self, tally: Tally) -> int:
        return max(0, min(self.segment_blocks, self.most - tally.counts["blocks"]))

    def _wanted(
        self, ebs: Client, tally: Tally, sizes: dict[str, Any]
    ) -> Iterator[Wanted | Missed]:
        """Yield the blocks to read, and a miss where the list breaks off; note the disk's sizes."""
        start, operation = self.resume.next_index, "list_snapshot_blocks"
        asked = {"SnapshotId": self.snapshot_id, "StartingBlockIndex": start}
        question = Question(f"ebs.{operation}", "ebs", operation, asked)
        try:
            for page in listing(ebs, question):
                sizes |= {"block_size": page["BlockSize"], "volume_gib": page["VolumeSize"]}
                for one in page["Blocks"]:
                    if one["BlockIndex"] >= start:
                        yield Wanted(self.snapshot_id, one["BlockIndex"], one["BlockToken"])
        except (ClientError, BotoCoreError) as error:
            yield Missed(question.name, question.call, code_of(error))


def _segment(snapshot_id: str, before: Resume, blocks: list[Block], after: Resume) -> bytes:
    """Return a part of the manifest: blocks as [index, size, SHA-256], and the tree's growth."""
    rows = [[block.index, block.size, block.sha256] for block in blocks]
    told = {"before": before.json(), "after": after.json(), "root": after.root}
    return as_json({"snapshot": snapshot_id, "blocks": rows} | told)


def _counted(snapshot_id: str, blocks: Iterable[Block], tally: Tally) -> list[Differing]:
    """Count blocks, and return those that differ from the provider's word."""
    found = []
    for block in blocks:
        tally.add("blocks")
        tally.add("bytes", block.size)
        if block.differs:
            tally.add("differing")
            found.append(Differing(snapshot_id, block.index, block.sha256, block.told))
        elif block.told:
            tally.add("verified")
        else:
            tally.add("without_checksum")
    return found
