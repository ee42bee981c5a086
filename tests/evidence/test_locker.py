"""Artifacts: stored once under their hash, never silently different, secrets never in the clear."""

import hashlib
import io
import os
import random
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evidence import locker as locker_module
from evidence.errors import LockerError
from evidence.keys import WrapKey
from evidence.locker import CHUNK, Locker

WRAP = WrapKey("wrap:1", bytes(range(32)))
OTHER = WrapKey("wrap:2", bytes(32))


@pytest.fixture
def locker(tmp_path):
    return Locker(tmp_path / "locker", random.Random(1).randbytes)


def files(locker):
    return sorted(p for p in locker.root.rglob("*") if p.is_file())


@given(data=st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_put_comes_back_under_its_hash(locker, data):
    stored = locker.put(data)
    assert stored.sha256 == hashlib.sha256(data).hexdigest()
    assert stored.size == len(data)
    assert locker.read(stored.sha256) == data == (locker.root / stored.path).read_bytes()


@pytest.mark.parametrize("window", [CHUNK, 2 * CHUNK, locker_module.WINDOW])
@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 4 * CHUNK, 5 * CHUNK + 7])
def test_a_stream_is_stored_to_its_end(locker, monkeypatch, size, window):
    monkeypatch.setattr(locker_module, "WINDOW", window)
    data = random.Random(size).randbytes(size)
    stored = locker.put(io.BytesIO(data))
    assert (stored.sha256, stored.size) == (hashlib.sha256(data).hexdigest(), size)
    assert locker.read(stored.sha256) == data


def test_a_source_that_gives_a_little_at_a_time_is_read_to_its_end(locker):
    source, sink = os.pipe()
    os.write(sink, b"abc")
    os.write(sink, b"def")
    os.close(sink)
    with open(source, "rb", buffering=0) as stream:
        assert locker.read(locker.put(stream).sha256) == b"abcdef"


def test_the_same_content_is_stored_once(locker):
    assert locker.put(b"same") == locker.put(io.BytesIO(b"same"))
    assert len(files(locker)) == 1


def test_nobody_else_may_read_anything(locker):
    before = os.umask(0)
    try:
        locker.put(b"one")
        locker.put_sensitive(b"two", WRAP)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(p.stat().st_mode) for p in files(locker)}
    folders = {stat.S_IMODE(p.stat().st_mode) for p in [locker.root, *locker.root.rglob("*")]}
    assert modes == {0o600}
    assert folders == {0o600, 0o700}


def test_an_altered_artifact_is_neither_read_nor_taken_for_the_same_content(locker):
    stored = locker.put(b"content")
    (locker.root / stored.path).write_bytes(b"c0ntent")
    with pytest.raises(LockerError, match=f"{stored.sha256} was altered"):
        locker.read(stored.sha256)
    with pytest.raises(LockerError, match=f"{stored.sha256} was altered"):
        locker.put(b"content")


@pytest.mark.parametrize("at", [0, 2 * CHUNK + 5, 4 * CHUNK])
@pytest.mark.parametrize("window", [CHUNK, locker_module.WINDOW])
def test_a_disk_that_gives_back_other_bytes_is_noticed_and_leaves_no_name(
    locker, monkeypatch, at, window
):
    honest = os.pread

    def spoil(handle, size, start):
        data = honest(handle, size, start)
        place = at - start
        return data[:place] + b"X" + data[place + 1 :] if 0 <= place < len(data) else data

    monkeypatch.setattr(locker_module, "WINDOW", window)
    monkeypatch.setattr(locker_module.os, "pread", spoil)
    with pytest.raises(LockerError, match="check the disk"):
        locker.put(bytes(4 * CHUNK + 1))
    assert files(locker) == []


def test_a_disk_that_gives_back_too_little_is_noticed(locker, monkeypatch):
    monkeypatch.setattr(locker_module.os, "pread", lambda *_: b"")
    with pytest.raises(LockerError, match="check the disk"):
        locker.put(b"content")
    assert files(locker) == []


