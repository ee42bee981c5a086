"""A bundle sealed in one file: its recipients have it back to the byte, and nobody else has any."""

import base64
import io
import os
import random
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import bundle_tar, enclosure, zipapp_build
from evidence.__main__ import main
from evidence.chunked import CHUNK, KEY, SALT, cipher
from evidence.enclosure import seal, unseal
from evidence.errors import BundleError, KeyMaterialError
from evidence.key_files import pem
from evidence.recipients import read_private, read_public, wrap_for
from evidence.verify import verify_bundle

ALICE, BOB, EVE = (X25519PrivateKey.generate() for _ in range(3))


def sealed(bundle, *keys, chance=os.urandom):
    into = io.BytesIO()
    seal(bundle, [key.public_key() for key in keys], into, chance)
    return into.getvalue()


def contents(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_every_recipient_has_the_bundle_back_and_it_verifies(original, tmp_path):
    chamber, bundle = original
    data = sealed(bundle, ALICE, BOB)
    for name, key in (("alice", ALICE), ("bob", BOB)):
        unseal(io.BytesIO(data), key, tmp_path / name)
        assert contents(tmp_path / name) == contents(bundle)
        assert verify_bundle(tmp_path / name, chamber.trust).exit_code == 3
    assert all(p.stat().st_mode & 0o077 == 0 for p in (tmp_path / "bob").rglob("*"))


def test_nobody_else_has_anything_of_it_and_nothing_tells_whose_it_is(original, tmp_path):
    _, bundle = original
    data = sealed(bundle, ALICE)
    with pytest.raises(BundleError, match="not sealed for this key"):
        unseal(io.BytesIO(data), EVE, tmp_path / "eve")
    assert not (tmp_path / "eve").exists()
    public = ALICE.public_key().public_bytes_raw()
    assert public not in data
    assert base64.b64encode(public) not in data
    for word in (b"INC-1", b"alice@example.org", b"BagIt", b"entries.jsonl"):
        assert word not in data
    assert sealed(bundle, ALICE) != data


def test_any_changed_byte_any_cut_and_anything_added_is_refused(original, tmp_path):
    _, bundle = original
    data = sealed(bundle, ALICE, BOB)
    chance = random.Random(3)
    head = data.index(b"\n\n") + 2
    spots = [*range(0, head, 7), *(chance.randrange(len(data)) for _ in range(40)), len(data) - 1]
    spoiled = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in spots]
    spoiled += [data[:cut] for cut in (0, 10, head, head + 60, len(data) - 1, len(data) - 17)]
    spoiled += [data[: head + 56 + (CHUNK + 16) * n] for n in range(1, 3)]
    spoiled += [data + b"\0", data + data[head:]]
    for bad in spoiled:
        with pytest.raises(BundleError):
            unseal(io.BytesIO(bad), BOB, tmp_path / "out")
        assert not (tmp_path / "out").exists()


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 3 * CHUNK), min_size=1, max_size=4))
def test_files_of_any_size_come_back(tmp_path_factory, sizes):
    folder = tmp_path_factory.mktemp("any")
    (folder / "in" / "sub").mkdir(parents=True)
    for number, size in enumerate(sizes):
        (folder / "in" / "sub" / f"f{number}").write_bytes(random.Random(size).randbytes(size))
    unseal(io.BytesIO(sealed(folder / "in", ALICE)), ALICE, folder / "out")
    assert contents(folder / "out") == contents(folder / "in")


def test_the_tar_is_the_same_for_the_same_files_whatever_their_times_and_modes(original, tmp_path):
    copy = shutil.copytree(original[1], tmp_path / "copy")
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
        if path.is_file():
            path.chmod(0o644)
    one, two = io.BytesIO(), io.BytesIO()
    bundle_tar.write(original[1], one)
    bundle_tar.write(copy, two)
    assert one.getvalue() == two.getvalue()
    with tarfile.open(fileobj=io.BytesIO(one.getvalue())) as tar:
        members = tar.getmembers()
    assert [m.name for m in members] == sorted(m.name for m in members)
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {
        (0, 0, 0, "", "", 0o600)
    }


def member(name, kind=tarfile.REGTYPE, data=b"x", **more):
    made = tarfile.TarInfo(name)
    made.type, made.size = kind, len(data) if kind == tarfile.REGTYPE else 0
    for key, value in more.items():
        setattr(made, key, value)
    return made, data


