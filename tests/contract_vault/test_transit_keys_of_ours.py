"""Stanch's own three keys in a Vault, through hvac: what `evidence.signing` relies on."""

import hvac
import pytest

from evidence.errors import KeyMaterialError, KeyServiceError
from evidence.keys import load_log, load_manifest, load_wrap
from evidence.note import open_note, sign_note
from evidence.signing.place import Clients

ORIGIN, KEY = "log.example/one", b"k" * 40
ABOUT = {"artifact_id": "1", "case": "2"}
TYPES = {"log": "ed25519", "manifest": "ecdsa-p256", "wrap": "aes256-gcm96"}


@pytest.fixture
def at(vault) -> str:
    mount = vault.mount("transit")
    for name, kind in TYPES.items():
        vault.did("POST", f"{mount}/keys/{name}", {"type": kind})
    return f"vault-transit://prod/{mount}"


@pytest.fixture
def clients(vault) -> Clients:
    client = hvac.Client(url=vault.url, token=vault.root, session=vault.session)
    return Clients(lambda name: client, lambda account, region: None)


def test_each_of_the_three_does_its_work(at, clients):
    log = load_log(f"{at}/log?version=1", ORIGIN, clients)
    assert open_note(sign_note("one\n", log), [log.verifier]) == "one\n"
    manifest = load_manifest(f"{at}/manifest?version=1", clients)
    assert manifest.key.verify(b"message", manifest.key.sign(b"message"))
    wrap = load_wrap(f"{at}/wrap?version=1", clients)
    wrapped = wrap.wrap(KEY, ABOUT)
    assert wrap.unwrap(wrapped, ABOUT) == KEY
    with pytest.raises(ValueError, match="does not decrypt"):
        wrap.unwrap(wrapped, ABOUT | {"case": "3"})


def test_a_version_that_is_not_there_and_a_wrong_type_are_told_apart(at, clients):
    with pytest.raises(KeyMaterialError, match="no version 2"):
        load_log(f"{at}/log?version=2", ORIGIN, clients)
    with pytest.raises(KeyMaterialError, match="of type ed25519; the manifest key must be ecdsa"):
        load_manifest(f"{at}/log?version=1", clients)
    with pytest.raises(KeyServiceError, match="there is no key"):
        load_manifest(f"{at}/none?version=1", clients)
