"""/sys/mounts and /sys/auth (API)."""

import pytest


def test_an_engine_is_enabled_listed_tuned_and_disabled(vault):
    path = vault.mount("kv", description="mine", options={"version": "2"})
    listed = vault.did("GET", "sys/mounts")
    assert listed["data"][f"{path}/"] == listed[f"{path}/"]
    entry = listed["data"][f"{path}/"]
    assert (entry["type"], entry["description"]) == ("kv", "mine")
    assert entry["options"] == {"version": "2"}
    assert entry["accessor"]
    tuned = {"default_lease_ttl": "1h", "max_lease_ttl": "2h", "description": "ours"}
    assert vault.status("POST", f"sys/mounts/{path}/tune", tuned) == 204
    data = vault.did("GET", f"sys/mounts/{path}/tune")["data"]
    assert (data["default_lease_ttl"], data["max_lease_ttl"]) == (3600, 7200)
    assert data["description"] == "ours"
    assert vault.status("DELETE", f"sys/mounts/{path}") == 204
    assert f"{path}/" not in vault.did("GET", "sys/mounts")["data"]


def test_a_method_is_enabled_listed_tuned_and_disabled(vault):
    path = vault.auth("approle")
    listed = vault.did("GET", "sys/auth")["data"]
    assert listed[f"{path}/"]["type"] == "approle"
    assert listed[f"{path}/"]["accessor"].startswith("auth_approle_")
    assert listed["token/"]["type"] == "token"
    assert vault.did("GET", f"sys/auth/{path}")["data"]["type"] == "approle"
    # "The same functionality can be achieved without sudo via sys/mounts/auth/...".
    for at in (f"sys/auth/{path}/tune", f"sys/mounts/auth/{path}/tune"):
        assert vault.status("POST", at, {"max_lease_ttl": 60}) == 204
        assert vault.did("GET", at)["data"]["max_lease_ttl"] == 60
    assert vault.status("DELETE", f"sys/auth/{path}") == 204
    assert f"{path}/" not in vault.did("GET", "sys/auth")["data"]
    assert vault.status("POST", f"auth/{path}/login", {"role_id": "x"}, token="") in (403, 404)


def test_a_tuned_maximum_binds_later_logins(vault):
    path = vault.auth("userpass")
    vault.did("POST", f"sys/auth/{path}/tune", {"max_lease_ttl": 60})
    vault.did("POST", f"auth/{path}/users/a", {"password": "correct horse", "token_ttl": "1h"})
    body = {"password": "correct horse"}
    auth = vault.did("POST", f"auth/{path}/login/a", body, token="")["auth"]
    assert auth["lease_duration"] == 60


@pytest.mark.parametrize("place", ["mounts", "auth"])
def test_a_path_is_taken_once_and_of_a_known_kind(vault, place):
    kv = {"type": "kv", "options": {"version": "2"}}
    path = vault.mount("kv", options=kv["options"]) if place == "mounts" else vault.auth("approle")
    body = kv if place == "mounts" else {"type": "approle"}
    assert vault.status("POST", f"sys/{place}/{path}", body) == 400
    other = vault.name("other")
    assert vault.status("POST", f"sys/{place}/{other}", {"type": "no-such-kind"}) in (400, 404)
    assert vault.status("POST", f"sys/{place}/{other}", {}) == 400


def test_what_vault_stands_on_is_not_taken_away(vault):
    for path in ("sys/mounts/sys", "sys/mounts/identity", "sys/auth/token"):
        assert vault.status("DELETE", path) == 400


def test_methods_are_for_sudo(vault):
    name = vault.name("mine")
    policy = vault.policy('path "sys/auth/*" { capabilities = ["create", "update", "delete"] }')
    token = vault.token(policies=[policy])["client_token"]
    assert vault.status("POST", f"sys/auth/{name}", {"type": "approle"}, token=token) == 403
    assert vault.status("DELETE", f"sys/auth/{name}", token=token) == 403
