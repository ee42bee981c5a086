"""Chunked encryption: what goes in comes out, at random too, and nothing altered passes."""

import hashlib
import io
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from evidence import chunked
from evidence.chunked import CHUNK, HEADER, SEALED, TAG, cipher, decrypt, sealed_size
from evidence.errors import LockerError
from evidence.ingest import BLOCK, Source, from_stream, ingest, opened

KEY, SALT = bytes(range(32)), bytes(range(24))
SIZES = st.one_of(
    st.integers(0, 100),
    st.sampled_from([k * CHUNK + d for k in (1, 2, 3, 64, 65) for d in (-1, 0, 1)]),
    st.integers(0, 3 * BLOCK),
)


def sealed(data: bytes, step: int = BLOCK) -> bytes:
    out = io.BytesIO()
    stream = io.BytesIO(data)
    found = ingest(lambda: stream.read(step), out.write, cipher(KEY, SALT))
    assert found.plain_sha256 == hashlib.sha256(data).hexdigest()
    assert found.stored_sha256 == hashlib.sha256(out.getvalue()).hexdigest()
    assert (found.plain_size, found.stored_size) == (len(data), len(out.getvalue()))
    return out.getvalue()


def filled(size: int) -> bytes:
    return (hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1))[:size]


@given(SIZES, st.sampled_from([BLOCK, CHUNK, 1000, 1 << 19, BLOCK + 7]))
def test_it_comes_back_and_has_the_length_that_is_said(size: int, step: int) -> None:
    data = filled(size)
    there = sealed(data, step if size // step < 5000 else BLOCK)
    assert len(there) == sealed_size(size)
    assert b"".join(decrypt(io.BytesIO(there), KEY)) == data


def test_it_is_made_as_the_specification_says() -> None:
    data = filled(2 * CHUNK + 5)
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00" + SALT
    derived = HKDFExpand(SHA256(), 76, info).derive(KEY)
    key, nonce, commitment = derived[:32], int.from_bytes(derived[32:44], "big"), derived[44:]
    expected = SALT + commitment
    for number in range(3):
        part = data[number * CHUNK : (number + 1) * CHUNK]
        expected += AESGCM(key).encrypt((nonce ^ number).to_bytes(12, "big"), part, None)
    assert sealed(data) == expected


@given(st.integers(0, 3 * CHUNK), st.data())
def test_a_changed_bit_anywhere_is_noticed(size: int, data: st.DataObject) -> None:
    there = bytearray(sealed(filled(size)))
    there[data.draw(st.integers(0, len(there) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(LockerError):
        list(decrypt(io.BytesIO(bytes(there)), KEY))


@given(st.integers(0, 3 * CHUNK), st.data())
def test_a_cut_anywhere_and_an_appendix_are_noticed(size: int, data: st.DataObject) -> None:
    there = sealed(filled(size))
    cut = data.draw(st.integers(0, len(there) - 1))
    for other in (there[:cut], there + b"\x00", there + there[HEADER:]):
        with pytest.raises(LockerError):
            list(decrypt(io.BytesIO(other), KEY))


def test_chunks_that_changed_places_are_noticed() -> None:
    there = sealed(filled(3 * CHUNK))
    one, two = (slice(HEADER + k * SEALED, HEADER + (k + 1) * SEALED) for k in (0, 1))
    swapped = there[:HEADER] + there[two] + there[one] + there[two.stop :]
    with pytest.raises(LockerError, match="chunk 0"):
        list(decrypt(io.BytesIO(swapped), KEY))


def test_another_key_or_context_opens_nothing() -> None:
    there = sealed(b"x")
    for key, context in ((bytes(32), b""), (KEY, b"other")):
        with pytest.raises(LockerError, match="another key"):
            list(decrypt(io.BytesIO(there), key, context))


@pytest.mark.parametrize(("key", "salt"), [(b"short", SALT), (KEY, b"short")])
def test_a_key_or_salt_of_another_length_is_refused(key: bytes, salt: bytes) -> None:
    with pytest.raises(LockerError, match="32 bytes"):
        cipher(key, salt)


def test_more_than_can_be_counted_is_refused() -> None:
    with pytest.raises(LockerError, match="4 PiB"):
        cipher(KEY, SALT).seal_last(b"", chunked.MAX_CHUNKS)


def test_a_writer_that_takes_less_fails_closed() -> None:
    def full(data: memoryview) -> None:
        raise OSError(28, "no space")

    with pytest.raises(OSError, match="no space"):
        ingest(from_stream(io.BytesIO(b"x")), full, cipher(KEY, SALT))


def test_a_source_that_changes_while_it_is_read_is_not_stable(tmp_path: Path) -> None:
    path = tmp_path / "live"
    path.write_bytes(b"x" * 100)
    with path.open("rb") as file:
        source = opened(file.fileno())
        assert source.read() == b"x" * 100
        assert source.stable()
        path.write_bytes(b"y" * 200)
        assert not source.stable()


def test_what_ends_early_is_told_as_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(b"x" * 100)
    with path.open("rb") as file:
        source = opened(file.fileno())
        os.truncate(path, 40)
        assert source.read() == b"x" * 40
        [gap] = source.all_gaps()
        assert (gap.start, gap.size) == (40, 60)


def test_a_sector_that_cannot_be_read_keeps_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "disk"
    path.write_bytes(b"x" * 20_000)
    whole = os.pread

    def broken(descriptor: int, size: int, at: int) -> bytes:
        if at < 12_288 and at + size > 8192:
            raise OSError(5, "Input/output error")
        return whole(descriptor, size, at)

    monkeypatch.setattr("evidence.ingest.os.pread", broken)
    with path.open("rb") as file:
        source: Source = opened(file.fileno())
        read = source.read()
    assert read == b"x" * 8192 + b"\x00" * 4096 + b"x" * (20_000 - 12_288)
    [gap] = source.all_gaps()
    assert (gap.start, gap.size, gap.why) == (8192, 4096, "Input/output error")


def test_the_tag_is_of_sixteen_bytes() -> None:
    assert len(sealed(b"")) == HEADER + TAG
