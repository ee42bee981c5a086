"""/sys/health, /sys/seal-status, /sys/seal, /sys/unseal, /sys/generate-root, /sys/capabilities."""

import base64


def test_health_needs_no_token_and_takes_the_status_to_answer(vault):
    answer = vault.ask("GET", "sys/health", token="")
    assert answer.status_code == 200
    data = answer.json()
    assert (data["initialized"], data["sealed"], data["standby"]) == (True, False, False)
    assert data["version"]
    assert data["server_time_utc"] > 0
    assert vault.status("GET", "sys/health?activecode=299", token="") == 299
    head = vault.ask("HEAD", "sys/health", token="")
    assert (head.status_code, head.content) == (200, b"")


def test_the_seals_status_needs_no_token(vault):
    data = vault.did("GET", "sys/seal-status", token="")
    assert (data["sealed"], data["initialized"], data["progress"]) == (False, True, 0)
    assert data["t"] <= data["n"]
    assert vault.did("GET", "sys/init", token="") == {"initialized": True}
    assert "ha_enabled" in vault.did("GET", "sys/leader", token="")


def test_sealing_is_for_sudo(vault):
    policy = vault.policy('path "sys/seal" { capabilities = ["update"] }')
    token = vault.token(policies=[policy])["client_token"]
    assert vault.status("PUT", "sys/seal", token=token) == 403
    assert vault.did("GET", "sys/seal-status")["sealed"] is False


def test_a_sealed_vault_answers_503_until_enough_shares_are_given(vault, world):
    auth = vault.token(policies=["default"], ttl="1h")
    assert vault.status("PUT", "sys/seal") == 204
    for method, path in (("GET", "auth/token/lookup-self"), ("GET", "sys/mounts"), ("GET", "no")):
        answer = vault.ask(method, path)
        assert answer.status_code == 503
        assert answer.json()["errors"] == ["Vault is sealed"]
    assert vault.status("GET", "sys/health", token="") == 503
    assert vault.status("GET", "sys/leader", token="") == 503
    assert vault.status("GET", "sys/health?sealedcode=298", token="") == 298
    first, second, third, *_ = world.unseal_keys
    assert vault.status("POST", "sys/unseal", {"key": "wrong"}, token="") == 400
    for share, progress in ((first, 1), (first, 1), (second, 2)):
        data = vault.did("POST", "sys/unseal", {"key": share}, token="")
        assert (data["sealed"], data["progress"]) == (True, progress)
    assert vault.did("POST", "sys/unseal", {"reset": True}, token="")["progress"] == 0
    for share in (first, second, third):
        data = vault.did("POST", "sys/unseal", {"key": share}, token="")
    assert (data["sealed"], data["progress"]) == (False, 0)
    assert vault.status("GET", "auth/token/lookup-self", token=auth["client_token"]) == 200


def test_nothing_expires_unseen_while_it_is_sealed(vault, world):
    auth = vault.token(policies=["default"], ttl="60s")
    vault.did("PUT", "sys/seal")
    vault.pause(61)
    for share in world.unseal_keys[:3]:
        vault.did("POST", "sys/unseal", {"key": share}, token="")
    assert vault.status("GET", "auth/token/lookup-self", token=auth["client_token"]) == 403


def test_an_attempt_at_a_root_token_is_seen_and_cancelled(vault):
    path = "sys/generate-root/attempt"
    assert vault.did("GET", path)["started"] is False
    made = vault.did("PUT", path, {})
    assert made["started"] is True
    assert made["nonce"]
    assert len(made["otp"]) == made["otp_length"]
    seen = vault.did("GET", path)
    assert (seen["started"], seen["nonce"], seen["progress"]) == (True, made["nonce"], 0)
    assert not seen.get("otp")
    assert vault.status("PUT", path, {}) == 400
    assert vault.status("DELETE", path) == 204
    assert vault.did("GET", path)["started"] is False
    assert vault.status("DELETE", path) == 204
    assert vault.status("PUT", "sys/generate-root/update", {"key": "a", "nonce": "b"}) == 400


def test_enough_shares_make_a_root_token_that_the_otp_uncovers(vault, world):
    made = vault.did("PUT", "sys/generate-root/attempt", {})
    wrong = {"key": world.unseal_keys[0], "nonce": "other"}
    assert vault.status("PUT", "sys/generate-root/update", wrong) == 400
    wrong = {"key": "other", "nonce": made["nonce"]}
    assert vault.status("PUT", "sys/generate-root/update", wrong) == 400
    for progress, share in enumerate(world.unseal_keys[:3], start=1):
        body = {"key": share, "nonce": made["nonce"]}
        done = vault.did("PUT", "sys/generate-root/update", body)
        assert (done["progress"], done["complete"]) == (progress, progress == 3)
    mixed = base64.b64decode(done["encoded_token"] + "==")
    token = bytes(a ^ b for a, b in zip(mixed, made["otp"].encode(), strict=True)).decode()
    data = vault.did("GET", "auth/token/lookup-self", token=token)["data"]
    assert data["policies"] == ["root"]
    assert vault.did("GET", "sys/generate-root/attempt")["started"] is False


def test_capabilities_are_told_for_a_token_itself_and_an_accessor(vault):
    policy = vault.policy('path "secret/a" { capabilities = ["read", "list"] }')
    auth = vault.token(policies=[policy])
    paths = {"paths": ["secret/a", "secret/b"]}
    answers = [
        vault.did("POST", "sys/capabilities", {**paths, "token": auth["client_token"]}),
        vault.did("POST", "sys/capabilities-self", paths, token=auth["client_token"]),
        vault.did("POST", "sys/capabilities-accessor", {**paths, "accessor": auth["accessor"]}),
    ]
    for data in (a["data"] for a in answers):
        assert sorted(data["secret/a"]) == ["list", "read"]
        assert data["secret/b"] == ["deny"]
    mine = vault.did("POST", "sys/capabilities-self", {"paths": ["secret/a"]})["data"]
    assert mine["capabilities"] == ["root"]
    assert vault.status("POST", "sys/capabilities-self", {}) == 400
    wrong = {**paths, "token": "none"}
    assert vault.status("POST", "sys/capabilities", wrong) in (400, 403)


def test_an_unknown_route_and_a_wrong_method_are_told_apart(vault):
    assert vault.status("GET", "sys/no-such-thing") in (404, 405)
    assert vault.status("DELETE", "sys/health") in (400, 404, 405)
    assert vault.status("GET", "auth/token/create") == 405
