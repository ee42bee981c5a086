"""/sys/audit and /sys/audit-hash (API), and what a device's lines hold (docs/audit)."""

import json

import pytest


@pytest.fixture
def device(vault) -> str:
    """A device that a real server writes to nowhere; the simulator keeps its lines."""
    path = vault.name("audit")
    body = {"type": "file", "description": "mine", "options": {"file_path": "discard"}}
    answer = vault.ask("PUT", f"sys/audit/{path}", body)
    if answer.status_code == 400 and vault.world is None:
        pytest.skip("this server lets nobody enable audit devices over its API")
    assert answer.status_code == 204
    vault.later("DELETE", f"sys/audit/{path}")
    return path


def hashed(vault, device, value) -> str:
    answer = vault.did("POST", f"sys/audit-hash/{device}", {"input": value})
    assert answer["hash"] == answer["data"]["hash"]
    return answer["hash"]


def test_devices_are_listed_and_disabled(vault, device):
    entry = vault.did("GET", "sys/audit")["data"][f"{device}/"]
    assert (entry["type"], entry["description"]) == ("file", "mine")
    assert entry["options"]["file_path"] == "discard"
    body = {"type": "file", "options": {"file_path": "discard"}}
    assert vault.status("PUT", f"sys/audit/{device}", body) == 400
    assert vault.status("DELETE", f"sys/audit/{device}") == 204
    assert f"{device}/" not in vault.did("GET", "sys/audit")["data"]
    assert vault.status("PUT", f"sys/audit/{device}", {"type": "no-such-kind"}) in (400, 500)


def test_devices_are_for_sudo(vault, device):
    policy = vault.policy(
        'path "sys/audit*" { capabilities = ["read", "create", "update", "delete"] }'
    )
    token = vault.token(policies=[policy])["client_token"]
    assert vault.status("GET", "sys/audit", token=token) == 403
    assert vault.status("DELETE", f"sys/audit/{device}", token=token) == 403
    body = {"type": "file", "options": {"file_path": "discard"}}
    assert vault.status("PUT", f"sys/audit/{device}-2", body, token=token) == 403


def test_a_hash_is_the_devices_own_and_the_same_each_time(vault, device):
    mine = hashed(vault, device, "leaked value")
    assert mine.startswith("hmac-sha256:")
    assert mine == hashed(vault, device, "leaked value")
    assert mine != hashed(vault, device, "leaked valuf")
    body = {"type": "file", "options": {"file_path": "discard"}}
    vault.did("PUT", f"sys/audit/{device}-2", body)
    vault.later("DELETE", f"sys/audit/{device}-2")
    assert hashed(vault, f"{device}-2", "leaked value") != mine


def test_a_device_that_was_disabled_comes_back_with_another_salt(vault, device):
    before = hashed(vault, device, "leaked value")
    vault.did("DELETE", f"sys/audit/{device}")
    assert vault.status("POST", f"sys/audit-hash/{device}", {"input": "a"}) in (400, 404, 500)
    body = {"type": "file", "options": {"file_path": "discard"}}
    vault.did("PUT", f"sys/audit/{device}", body)
    assert hashed(vault, device, "leaked value") != before


def test_nothing_is_no_input(vault, device):
    assert vault.status("POST", f"sys/audit-hash/{device}", {"input": ""}) == 400


def test_the_lines_that_carried_a_value_are_found_by_its_hash_alone(vault, device):
    if vault.world is None:
        pytest.skip("a real server's audit file is not read here")
    mount = vault.mount("kv", options={"version": "2"})
    vault.did("POST", f"{mount}/data/a", {"data": {"password": "leaked value"}})
    auth = vault.token(policies=["default"], ttl="1h")
    vault.status("GET", f"{mount}/data/a", token=auth["client_token"])
    vault.did("GET", f"{mount}/data/a")
    lines = vault.world.audit_lines(device)
    assert not [line for line in lines if "leaked value" in line or auth["client_token"] in line]
    found = [json.loads(line) for line in lines if hashed(vault, device, "leaked value") in line]
    assert [(f["type"], f["request"]["operation"]) for f in found] == [
        ("request", "update"),
        ("response", "update"),
        ("response", "read"),
    ]
    assert {f["request"]["path"] for f in found} == {f"{mount}/data/a"}
    token = hashed(vault, device, auth["client_token"])
    used = [json.loads(line) for line in lines if f'"client_token": "{token}"' in line]
    assert [u["type"] for u in used] == ["response", "request", "response"]
    assert used[-1]["error"]
