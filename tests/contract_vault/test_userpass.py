"""Userpass auth method (API)."""

import pytest

PASSWORD = {"password": "correct horse"}


@pytest.fixture
def at(vault) -> str:
    path = f"auth/{vault.auth('userpass')}"
    vault.did("POST", f"{path}/users/alice", {**PASSWORD, "token_policies": ["default"]})
    return path


def log_in(vault, at, name="alice", password=PASSWORD):
    return vault.ask("POST", f"{at}/login/{name}", password, token="")


def test_a_person_logs_in_by_name_and_password(vault, at):
    auth = log_in(vault, at).json()["auth"]
    assert auth["policies"] == ["default"]
    assert auth["metadata"] == {"username": "alice"}
    assert auth["orphan"] is True
    assert auth["entity_id"]
    data = vault.did("GET", "auth/token/lookup-self", token=auth["client_token"])["data"]
    assert data["path"] == f"{at}/login/alice"
    assert log_in(vault, at, password={"password": "wrong"}).status_code == 400
    assert log_in(vault, at, name="nobody").status_code == 400


def test_users_are_read_without_their_password_listed_and_deleted(vault, at):
    data = vault.did("GET", f"{at}/users/alice")["data"]
    assert data["token_policies"] == ["default"]
    assert PASSWORD["password"] not in str(data)
    assert vault.did("LIST", f"{at}/users")["data"]["keys"] == ["alice"]
    assert vault.status("DELETE", f"{at}/users/alice") == 204
    assert vault.status("GET", f"{at}/users/alice") == 404
    assert log_in(vault, at).status_code == 400


def test_a_new_user_needs_a_password(vault, at):
    assert vault.status("POST", f"{at}/users/bob", {"token_policies": ["default"]}) in (400, 500)


def test_a_changed_password_shuts_the_old_one_out(vault, at):
    new = {"password": "battery staple"}
    assert vault.status("POST", f"{at}/users/alice/password", new) == 204
    assert log_in(vault, at).status_code == 400
    assert log_in(vault, at, password=new).status_code == 200


def test_changed_policies_hold_from_the_next_login_on(vault, at):
    body = {"token_policies": ["default", "more"]}
    assert vault.status("POST", f"{at}/users/alice/policies", body) == 204
    assert sorted(log_in(vault, at).json()["auth"]["policies"]) == ["default", "more"]


def test_a_written_user_keeps_what_is_not_said_anew(vault, at):
    vault.did("POST", f"{at}/users/alice", {"token_ttl": "5m"})
    auth = log_in(vault, at).json()["auth"]
    assert (auth["policies"], auth["lease_duration"]) == (["default"], 300)
    new = {"password": "battery staple"}
    vault.did("POST", f"{at}/users/alice", new)
    assert log_in(vault, at, password=new).status_code == 200
    assert vault.status("POST", f"{at}/users/nobody/password", new) in (400, 500)


def test_people_come_from_within_their_blocks_only(vault, at):
    vault.did("POST", f"{at}/users/alice", {"token_bound_cidrs": ["203.0.113.0/24"]})
    assert log_in(vault, at).status_code in (400, 403)