@pytest.mark.parametrize(
    "members",
    [
        [member("../evil")],
        [member("/etc/evil")],
        [member("a/../../evil")],
        [member("link", tarfile.SYMTYPE, linkname="/etc/passwd")],
        [member("link", tarfile.LNKTYPE, linkname="a")],
        [member("fifo", tarfile.FIFOTYPE)],
        [member("folder", tarfile.DIRTYPE)],
        [member("a"), member("a")],
        [member("b"), member("a")],
        [member("a"), member("a/b")],
        [member("x\u202ey")],
    ],
    ids=range(11),
)
def test_a_hostile_tar_writes_nothing_outside_and_leaves_nothing(tmp_path, members):
    """Whoever has a recipient's public key can seal whatever they like for them."""
    inner = io.BytesIO()
    with tarfile.open(mode="w", fileobj=inner, format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    file_key = os.urandom(KEY)
    head = enclosure.MAGIC
    for public, wrapped in wrap_for([ALICE.public_key()], file_key, os.urandom):
        lines = [base64.b64encode(part).decode() for part in (public, wrapped)]
        head += f"x25519 {' '.join(lines)}\n".encode()
    head += b"\n"
    made = cipher(file_key, os.urandom(SALT), enclosure._context(head))
    sealing = io.BytesIO()
    sink = enclosure._Sealing(made, sealing)
    sink.write(inner.getvalue())
    sink.finish()
    before = set(tmp_path.parent.rglob("*"))
    with pytest.raises(BundleError):
        unseal(io.BytesIO(head + made.header + sealing.getvalue()), ALICE, tmp_path / "out")
    assert set(tmp_path.parent.rglob("*")) == before


def test_a_recipient_s_key_that_makes_no_secret_is_refused(original):
    with pytest.raises(KeyMaterialError, match="makes no secret"):
        seal(original[1], [X25519PublicKey.from_public_bytes(bytes(32))], io.BytesIO(), os.urandom)
    with pytest.raises(BundleError, match="0 recipients"):
        seal(original[1], [], io.BytesIO(), os.urandom)


def test_what_no_bundle_holds_is_not_sealed(original, tmp_path):
    copy = shutil.copytree(original[1], tmp_path / "copy")
    (copy / "link").symlink_to("/etc/passwd")
    with pytest.raises(BundleError, match="link"):
        sealed(copy, ALICE)


@pytest.fixture
def key_files(tmp_path):
    """A key pair as OpenSSL makes it, in a folder that is closed to others."""
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    private, public = folder / "key.pem", folder / "pub.pem"
    if shutil.which("openssl") is None:
        pytest.skip("no openssl; install OpenSSL 3 to make keys with it")
    make = ["openssl", "genpkey", "-algorithm", "X25519", "-out", private]
    subprocess.run(make, check=True, capture_output=True)
    private.chmod(0o600)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    return private, public


def test_on_the_command_line_with_keys_that_openssl_made(original, tmp_path, key_files, capsys):
    private, public = key_files
    path = tmp_path / "case.sealed"
    with path.open("wb") as into:
        seal(original[1], [read_public(public)], into, os.urandom)
    out = tmp_path / "out"
    assert main(["open", str(path), "--key", str(private), "-o", str(out)]) == 0
    assert contents(out) == contents(original[1])
    assert main(["open", str(path), "--key", str(private), "-o", str(out)]) == 1
    assert "never" in capsys.readouterr().err or (out / "bagit.txt").is_file()
    pyz = tmp_path / "stanch-verify.pyz"
    zipapp_build.build(pyz)
    command = [sys.executable, "-I", pyz, "open", path, "--key", private, "-o", tmp_path / "two"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert contents(tmp_path / "two") == contents(original[1])


def test_a_key_that_others_can_read_or_of_another_kind_opens_nothing(tmp_path, key_files):
    private, public = key_files
    for path in (public, tmp_path / "missing"):
        with pytest.raises(KeyMaterialError):
            read_private(path)
    with pytest.raises(KeyMaterialError, match="no public key"):
        read_public(private)
    private.chmod(0o644)
    with pytest.raises(KeyMaterialError, match="open to others"):
        read_private(private)
    private.chmod(0o600)
    assert read_private(private).public_key().public_bytes_raw() == (
        read_public(public).public_bytes_raw()
    )
    other = Path(private).with_name("other.pem")
    other.write_bytes(pem(EVE))
    other.chmod(0o600)
    assert read_private(other).private_bytes_raw() == EVE.private_bytes_raw()
