"""Token auth method (API): token roles, by which a token may be more than its maker."""

import pytest


@pytest.fixture
def role(vault) -> str:
    name = vault.name("role")
    body = {"allowed_policies": ["ops"], "orphan": True, "token_period": "1h", "renewable": True}
    vault.did("POST", f"auth/token/roles/{name}", body)
    vault.later("DELETE", f"auth/token/roles/{name}")
    return name


def test_roles_are_read_listed_and_deleted(vault, role):
    data = vault.did("GET", f"auth/token/roles/{role}")["data"]
    assert (data["name"], data["allowed_policies"], data["orphan"]) == (role, ["ops"], True)
    assert data["token_period"] == 3600
    assert role in vault.did("LIST", "auth/token/roles")["data"]["keys"]
    assert vault.status("DELETE", f"auth/token/roles/{role}") == 204
    assert vault.status("GET", f"auth/token/roles/{role}") == 404
    assert vault.status("POST", f"auth/token/create/{role}") == 400


def test_a_role_gives_a_periodic_orphan_of_its_policies_to_a_caller_without_them(vault, role):
    policy = vault.policy(f'path "auth/token/create/{role}" {{ capabilities = ["update"] }}')
    token = vault.token(policies=[policy])["client_token"]
    path = f"auth/token/create/{role}"
    auth = vault.did("POST", path, {"policies": ["ops"]}, token=token)["auth"]
    assert (sorted(auth["policies"]), auth["orphan"]) == (["default", "ops"], True)
    assert auth["lease_duration"] == 3600
    data = vault.did("POST", "auth/token/lookup", {"token": auth["client_token"]})["data"]
    assert (data["path"], data["period"], data["role"]) == (path, 3600, role)
    for wrong in (["other"], ["root"], ["ops", "other"]):
        assert vault.status("POST", path, {"policies": wrong}, token=token) == 400
    vault.did("POST", f"sys/leases/revoke-prefix/{path}", {"sync": True})
    assert vault.status("GET", "auth/token/lookup-self", token=auth["client_token"]) == 403


def test_a_role_may_forbid_policies_and_default_too(vault):
    name = vault.name("role")
    body = {"disallowed_policies": ["default", "ops"]}
    vault.did("POST", f"auth/token/roles/{name}", body)
    vault.later("DELETE", f"auth/token/roles/{name}")
    path = f"auth/token/create/{name}"
    for wrong in ("ops", "default"):
        assert vault.status("POST", path, {"policies": [wrong]}) == 400
    # What is not forbidden is allowed, whatever the caller has.
    auth = vault.did("POST", path, {"policies": ["other"]})["auth"]
    assert auth["policies"] == ["other"]
    vault.did("POST", "auth/token/revoke", {"token": auth["client_token"]})


def test_a_role_without_lists_gives_no_more_than_its_caller_has(vault):
    name = vault.name("role")
    vault.did("POST", f"auth/token/roles/{name}", {"renewable": False})
    vault.later("DELETE", f"auth/token/roles/{name}")
    path = f"auth/token/create/{name}"
    policy = vault.policy(f'path "{path}" {{ capabilities = ["update"] }}')
    token = vault.token(policies=[policy])["client_token"]
    auth = vault.did("POST", path, {"policies": [policy]}, token=token)["auth"]
    assert auth["renewable"] is False
    assert vault.status("POST", path, {"policies": ["other"]}, token=token) == 400