def test_a_source_that_breaks_off_leaves_nothing(locker):
    class Broken(io.RawIOBase):
        given = False

        def read(self, _size=-1):
            if self.given:
                raise OSError("gone")
            self.given = True
            return b"some"

    with pytest.raises(OSError, match="gone"):
        locker.put(Broken())
    assert files(locker) == []


def test_what_another_writes_is_left_alone_however_slow_it_is(locker):
    def read():
        if parts:
            return parts.pop()
        # Another puts something meanwhile, an hour later as it seems.
        (mine,) = locker.root.glob("incoming/*")
        os.utime(mine, (0, 0))
        locker.put(b"other")
        assert mine.exists()
        return b""

    parts = [b"slow"]
    assert locker.read(locker.put(read).sha256) == b"slow"
    assert not list(locker.root.glob("incoming/*"))


def test_bytes_are_synced_before_they_have_a_name_and_the_name_before_put_returns(
    locker, monkeypatch
):
    told = []
    sync, link = os.fsync, os.link

    def fsync(handle):
        told.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    def named(*names):
        told.append("name")
        link(*names)

    monkeypatch.setattr(locker_module.os, "fsync", fsync)
    monkeypatch.setattr(locker_module.os, "link", named)
    locker.put(b"content")
    at = told.index("name")
    assert "file" in told[:at]
    assert told[at + 1 :] == ["folder"]


@pytest.mark.parametrize(
    "name", ["", "..", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"]
)
def test_only_a_hash_is_a_name(locker, name):
    for reach in (locker.read, locker.open, locker.path_of):
        with pytest.raises(LockerError, match="no artifact name"):
            reach(name)


def test_a_missing_artifact_and_a_link_in_its_place_are_refused(locker):
    with pytest.raises(LockerError, match="cannot be read"):
        locker.read("ab" * 32)
    stored = locker.put(b"content")
    path = locker.root / stored.path
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))
    with pytest.raises(LockerError, match="cannot be read"):
        locker.open(stored.sha256)


def test_there_is_no_way_to_delete():
    assert not [n for n in dir(Locker) if "del" in n.strip("_") and not n.startswith("__")]


SECRET = b"password=hunter2 " * 10


def test_a_sensitive_artifact_lies_encrypted_under_its_ciphertexts_hash(locker):
    sealed = locker.put_sensitive(SECRET, WRAP)
    (path,) = files(locker)
    on_disk = path.read_bytes()
    assert b"hunter2" not in on_disk
    assert path.name == sealed.stored.sha256 == hashlib.sha256(on_disk).hexdigest()
    assert sealed.encryption.key == WRAP.reference
    assert sealed.plain_size == len(SECRET)
    assert locker.open_sensitive(sealed.stored.sha256, sealed.encryption, WRAP) == SECRET


def test_each_sensitive_artifact_has_a_key_of_its_own(locker):
    one, two = locker.put_sensitive(SECRET, WRAP), locker.put_sensitive(SECRET, WRAP)
    assert one.stored.sha256 != two.stored.sha256
    assert one.encryption.wrapped_key != two.encryption.wrapped_key
    with pytest.raises(LockerError, match="another key"):
        locker.open_sensitive(one.stored.sha256, two.encryption, WRAP)


def test_nothing_recorded_of_a_secret_lets_a_guess_be_confirmed(locker):
    sealed = locker.put_sensitive(SECRET, WRAP)
    recorded = repr(sealed)
    for digest in ("sha256", "sha512", "sha1", "md5", "blake2b"):
        assert hashlib.new(digest, SECRET).hexdigest() not in recorded
    assert locker.put_sensitive(SECRET, WRAP).plain_hmac != sealed.plain_hmac


def test_another_wrapping_key_opens_nothing(locker):
    sealed = locker.put_sensitive(SECRET, WRAP)
    for wrong in (OTHER, WrapKey(WRAP.reference, OTHER.key)):
        with pytest.raises(LockerError):
            locker.open_sensitive(sealed.stored.sha256, sealed.encryption, wrong)


def test_keys_never_show_in_a_log_line():
    assert WRAP.key.hex() not in repr(WRAP)
    assert repr(WRAP.key) not in repr(WRAP)
