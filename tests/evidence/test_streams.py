"""An item whose content is a stream is deposited block by block, with what it did not give."""

import hashlib
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evidence import jws
from evidence.deposit import Acquisition, deposit
from evidence.ingest import BLOCK, opened
from evidence.manifest import TYP, Gap, Manifest, read_manifest
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
