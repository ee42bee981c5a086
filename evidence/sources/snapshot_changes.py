"""Which blocks differ between two snapshots of one disk, with the hashes of both sides."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from evidence.sources.ask import JSON, Client, Question, as_json, code_of
from evidence.sources.block_reading import Wanted, listing, read_blocks
from evidence.sources.item import Item, Missed
from evidence.sources.outcome import Tally, ended, unsupported
from evidence.sources.snapshot_blocks import SEGMENT, BlockClients

LIST = "list_changed_blocks"


@dataclass(frozen=True, slots=True)
class SnapshotChanges:
    """ListChangedBlocks from the first to the second, and GetSnapshotBlock of both sides of each.

    A side without a hash has no such block. That the rest is equal is the provider's word; the two
    roots of `SnapshotBlocks` prove it. `start` goes on where an outcome says that it stopped.
    """

    first_id: str
    second_id: str
    account: str
    region: str
    start: int = 0

    name: ClassVar[str] = "snapshot_changes"
    permissions: ClassVar[tuple[str, ...]] = ("ebs:GetSnapshotBlock", "ebs:ListChangedBlocks")

    def collect(self, clients: BlockClients) -> Iterator[Item | Missed]:
        """Yield the changed blocks in parts, and the outcome."""
        tally = Tally({"changed": 0, "verified": 0, "differing": 0})
        changes = self._changes(clients.ebs, tally)
        at = self.start
        while batch := list(itertools.islice(changes, SEGMENT)):
            missed = [one for one in batch if isinstance(one, Missed)]
            rows: list[dict[str, Any]] = []
            for one in (one for one in batch if isinstance(one, dict)):
                row = self._row(clients.ebs, one, tally)
                if isinstance(row, Missed):
                    missed.append(row)
                    break
                rows.append(row)
            if rows:
                part = f"{self.name}.{rows[0]['index']:08d}"
                told = {"first": self.first_id, "second": self.second_id, "blocks": rows}
                yield Item(part, JSON, as_json(told), False, f"ebs.{LIST}")
                at = rows[-1]["index"] + 1
            yield from map(tally.miss, missed)
            if missed:
                tally.lacking.append(f"stopped; go on with start={at}")
                break
        if "listed" not in tally.counts:
            why = f"the changes from {self.first_id} to {self.second_id} cannot be listed"
            yield unsupported(why, tally).item(self.name)
            return
        if not tally.counts["changed"] and not tally.counts.get("missed"):
            tally.notes.append("the provider lists no changed block")
        yield ended(tally).item(self.name)

    def _changes(self, ebs: Client, tally: Tally) -> Iterator[dict[str, Any] | Missed]:
        asked = {"FirstSnapshotId": self.first_id, "SecondSnapshotId": self.second_id}
        started = asked | ({"StartingBlockIndex": self.start} if self.start else {})
        question = Question(f"ebs.{LIST}", "ebs", LIST, started)
        try:
            for page in listing(ebs, question):
                tally.add("listed", len(page["ChangedBlocks"]))
                yield from (c for c in page["ChangedBlocks"] if c["BlockIndex"] >= self.start)
        except (ClientError, BotoCoreError) as error:
            yield Missed(question.name, question.call, code_of(error))

    def _row(self, ebs: Client, change: dict[str, Any], tally: Tally) -> dict[str, Any] | Missed:
        index = change["BlockIndex"]
        sides = {
            "first": Wanted(self.first_id, index, change.get("FirstBlockToken") or ""),
            "second": Wanted(self.second_id, index, change.get("SecondBlockToken") or ""),
        }
        held = {side: wanted for side, wanted in sides.items() if wanted.token}
        row: dict[str, Any] = {"index": index, "first": None, "second": None}
        for side, block in zip(held, read_blocks(ebs, held.values()), strict=True):
            if isinstance(block, Missed):
                return block
            row[side] = {"sha256": block.sha256, "told": block.told}
            tally.add("differing" if block.differs else "verified", int(bool(block.told)))
        tally.add("changed")
        return row
