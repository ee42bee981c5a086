"""Keys in a PKCS #11 token: SoftHSM2 as the HSM."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from evidence import jws
from evidence.errors import KeyMaterialError, KeyServiceError, LockerError
from evidence.keys import WrapKey, load_log, load_manifest, load_wrap, public_half
from evidence.note import open_note, sign_note
from evidence.sealed import data_key_of, fresh
from evidence.signing.place import NO_CLIENTS
from tests.evidence.token_site import PIN, aes, opened, pair, token, uri

pkcs11 = pytest.importorskip("pkcs11", reason="needs python-pkcs11: pip install -e .[pkcs11]")
ORIGIN = "log.example/one"


@pytest.fixture
def folder() -> Path:
    return token()


def test_the_log_and_manifests_are_signed_in_the_token(folder):
    log = load_log(uri(folder, "log"), ORIGIN)
    assert open_note(sign_note("one\n", log), [log.verifier]) == "one\n"
    key = load_manifest(uri(folder, "manifest"))
    token = jws.sign(b"{}", key.key, key.kid)
    assert jws.verify(token, {key.kid: key.public}) == b"{}"


def test_what_the_token_wraps_it_opens_and_nobody_else(folder):
    wrap = load_wrap(uri(folder, "wrap"))
    made = fresh(wrap, random.Random(1).randbytes)
    assert made.encryption.wrap == "A256KW+A256KW"
    assert data_key_of(made.encryption, wrap, lambda: made.erasable) == made.data_key
    other = WrapKey(wrap.reference, b"k" * 32)
    with pytest.raises(LockerError, match="altered"):
        data_key_of(made.encryption, other, lambda: made.erasable)
    wrapped = bytearray(wrap.wrap(b"k" * 40, {}))
    wrapped[3] ^= 1
    with pytest.raises(ValueError, match="does not unwrap"):
        wrap.unwrap(bytes(wrapped), {})


def test_a_key_that_can_be_extracted_or_is_another_kind_is_refused(folder):
    with opened() as session:
        loose = {pkcs11.Attribute.EXTRACTABLE: True}
        pair(session, "loose", "secp256r1", private_template=loose)
        aes(session, "loose-wrap", template=loose)
        aes(session, "short", bits=128)
        brought = {
            pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
            pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.AES,
            pkcs11.Attribute.VALUE: b"k" * 32,
            pkcs11.Attribute.LABEL: "brought",
            pkcs11.Attribute.TOKEN: True,
            pkcs11.Attribute.SENSITIVE: True,
            pkcs11.Attribute.EXTRACTABLE: False,
            pkcs11.Attribute.WRAP: True,
            pkcs11.Attribute.UNWRAP: True,
        }
        session.create_object(brought)
    for label, use, said in (
        ("loose", "manifest", "can be extracted, or once could"),
        ("loose-wrap", "wrap", "can be extracted, or once could"),
        ("brought", "wrap", "can be extracted, or once could"),
        ("short", "wrap", "no AES-256 key"),
        ("log", "manifest", "is a key of type EC_EDWARDS; the manifest key must be EC"),
        ("manifest", "log", "is a key of type EC; the log key must be EC_EDWARDS"),
    ):
        with pytest.raises(KeyMaterialError, match=said):
            public_half(uri(folder, label), use, NO_CLIENTS)
    assert public_half(uri(folder, "wrap"), "wrap", NO_CLIENTS) == b""


def test_a_token_or_key_that_is_not_there_or_a_wrong_pin_is_told_without_the_pin(folder):
    (folder / "wrong").write_text("canary-wrong")
    (folder / "wrong").chmod(0o600)
    for wrong in (
        uri(folder, "none"),
        uri(folder, "log", token="none"),
        uri(folder, "log", pin="wrong"),
        uri(folder, "log", module="/no/such/module.so"),
    ):
        with pytest.raises(KeyServiceError, match="the token does not read") as told:
            public_half(wrong, "log", NO_CLIENTS)
        assert "canary" not in str(told.value)


def test_a_pin_that_others_can_read_is_refused(folder):
    (folder / "open").write_text(PIN)
    (folder / "open").chmod(0o644)
    with pytest.raises(KeyMaterialError, match="open to others"):
        public_half(uri(folder, "log", pin="open"), "log", NO_CLIENTS)


def test_without_python_pkcs11_it_is_said_how_to_get_it(folder):
    code = (
        "import sys; sys.modules['pkcs11'] = None\n"
        "from evidence.keys import public_half\n"
        "from evidence.signing.place import NO_CLIENTS\n"
        f"public_half({uri(folder, 'log')!r}, 'log', NO_CLIENTS)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "needs python-pkcs11; install it with `pip install stanch[pkcs11]`" in ran.stderr
