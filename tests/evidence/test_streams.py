"""An item whose content is a stream is deposited block by block, with what it did not give."""

import gzip
import hashlib
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import jws
from evidence.deposit import Acquisition, deposit
from evidence.ingest import BLOCK, opened
from evidence.manifest import TYP, Manifest, read_manifest
from evidence.manifest_values import Gap
from evidence.sources.inflated import Inflated
from evidence.sources.item import Item, Stream
from tests.evidence.chamber import Chamber

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
DATA = random.Random(5).randbytes(2 * BLOCK + 3)


def kept(chamber: Chamber, stream: Stream, *, sensitive: bool) -> Manifest:
    later = START + timedelta(hours=1)
    about = Acquisition("s", "t", "ab" * 16, START, START, now=lambda: later)
    item = Item("disk", "application/octet-stream", b"", sensitive, "file", stream)
    body = deposit(chamber.custody, item, about)
    token = chamber.locker.read(body["manifest_sha256"]).decode()
    public = {chamber.signer.kid: chamber.signer.key.public_key()}
    return read_manifest(jws.verify(token, public, TYP))


@pytest.mark.parametrize("sensitive", [False, True])
def test_a_file_is_an_item_and_was_acquired_when_its_reading_ended(
    chamber: Chamber, tmp_path: Path, sensitive: bool
) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        found = kept(chamber, opened(file.fileno()), sensitive=sensitive)
    assert (found.plain_size, found.gaps, found.source_stable) == (len(DATA), (), True)
    assert found.acquired_end.startswith("2026-11-23T11:00")
    if found.encryption:
        locker = chamber.locker
        assert locker.open_sensitive(found.stored_sha256, found.encryption, chamber.wrap) == DATA
    else:
        assert found.plain_digest == found.stored_sha256 == hashlib.sha256(DATA).hexdigest()


def test_a_file_that_shrinks_is_unstable_and_its_end_is_a_gap(
    chamber: Chamber, tmp_path: Path
) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        stream = opened(file.fileno())
        os.truncate(path, BLOCK)
        found = kept(chamber, stream, sensitive=True)
    assert not found.source_stable
    assert found.gaps == (Gap(BLOCK, BLOCK + 3, "the source ended before its size"),)
    assert found.plain_size == BLOCK


class Blocks:
    """A stream that gives these blocks."""

    def __init__(self, blocks: list[bytes]) -> None:
        self.left = [block for block in blocks if block]

    def read(self) -> bytes:
        return self.left.pop(0) if self.left else b""

    def stable(self) -> bool:
        return True

    def all_gaps(self) -> tuple[Gap, ...]:
        return ()


def passed(data: bytes, size: int) -> tuple[bytes, Inflated]:
    stream = Inflated(Blocks([data[i : i + size] for i in range(0, len(data), size)]))
    return b"".join(iter(stream.read, b"")), stream


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4), st.integers(1, 64))
def test_what_is_in_a_gzip_file_is_hashed_however_it_is_cut(parts: list[bytes], size: int) -> None:
    packed = b"".join(map(gzip.compress, parts))
    seen, stream = passed(packed, size)
    assert seen == packed
    assert stream.sha256() == hashlib.sha256(b"".join(parts)).hexdigest()


@given(st.binary(min_size=1, max_size=300), st.integers(1, 64), st.data())
def test_a_gzip_file_that_is_cut_or_altered_has_no_hash_of_its_content(
    content: bytes, size: int, data: st.DataObject
) -> None:
    packed = gzip.compress(content)
    cut = packed[: data.draw(st.integers(0, len(packed) - 1))]
    assert passed(cut, size)[1].sha256() == ""
    assert passed(b"\x00" + packed, size)[1].sha256() == ""


def test_a_small_file_that_holds_much_is_hashed_piece_by_piece() -> None:
    _, stream = passed(gzip.compress(bytes(64 << 20)), 1 << 20)
    assert stream.size == 64 << 20
    assert stream.sha256() == hashlib.sha256(bytes(64 << 20)).hexdigest()
