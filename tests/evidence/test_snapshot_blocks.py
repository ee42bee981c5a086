"""A snapshot's blocks under one root: proved block by block, gone on with, checked again."""

import base64
import hashlib
import json
import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import SourceError
from evidence.merkle import leaf_hash, root_of
from evidence.sources.block_reading import WORKERS
from evidence.sources.block_tree import Block, Resume, grown, resume_of
from evidence.sources.item import Item, Missed
from evidence.sources.snapshot_blocks import SnapshotBlocks
from evidence.sources.snapshot_changes import SnapshotChanges
from tests.evidence.block_service import SIZE, snapshots
from tests.evidence.chamber import Chamber
from tests.evidence.cloud import ACCOUNT, REGION, client, moto_server

CHANCE = random.Random(11)


@pytest.fixture(scope="module")
def ebs() -> Iterator[Any]:
    with moto_server() as url:
        yield client("ebs", url)


def write(ebs: Any, blocks: dict[int, bytes], told: dict[int, bytes] | None = None) -> str:
    """Start a snapshot at moto with these blocks; `told` are checksums of other bytes."""
    snapshot: str = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    for index, data in blocks.items():
        digest = hashlib.sha256((told or {}).get(index, data)).digest()
        ebs.put_snapshot_block(
            SnapshotId=snapshot,
            BlockIndex=index,
            BlockData=data,
            DataLength=len(data),
            Checksum=base64.b64encode(digest).decode(),
            ChecksumAlgorithm="SHA256",
        )
    ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=len(blocks))
    return snapshot


class Found:
    def __init__(self, ebs: Any, source: Any) -> None:
        found = list(source.collect(SimpleNamespace(ebs=ebs)))
        self.items = {i.name: i for i in found if isinstance(i, Item)}
        self.missed = [m for m in found if isinstance(m, Missed)]
        self.outcome = json.loads(self.items[f"{source.name}.outcome"].data)
        assert found[-1].name == f"{source.name}.outcome"
        self.findings = source.findings(self.items.values()) if "blocks" in source.name else []

    def said(self, name: str) -> Any:
        return json.loads(self.items[name].data)

    @property
    def rows(self) -> list[Any]:
        parts = [n for n in self.items if n.rpartition(".")[2].isdigit()]
        return [row for name in sorted(parts) for row in self.said(name)["blocks"]]


def whole(snapshot: str, **changes: Any) -> SnapshotBlocks:
    return SnapshotBlocks(snapshot, ACCOUNT, REGION, **changes)


def disk(indexes: Any) -> dict[int, bytes]:
    return {index: CHANCE.randbytes(SIZE) for index in indexes}


def root(blocks: dict[int, bytes]) -> str:
    """The root, worked out apart from the source."""
    leaves = (i.to_bytes(8, "big") + hashlib.sha256(blocks[i]).digest() for i in sorted(blocks))
    return root_of(map(leaf_hash, leaves)).hex()


def test_every_block_is_hashed_verified_and_under_the_root(ebs: Any, chamber: Chamber) -> None:
    blocks = disk((0, 1, 2, 7, 9))
    snapshot = write(ebs, blocks)
    found = Found(ebs, whole(snapshot, segment_blocks=2))
    assert found.rows == [[i, SIZE, hashlib.sha256(blocks[i]).hexdigest()] for i in blocks]
    assert found.said("snapshot_blocks.tree")["root"] == root(blocks)
    assert found.outcome["counts"] == {
        "blocks": 5,
        "bytes": 5 * SIZE,
        "verified": 5,
        "differing": 0,
    }
    assert (found.outcome["state"], found.findings) == ("acquired", [])
    chamber.say("case.open", {})
    assert [chamber.keep(item)["name"] for item in found.items.values()] == list(found.items)


def test_a_block_that_is_not_what_the_provider_says_is_a_finding(ebs: Any) -> None:
    blocks = disk((0, 3, 4))
    found = Found(ebs, whole(write(ebs, blocks, told={3: b"other"})))
    (one,) = found.findings
    assert (one.index, one.told) == (3, hashlib.sha256(b"other").hexdigest())
    assert one.read == hashlib.sha256(blocks[3]).hexdigest()
    assert found.outcome["counts"]["verified"] == 2
    # The root is over what was read, not over what was said.
    assert found.said("snapshot_blocks.tree")["root"] == root(blocks)


def test_a_run_that_stopped_is_gone_on_with_to_the_same_root(ebs: Any) -> None:
    blocks = disk(range(0, 14, 2))
    snapshot = write(ebs, blocks)
    first = Found(ebs, whole(snapshot, most=3))
    assert first.outcome["state"] == "partial"
    left = resume_of(first.said("snapshot_blocks.tree")["resume"])
    second = Found(ebs, whole(snapshot, resume=left))
    assert second.outcome["state"] == "acquired"
    assert [row[0] for row in first.rows + second.rows] == sorted(blocks)
    assert second.said("snapshot_blocks.tree")["root"] == root(blocks)


