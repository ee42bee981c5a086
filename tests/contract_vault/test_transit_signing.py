"""Transit secrets engine (API): keys that sign, what binds a ciphertext, what leaves the engine."""

import base64

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

MESSAGE = b"the head of a ledger\n"
INPUT = base64.b64encode(MESSAGE).decode()
P256, ED25519 = "ecdsa-p256", "ed25519"


@pytest.fixture
def at(vault) -> str:
    mount = vault.mount("transit")
    for kind in (P256, ED25519):
        vault.did("POST", f"{mount}/keys/{kind}", {"type": kind})
    vault.did("POST", f"{mount}/keys/app", {"type": "aes256-gcm96"})
    return mount


def public(vault, at, kind, version="1"):
    told = vault.did("GET", f"{at}/keys/{kind}")["data"]["keys"][version]["public_key"]
    if kind == ED25519:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(told, validate=True))
    return load_pem_public_key(told.encode())


def signed(vault, at, kind, **more) -> str:
    body = {"input": INPUT, **more}
    return vault.did("POST", f"{at}/sign/{kind}", body)["data"]["signature"]


def valid(vault, at, kind, signature, **more) -> bool:
    body = {"input": INPUT, "signature": signature, **more}
    return vault.did("POST", f"{at}/verify/{kind}", body)["data"]["valid"]


def test_a_signing_key_tells_what_it_is_and_its_public_half(vault, at):
    for kind in (P256, ED25519):
        data = vault.did("GET", f"{at}/keys/{kind}")["data"]
        assert (data["type"], data["supports_signing"]) == (kind, True)
        assert (data["exportable"], data["allow_plaintext_backup"]) == (False, False)
        assert data["derived"] is False
        assert public(vault, at, kind)
    assert vault.did("GET", f"{at}/keys/app")["data"]["supports_signing"] is False


def test_ed25519_signs_the_message_itself(vault, at):
    text = signed(vault, at, ED25519)
    prefix, _, signature = text.rpartition(":")
    assert prefix == "vault:v1"
    raw = base64.b64decode(signature, validate=True)
    public(vault, at, ED25519).verify(raw, MESSAGE)
    assert valid(vault, at, ED25519, text)


def test_jws_marshaling_gives_r_and_s_without_padding(vault, at):
    how = {"hash_algorithm": "sha2-256", "marshaling_algorithm": "jws"}
    text = signed(vault, at, P256, **how)
    signature = text.removeprefix("vault:v1:")
    assert "=" not in signature
    raw = base64.urlsafe_b64decode(signature + "==")
    assert len(raw) == 64
    r, s = (int.from_bytes(part, "big") for part in (raw[:32], raw[32:]))
    public(vault, at, P256).verify(encode_dss_signature(r, s), MESSAGE, ec.ECDSA(hashes.SHA256()))
    assert valid(vault, at, P256, text, **how)


def test_the_default_marshaling_is_der_and_the_hash_may_stand_in_the_path(vault, at):
    der = base64.b64decode(signed(vault, at, P256).removeprefix("vault:v1:"), validate=True)
    public(vault, at, P256).verify(der, MESSAGE, ec.ECDSA(hashes.SHA256()))
    told = vault.did("POST", f"{at}/sign/{P256}/sha2-256", {"input": INPUT})["data"]
    body = {"input": INPUT, "signature": told["signature"]}
    assert vault.did("POST", f"{at}/verify/{P256}/sha2-256", body)["data"]["valid"]


def test_another_message_or_signature_is_not_valid(vault, at):
    text = signed(vault, at, ED25519)
    other = {"input": base64.b64encode(b"other").decode(), "signature": text}
    assert vault.did("POST", f"{at}/verify/{ED25519}", other)["data"]["valid"] is False
    for wrong in ("nothing", "vault:v9:AAAA"):
        body = {"input": INPUT, "signature": wrong}
        assert vault.status("POST", f"{at}/verify/{ED25519}", body) == 400


def test_a_version_is_signed_with_as_long_as_the_minimum_allows(vault, at):
    assert vault.status("POST", f"{at}/keys/{ED25519}/rotate") in (200, 204)
    assert signed(vault, at, ED25519).startswith("vault:v2:")
    old = signed(vault, at, ED25519, key_version=1)
    public(vault, at, ED25519).verify(base64.b64decode(old[len("vault:v1:") :]), MESSAGE)
    for number in (3, 9):
        body = {"input": INPUT, "key_version": number}
        assert vault.status("POST", f"{at}/sign/{ED25519}", body) == 400
    vault.did("POST", f"{at}/keys/{ED25519}/config", {"min_encryption_version": 2})
    body = {"input": INPUT, "key_version": 1}
    assert vault.status("POST", f"{at}/sign/{ED25519}", body) == 400


def test_each_type_does_only_what_it_is_for(vault, at):
    assert vault.status("POST", f"{at}/sign/app", {"input": INPUT}) == 400
    assert vault.status("POST", f"{at}/sign/none", {"input": INPUT}) == 400
    assert vault.status("POST", f"{at}/encrypt/{P256}", {"plaintext": INPUT}) == 400


def test_no_key_leaves_unless_it_was_made_to(vault, at):
    for kind, what in ((P256, "signing-key"), (ED25519, "signing-key"), ("app", "encryption-key")):
        assert vault.status("GET", f"{at}/export/{what}/{kind}") == 400
        assert vault.status("GET", f"{at}/backup/{kind}") in (400, 500)
    assert vault.status("GET", f"{at}/export/signing-key/none") == 404
    body = {"type": ED25519, "exportable": True, "allow_plaintext_backup": True}
    vault.did("POST", f"{at}/keys/loose", body)
    data = vault.did("GET", f"{at}/keys/loose")["data"]
    assert (data["exportable"], data["allow_plaintext_backup"]) == (True, True)
    assert vault.did("GET", f"{at}/export/signing-key/loose")["data"]["keys"]["1"]
    assert vault.did("GET", f"{at}/backup/loose")["data"]["backup"]
    # Neither is ever taken back.
    off = {"exportable": False, "allow_plaintext_backup": False}
    vault.ask("POST", f"{at}/keys/loose/config", off)
    data = vault.did("GET", f"{at}/keys/loose")["data"]
    assert (data["exportable"], data["allow_plaintext_backup"]) == (True, True)


def test_what_is_bound_opens_only_with_what_it_was_bound_to(vault, at):
    bound = {"associated_data": base64.b64encode(b"artifact 1").decode()}
    told = vault.did("POST", f"{at}/encrypt/app", {"plaintext": INPUT} | bound)["data"]
    sealed = {"ciphertext": told["ciphertext"]}
    assert vault.did("POST", f"{at}/decrypt/app", sealed | bound)["data"]["plaintext"] == INPUT
    other = {"associated_data": base64.b64encode(b"artifact 2").decode()}
    assert vault.status("POST", f"{at}/decrypt/app", sealed | other) == 400
    assert vault.status("POST", f"{at}/decrypt/app", sealed) == 400


def test_a_data_key_comes_with_its_ciphertext_or_as_that_alone(vault, at):
    told = vault.did("POST", f"{at}/datakey/plaintext/app", {})["data"]
    assert len(base64.b64decode(told["plaintext"])) == 32
    body = {"ciphertext": told["ciphertext"]}
    opened = vault.did("POST", f"{at}/decrypt/app", body)["data"]["plaintext"]
    assert opened == told["plaintext"]
    assert "plaintext" not in vault.did("POST", f"{at}/datakey/wrapped/app", {})["data"]
    assert vault.status("POST", f"{at}/datakey/other/app", {}) == 400
