"""Key material: private to its owner, never overwritten, of the kind it is asked for."""

import json
import os
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from evidence import jws_offline, keys
from evidence.deposit import sign_manifest
from evidence.errors import KeyMaterialError
from evidence.jws_token import key_from_jwk
from evidence.manifest import TYP, read_manifest
from evidence.note import parse_vkey
from tests.evidence.test_manifest import MANIFEST

ORIGIN = "log.example/one"


@pytest.fixture
def made(tmp_path):
    return keys.create_keys(tmp_path / "keys")


def loaders(uris):
    return (
        lambda: keys.load_log(uris.log, ORIGIN),
        lambda: keys.load_manifest(uris.manifest),
        lambda: keys.load_wrap(uris.wrap),
    )


def paths(tmp_path):
    return sorted((tmp_path / "keys").iterdir())


def test_what_is_made_can_be_loaded_again_and_is_the_same(made):
    for load in loaders(made):
        first, second = load(), load()
        assert repr(first) == repr(second) or first.verifier == second.verifier
    assert keys.load_log(made.log, ORIGIN).verifier.name == ORIGIN
    assert len(keys.load_wrap(made.wrap).key) == 32


def test_folder_and_files_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        keys.create_keys(tmp_path / "keys")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in paths(tmp_path)} == {0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_can_reach_is_refused(made, tmp_path, mode):
    for path, load in zip(paths(tmp_path), loaders(made), strict=True):
        load()
        path.chmod(mode)
        with pytest.raises(KeyMaterialError, match="open to others"):
            load()


def test_a_folder_that_others_can_reach_is_refused(made, tmp_path):
    (tmp_path / "keys").chmod(0o755)
    for load in loaders(made):
        with pytest.raises(KeyMaterialError, match="open to others"):
            load()
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(KeyMaterialError, match="open to others"):
        keys.create_keys(tmp_path / "open")


def test_keys_are_never_overwritten(made, tmp_path):
    before = [p.read_bytes() for p in paths(tmp_path)]
    with pytest.raises(KeyMaterialError, match="never overwritten"):
        keys.create_keys(tmp_path / "keys")
    paths(tmp_path)[0].unlink()
    with pytest.raises(KeyMaterialError, match="never overwritten"):
        keys.create_keys(tmp_path / "keys")
    assert [p.read_bytes() for p in paths(tmp_path)] == before[1:]


def test_each_key_is_only_what_it_is_for(made):
    for load in (
        lambda: keys.load_log(made.manifest, ORIGIN),
        lambda: keys.load_log(made.wrap, ORIGIN),
        lambda: keys.load_manifest(made.log),
        lambda: keys.load_manifest(made.wrap),
        lambda: keys.load_wrap(made.log),
    ):
        with pytest.raises(KeyMaterialError):
            load()


def test_an_encrypted_or_foreign_curve_key_is_refused(made, tmp_path):
    for curve, protection in (
        (ec.SECP384R1(), serialization.NoEncryption()),
        (ec.SECP256R1(), serialization.BestAvailableEncryption(b"x")),
    ):
        pem = ec.generate_private_key(curve).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
        )
        (tmp_path / "keys" / "manifest.pem").write_bytes(pem)
        with pytest.raises(KeyMaterialError):
            keys.load_manifest(made.manifest)


@pytest.mark.parametrize(
    "uri",
    ["", "log.pem", "/log.pem", "env:KEY", "file:log.pem", "file://host/log.pem", "file:///no"],
)
def test_a_uri_that_leads_to_no_key_is_refused(uri):
    with pytest.raises(KeyMaterialError):
        keys.load_wrap(uri)


def test_a_link_or_a_folder_is_no_key(made, tmp_path):
    path = tmp_path / "keys" / "wrap.key"
    path.rename(tmp_path / "keys" / "real")
    path.symlink_to("real")
    with pytest.raises(KeyMaterialError, match="cannot be read"):
        keys.load_wrap(made.wrap)
    path.unlink()
    os.mkfifo(path, 0o600)
    with pytest.raises(KeyMaterialError, match="not a regular file"):
        keys.load_wrap(made.wrap)


def test_a_key_of_another_user_is_refused(made, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away; run as root to see this refused")
    os.chown(tmp_path / "keys" / "wrap.key", 65534, 65534)
    with pytest.raises(KeyMaterialError, match="belongs to user 65534"):
        keys.load_wrap(made.wrap)


def test_trust_is_public_and_opens_what_the_keys_sign(made):
    log, signer = keys.load_log(made.log, ORIGIN), keys.load_manifest(made.manifest)
    text = json.dumps(keys.trust(log.verifier, [signer.key.public_key()]))
    assert '"d"' not in text
    trust = json.loads(text)
    assert parse_vkey(trust["log_vkey"]) == log.verifier
    assert trust["origin"] == ORIGIN
    public = {jwk["kid"]: key_from_jwk(jwk) for jwk in trust["manifest_keys"]}
    token = sign_manifest(MANIFEST, signer)
    assert read_manifest(jws_offline.verify(token, public, TYP)) == MANIFEST


@given(st.integers(1, 2**128))
def test_a_key_id_belongs_to_one_key(number):
    key = ec.derive_private_key(number, ec.SECP256R1()).public_key()
    jwk = keys.public_jwk(key)
    assert key_from_jwk(jwk) == key
    assert jwk["kid"] == keys.thumbprint(key)
    other = ec.derive_private_key(number + 1, ec.SECP256R1()).public_key()
    assert keys.thumbprint(other) != jwk["kid"]


def test_no_private_part_shows_in_a_log_line(made):
    signer = keys.load_manifest(made.manifest)
    assert repr(signer) == f"ManifestKey(kid={signer.kid!r})"
