"""An erased key: the artifact is unreadable with everything else in hand, its proofs still hold."""

import os
import random
import shutil
import stat

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

from evidence.custody.record import view
from evidence.erasable import ErasableKeys
from evidence.errors import LockerError
from evidence.keys import WrapKey
from evidence.locker import Locker
from evidence.manifest_values import ERASABLE_WRAP, KEY_WRAP, Encryption
from evidence.verify import verify_bundle
from tests.evidence.chamber import CASE, USER_DATA

WRAP = WrapKey("wrap:1", bytes(range(32)))
SECRET = b"password=hunter2 " * 10
NAME = "ab" * 32


@pytest.fixture
def locker(tmp_path):
    return Locker(tmp_path / "locker", random.Random(1).randbytes)


def test_erasing_one_key_makes_that_artifact_unreadable_and_no_other(locker):
    one, two = locker.put_sensitive(SECRET, WRAP), locker.put_sensitive(SECRET, WRAP)
    before = locker.read(one.stored.sha256)
    locker.keys.erase(one.stored.sha256)
    assert not locker.keys.there(one.stored.sha256)
    with pytest.raises(LockerError, match="disposed of"):
        locker.open_sensitive(one.stored.sha256, one.encryption, WRAP)
    assert locker.read(one.stored.sha256) == before
    assert locker.open_sensitive(two.stored.sha256, two.encryption, WRAP) == SECRET


def test_no_other_key_in_the_folder_stands_in_for_an_erased_one(locker):
    one, two = locker.put_sensitive(SECRET, WRAP), locker.put_sensitive(SECRET, WRAP)
    locker.keys.erase(one.stored.sha256)
    locker.keys.put(one.stored.sha256, locker.keys.get(two.stored.sha256))
    with pytest.raises(LockerError, match="another key"):
        locker.open_sensitive(one.stored.sha256, one.encryption, WRAP)


def test_the_erasable_key_stands_in_no_manifest_and_under_no_wrap(locker):
    sealed = locker.put_sensitive(SECRET, WRAP)
    key = locker.keys.get(sealed.stored.sha256)
    assert sealed.encryption.wrap == ERASABLE_WRAP
    assert key.hex() not in repr(sealed)
    assert aes_key_wrap(WRAP.key, key).hex() not in sealed.encryption.wrapped_key


def test_the_locker_alone_reads_nothing_sensitive(locker, tmp_path):
    """So what backs it up for years keeps no artifact readable that is disposed of meanwhile."""
    sealed = locker.put_sensitive(SECRET, WRAP)
    copy = Locker(shutil.copytree(locker.root, tmp_path / "restored"))
    with pytest.raises(LockerError, match="was left behind"):
        copy.open_sensitive(sealed.stored.sha256, sealed.encryption, WRAP)


def test_erasing_twice_is_erasing_once(locker):
    sealed = locker.put_sensitive(SECRET, WRAP)
    for _ in range(2):
        locker.keys.erase(sealed.stored.sha256)
    assert not locker.keys.there(sealed.stored.sha256)


def test_erasing_overwrites_the_bytes_that_were_there(tmp_path):
    """A second name for the same file shows what its removal alone would have left."""
    keys = ErasableKeys(tmp_path / "keys")
    keys.put(NAME, b"k" * 32)
    os.link(keys.root / NAME[:2] / NAME, tmp_path / "left")
    keys.erase(NAME)
    assert (tmp_path / "left").read_bytes() == bytes(32)


def test_a_key_torn_or_half_erased_is_none(tmp_path):
    keys = ErasableKeys(tmp_path / "keys")
    keys.put(NAME, b"k" * 32)
    for left in (b"", b"k" * 31, bytes(32), b"k" * 33):
        (keys.root / NAME[:2] / NAME).write_bytes(left)
        with pytest.raises(LockerError, match="holds no key"):
            keys.get(NAME)


def test_a_key_is_never_replaced_and_is_closed_to_others(tmp_path):
    keys = ErasableKeys(tmp_path / "keys")
    keys.put(NAME, b"k" * 32)
    with pytest.raises(LockerError, match="has an erasable key already"):
        keys.put(NAME, b"l" * 32)
    path = keys.root / NAME[:2] / NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(f.stat().st_mode) for f in (keys.root, path.parent)} == {0o700}


@pytest.mark.parametrize("name", ["../x", "AB" * 32, "", "ab" * 31])
def test_a_name_that_is_no_hash_reaches_no_file(tmp_path, name):
    keys = ErasableKeys(tmp_path / "keys")
    for act in (keys.get, keys.erase, keys.there, lambda n: keys.put(n, bytes(32))):
        with pytest.raises(LockerError, match="no artifact name"):
            act(name)


def test_a_link_is_not_followed(tmp_path):
    keys = ErasableKeys(tmp_path / "keys")
    keys.put(NAME, b"k" * 32)
    (tmp_path / "precious").write_bytes(b"p" * 32)
    path = keys.root / NAME[:2] / NAME
    path.unlink()
    path.symlink_to(tmp_path / "precious")
    with pytest.raises(LockerError, match="cannot be erased"):
        keys.erase(NAME)
    assert (tmp_path / "precious").read_bytes() == b"p" * 32


def test_what_was_sealed_before_there_were_erasable_keys_still_opens(locker):
    sealed = locker.put_sensitive(SECRET, WRAP)
    inner = aes_key_unwrap(WRAP.key, bytes.fromhex(sealed.encryption.wrapped_key))
    data_key = aes_key_unwrap(locker.keys.get(sealed.stored.sha256), inner)
    locker.keys.erase(sealed.stored.sha256)
    old = Encryption(WRAP.reference, aes_key_wrap(WRAP.key, data_key).hex(), KEY_WRAP)
    assert locker.open_sensitive(sealed.stored.sha256, old, WRAP) == SECRET


def test_a_bundle_still_verifies_after_its_artifacts_key_is_erased(filled):
    with filled.begin() as conn:
        artifacts = view(conn, CASE).artifacts.values()
    [sealed] = [a.stored_sha256 for a in artifacts if a.name == USER_DATA.name]
    before = verify_bundle(filled.export("before"), filled.trust)
    filled.locker.keys.erase(sealed)
    after = verify_bundle(filled.export("after"), filled.trust)
    assert before.exit_code == after.exit_code == 3
    assert before.problems == after.problems
