"""Transit secrets engine (API)."""

import base64

import pytest

PLAIN = base64.b64encode(b"the quick brown fox").decode()


@pytest.fixture
def at(vault) -> str:
    mount = vault.mount("transit")
    vault.did("POST", f"{mount}/keys/app", {"type": "aes256-gcm96"})
    return mount


def sealed(vault, at, **more) -> str:
    body = {"plaintext": PLAIN, **more}
    return vault.did("POST", f"{at}/encrypt/app", body)["data"]["ciphertext"]


def opened(vault, at, text) -> str:
    return vault.did("POST", f"{at}/decrypt/app", {"ciphertext": text})["data"]["plaintext"]


def test_a_key_is_read_without_its_bytes_and_listed(vault, at):
    data = vault.did("GET", f"{at}/keys/app")["data"]
    assert (data["name"], data["type"]) == ("app", "aes256-gcm96")
    assert (data["min_decryption_version"], data["min_encryption_version"]) == (1, 0)
    assert (data["deletion_allowed"], data["exportable"]) == (False, False)
    assert set(data["keys"]) == {"1"}
    assert data["keys"]["1"] > 1_000_000_000
    assert vault.did("LIST", f"{at}/keys")["data"]["keys"] == ["app"]
    assert vault.status("GET", f"{at}/keys/none") == 404
    assert vault.status("POST", f"{at}/keys/app", {}) in (200, 204)
    assert set(vault.did("GET", f"{at}/keys/app")["data"]["keys"]) == {"1"}


def test_what_is_encrypted_is_decrypted_and_no_two_are_alike(vault, at):
    first, second = sealed(vault, at), sealed(vault, at)
    assert first.startswith("vault:v1:")
    assert first != second
    assert opened(vault, at, first) == opened(vault, at, second) == PLAIN


def test_nonsense_is_not_decrypted(vault, at):
    good = sealed(vault, at)
    head, _, body = good.rpartition(":")
    raw = bytearray(base64.b64decode(body))
    raw[-1] ^= 1
    forged = f"{head}:{base64.b64encode(raw).decode()}"
    for text in (forged, "nothing", "vault:v9:AAAA", f"vault:v1:{body[:8]}", "vault:v1:***"):
        assert vault.status("POST", f"{at}/decrypt/app", {"ciphertext": text}) == 400
    assert vault.status("POST", f"{at}/decrypt/none", {"ciphertext": good}) == 400
    assert vault.status("POST", f"{at}/encrypt/app", {"plaintext": "not base64!"}) == 400
    assert vault.status("POST", f"{at}/encrypt/app", {}) == 400


def test_rotation_keeps_old_versions_until_the_minimum_is_raised(vault, at):
    old = sealed(vault, at)
    assert vault.status("POST", f"{at}/keys/app/rotate") in (200, 204)
    assert set(vault.did("GET", f"{at}/keys/app")["data"]["keys"]) == {"1", "2"}
    assert sealed(vault, at).startswith("vault:v2:")
    assert opened(vault, at, old) == PLAIN
    new = vault.did("POST", f"{at}/rewrap/app", {"ciphertext": old})["data"]["ciphertext"]
    assert new.startswith("vault:v2:")
    raised = {"min_decryption_version": 2}
    assert vault.status("POST", f"{at}/keys/app/config", raised) in (200, 204)
    assert vault.status("POST", f"{at}/decrypt/app", {"ciphertext": old}) == 400
    assert vault.status("POST", f"{at}/rewrap/app", {"ciphertext": old}) == 400
    assert opened(vault, at, new) == PLAIN
    data = vault.did("GET", f"{at}/keys/app")["data"]
    assert (set(data["keys"]), data["min_decryption_version"]) == ({"2"}, 2)
    # Raising it is no deletion: it goes down again.
    vault.did("POST", f"{at}/keys/app/config", {"min_decryption_version": 1})
    assert opened(vault, at, old) == PLAIN


def test_minimums_stay_within_the_versions_there_are(vault, at):
    for wrong in ({"min_decryption_version": 2}, {"min_encryption_version": 2}):
        assert vault.status("POST", f"{at}/keys/app/config", wrong) == 400
    vault.did("POST", f"{at}/keys/app/rotate")
    assert sealed(vault, at, key_version=1).startswith("vault:v1:")
    vault.did("POST", f"{at}/keys/app/config", {"min_encryption_version": 2})
    body = {"plaintext": PLAIN, "key_version": 1}
    assert vault.status("POST", f"{at}/encrypt/app", body) == 400
    assert vault.status("POST", f"{at}/keys/none/config", {}) == 400


def test_trimming_takes_old_versions_for_good(vault, at):
    old = sealed(vault, at)
    vault.did("POST", f"{at}/keys/app/rotate")
    lowest = {"min_available_version": 2}
    assert vault.status("POST", f"{at}/keys/app/trim", lowest) == 400
    raised = {"min_decryption_version": 2, "min_encryption_version": 2}
    vault.did("POST", f"{at}/keys/app/config", raised)
    assert vault.status("POST", f"{at}/keys/app/trim", lowest) in (200, 204)
    lowered = {"min_decryption_version": 1}
    assert vault.status("POST", f"{at}/keys/app/config", lowered) == 400
    assert vault.status("POST", f"{at}/decrypt/app", {"ciphertext": old}) == 400


def test_a_key_is_deleted_only_where_that_is_allowed(vault, at):
    assert vault.status("DELETE", f"{at}/keys/app") == 400
    vault.did("POST", f"{at}/keys/app/config", {"deletion_allowed": True})
    assert vault.status("DELETE", f"{at}/keys/app") == 204
    assert vault.status("GET", f"{at}/keys/app") == 404
    assert vault.status("POST", f"{at}/keys/app/rotate") in (400, 404)


def test_a_batch_keeps_its_order(vault, at):
    plains = [base64.b64encode(text).decode() for text in (b"one", b"two")]
    batch = {"batch_input": [{"plaintext": p} for p in plains]}
    made = vault.did("POST", f"{at}/encrypt/app", batch)["data"]["batch_results"]
    again = {"batch_input": [{"ciphertext": m["ciphertext"]} for m in made]}
    found = vault.did("POST", f"{at}/decrypt/app", again)["data"]["batch_results"]
    assert [f["plaintext"] for f in found] == plains


def test_a_key_comes_to_be_by_encrypting_for_those_who_may_create(vault, at):
    rules = 'path "{}/encrypt/*" {{ capabilities = ["{}"] }}'
    for capability, status in (("update", 403), ("create", 200)):
        policy = vault.policy(rules.format(at, capability))
        token = vault.token(policies=[policy])["client_token"]
        path = f"{at}/encrypt/new"
        assert vault.status("POST", path, {"plaintext": PLAIN}, token=token) == status