def test_an_empty_snapshot_says_so_and_an_unknown_one_is_unsupported(ebs: Any) -> None:
    empty = Found(ebs, whole(write(ebs, {})))
    assert empty.outcome["state"] == "acquired"
    assert "nothing was ever written" in empty.outcome["why"][0]
    with snapshots({}) as (url, _):
        gone = Found(client("ebs", url), whole("snap-0"))
    assert gone.outcome["state"] == "unsupported"
    assert [m.error_code for m in gone.missed] == ["ResourceNotFoundException"]


def test_what_changed_between_two_snapshots_has_both_hashes(ebs: Any) -> None:
    before = disk((0, 1, 2))
    after = before | disk((1,))
    one, two = write(ebs, before), write(ebs, after)
    found = Found(ebs, SnapshotChanges(one, two, ACCOUNT, REGION))
    sums = [hashlib.sha256(each[1]).hexdigest() for each in (before, after)]
    assert found.rows == [
        {"index": 1, "first": _side(sums[0]), "second": _side(sums[1])},
    ]
    assert found.outcome["state"] == "acquired"
    assert found.outcome["counts"]["verified"] == 2
    same = Found(ebs, SnapshotChanges(one, one, ACCOUNT, REGION))
    assert "no changed block" in same.outcome["why"][0]


def _side(sha256: str) -> dict[str, str]:
    return {"sha256": sha256, "told": sha256}


def test_blocks_of_every_page_are_read_and_only_read() -> None:
    blocks = disk(range(11))
    with snapshots({"snap-1": blocks}) as (url, asked):
        made = client("ebs", url)
        calls: set[str] = set()
        made.meta.events.register("before-call", lambda model, **_: calls.add(model.name))
        found = Found(made, whole("snap-1"))
        later = blocks | {20: b"\x01" * SIZE} | {4: b"\x02" * SIZE}
    assert found.said("snapshot_blocks.tree")["root"] == root(blocks)
    assert len([path for path in asked if path.endswith("/blocks")]) == 3
    with snapshots({"snap-1": blocks, "snap-2": later}) as (url, _):
        made = client("ebs", url)
        made.meta.events.register("before-call", lambda model, **_: calls.add(model.name))
        changes = Found(made, SnapshotChanges("snap-1", "snap-2", ACCOUNT, REGION))
    assert [(row["index"], bool(row["first"])) for row in changes.rows] == [(4, True), (20, False)]
    assert {f"ebs:{call}" for call in calls} == {
        *SnapshotBlocks.permissions,
        *SnapshotChanges.permissions,
    }


def test_a_block_that_is_refused_stops_the_run_there_without_asking_for_all_the_rest() -> None:
    blocks = disk(range(6)) | dict.fromkeys(range(6, 150), b"\x00" * SIZE)
    with snapshots({"snap-1": blocks}, refused=3) as (url, asked):
        found = Found(client("ebs", url), whole("snap-1"))
    assert found.outcome["state"] == "partial"
    assert [m.error_code for m in found.missed] == ["AccessDeniedException"]
    assert found.said("snapshot_blocks.tree")["resume"]["next_index"] == 3
    assert len([path for path in asked if not path.endswith("/blocks")]) <= WORKERS * 4
    with snapshots({"snap-1": blocks}) as (url, _):
        left = resume_of(found.said("snapshot_blocks.tree")["resume"])
        rest = Found(client("ebs", url), whole("snap-1", resume=left))
    assert rest.said("snapshot_blocks.tree")["root"] == root(blocks)


def test_a_block_that_breaks_off_is_read_again() -> None:
    blocks = disk(range(3))
    with snapshots({"snap-1": blocks}, breaks=1) as (url, _):
        found = Found(client("ebs", url), whole("snap-1"))
    assert found.outcome["state"] == "acquired"
    assert found.said("snapshot_blocks.tree")["root"] == root(blocks)


HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)


@given(st.dictionaries(st.integers(0, 1 << 24), HASHES, max_size=40), st.data())
def test_the_root_does_not_tell_where_a_run_was_broken_off(
    hashes: dict[int, str], data: st.DataObject
) -> None:
    blocks = [Block(index, hashes[index], 1, "") for index in sorted(hashes)]
    cut = data.draw(st.integers(0, len(blocks)))
    left = resume_of(json.loads(json.dumps(grown(Resume(), blocks[:cut]).json())))
    assert grown(left, blocks[cut:]) == grown(Resume(), blocks)


def test_blocks_out_of_order_and_a_resume_that_does_not_fit_are_refused() -> None:
    one = Block(5, "ab" * 32, 1, "")
    with pytest.raises(SourceError, match="listed after"):
        grown(Resume(), [one, one])
    sound = grown(Resume(), [one]).json()
    for change in ({"leaves": 3, "next_index": 9}, {"peaks": []}, {"leaves": 9}, {"peaks": ["ab"]}):
        with pytest.raises(SourceError):
            resume_of(sound | change)
    with pytest.raises(SourceError, match="expected next_index"):
        resume_of({})
