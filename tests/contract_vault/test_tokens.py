"""Token auth method (API): create, look up, renew, revoke; HTTP API: authentication and errors."""

import pytest


def alive(vault, auth) -> bool:
    return vault.status("GET", "auth/token/lookup-self", token=auth["client_token"]) == 200


def test_a_request_without_a_token_or_with_a_wrong_one_is_refused_with_errors(vault):
    # "Error response": always a list under `errors`. Older servers say 400 without a token.
    missing = vault.ask("GET", "auth/token/lookup-self", token="")
    assert missing.status_code in (400, 403)
    assert missing.json()["errors"]
    wrong = vault.ask("GET", "auth/token/lookup-self", token="hvs.no-such-token")
    assert wrong.status_code == 403
    assert any("permission denied" in e for e in wrong.json()["errors"])


def test_a_bearer_header_is_as_good_as_vaults_own(vault):
    auth = vault.token(policies=["default"], ttl="1h")
    headers = {"Authorization": f"Bearer {auth['client_token']}"}
    answer = vault.ask("GET", "auth/token/lookup-self", token="", headers=headers)
    assert answer.json()["data"]["accessor"] == auth["accessor"]


def test_create_gives_a_token_with_an_accessor_and_its_policies(vault):
    answer = vault.did(
        "POST",
        "auth/token/create",
        {"policies": ["web", "stage"], "meta": {"user": "armon"}, "ttl": "1h", "renewable": True},
    )
    auth = answer["auth"]
    assert auth["client_token"]
    assert auth["accessor"]
    assert auth["client_token"] != auth["accessor"]
    assert sorted(auth["policies"]) == ["default", "stage", "web"]
    assert auth["metadata"] == {"user": "armon"}
    assert (auth["lease_duration"], auth["renewable"]) == (3600, True)
    assert (auth["token_type"], auth["orphan"], auth["num_uses"]) == ("service", False, 0)
    assert len(answer["warnings"]) >= 2  # Neither policy exists.
    assert answer["data"] is None
    vault.did("POST", "auth/token/revoke-accessor", {"accessor": auth["accessor"]})


def test_the_three_lookups_agree_and_the_accessors_hides_the_id(vault):
    auth = vault.token(policies=["default"], ttl="1h", display_name="me")
    by_token = vault.did("POST", "auth/token/lookup", {"token": auth["client_token"]})["data"]
    itself = vault.did("GET", "auth/token/lookup-self", token=auth["client_token"])["data"]
    hidden = vault.did("POST", "auth/token/lookup-accessor", {"accessor": auth["accessor"]})["data"]
    for data in (by_token, itself, hidden):
        assert data["accessor"] == auth["accessor"]
        assert data["path"] == "auth/token/create"
        assert data["display_name"] == "token-me"
        assert data["creation_ttl"] == 3600
        assert 0 < data["ttl"] <= 3600
        assert data["expire_time"]
    assert by_token["id"] == itself["id"] == auth["client_token"]
    assert hidden["id"] == ""


def test_unknown_tokens_and_accessors_are_not_found(vault):
    assert vault.status("POST", "auth/token/lookup", {"token": "nope"}) in (403, 404)
    said = vault.status("POST", "auth/token/lookup-accessor", {"accessor": "nope"})
    assert said in (400, 403, 404)
    assert vault.status("POST", "auth/token/lookup-accessor", {}) == 400


def test_accessors_are_listed_to_sudo_only(vault):
    auth = vault.token(policies=["default"], ttl="1h")
    assert auth["accessor"] in vault.did("LIST", "auth/token/accessors")["data"]["keys"]
    listed = vault.did("GET", "auth/token/accessors?list=true")["data"]["keys"]
    assert auth["accessor"] in listed
    path = "auth/token/accessors"
    plain = vault.policy(f'path "{path}" {{ capabilities = ["list"] }}')
    sudo = vault.policy(f'path "{path}/" {{ capabilities = ["list", "sudo"] }}')
    for policy, status in ((plain, 403), (sudo, 200)):
        token = vault.token(policies=[policy])["client_token"]
        assert vault.status("LIST", path, token=token) == status


@pytest.mark.parametrize("by", ["token", "accessor", "self"])
def test_revoking_a_token_ends_its_children_but_no_orphan(vault, by):
    policy = vault.policy(
        'path "auth/token/create*" { capabilities = ["create", "update", "sudo"] }'
    )
    parent = vault.token(policies=[policy], ttl="1h")
    token = parent["client_token"]
    child = vault.did("POST", "auth/token/create", {"ttl": "1h"}, token=token)["auth"]
    grandchild = vault.did("POST", "auth/token/create", {"ttl": "1h"}, token=child["client_token"])[
        "auth"
    ]
    orphan = vault.did("POST", "auth/token/create-orphan", {"ttl": "1h"}, token=token)["auth"]
    assert (child["orphan"], orphan["orphan"]) == (False, True)
    if by == "self":
        vault.did("POST", "auth/token/revoke-self", token=token)
    elif by == "token":
        vault.did("POST", "auth/token/revoke", {"token": token})
    else:
        vault.did("POST", "auth/token/revoke-accessor", {"accessor": parent["accessor"]})
    assert [alive(vault, a) for a in (parent, child, grandchild, orphan)] == [False] * 3 + [True]
    vault.did("POST", "auth/token/revoke", {"token": orphan["client_token"]})


def test_revoke_orphan_leaves_the_children(vault):
    policy = vault.policy('path "auth/token/create" { capabilities = ["update"] }')
    parent = vault.token(policies=[policy], ttl="1h")
    child = vault.did("POST", "auth/token/create", {"ttl": "1h"}, token=parent["client_token"])[
        "auth"
    ]
    vault.did("POST", "auth/token/revoke-orphan", {"token": parent["client_token"]})
    assert not alive(vault, parent)
    data = vault.did("GET", "auth/token/lookup-self", token=child["client_token"])["data"]
    assert data["orphan"] is True
    vault.did("POST", "auth/token/revoke", {"token": child["client_token"]})


def test_revoking_what_is_gone_says_yes_and_does_nothing(vault):
    auth = vault.token(policies=["default"], ttl="1h")
    for _ in range(2):
        assert vault.status("POST", "auth/token/revoke", {"token": auth["client_token"]}) == 204
    # Vault answered 400 up to 1.9; since then it is a warning.
    gone = {"accessor": auth["accessor"]}
    assert vault.status("POST", "auth/token/revoke-accessor", gone) in (200, 204, 400)


def test_a_token_ends_with_its_ttl_and_lives_on_when_renewed(vault):
    short = vault.token(policies=["default"], ttl="2s")
    kept = vault.token(policies=["default"], ttl="2s")
    renewed = vault.did(
        "POST", "auth/token/renew-self", {"increment": "1h"}, token=kept["client_token"]
    )["auth"]
    assert renewed["lease_duration"] == 3600
    vault.pause(3)
    assert not alive(vault, short)
    assert alive(vault, kept)


def test_renewal_by_token_and_accessor_stays_within_the_explicit_maximum(vault):
    auth = vault.token(policies=["default"], ttl="60s", explicit_max_ttl="120s")
    asked = {"token": auth["client_token"], "increment": "1h"}
    assert vault.did("POST", "auth/token/renew", asked)["auth"]["lease_duration"] <= 120
    asked = {"accessor": auth["accessor"], "increment": "30s"}
    again = vault.did("POST", "auth/token/renew-accessor", asked)["auth"]
    assert again["lease_duration"] == 30
    assert again["client_token"] == ""
    fixed = vault.token(policies=["default"], ttl="60s", renewable=False)
    assert vault.status("POST", "auth/token/renew", {"token": fixed["client_token"]}) == 400


def test_a_periodic_token_always_renews_to_its_period(vault):
    auth = vault.token(policies=["default"], period="1h")
    data = vault.did("POST", "auth/token/lookup-accessor", {"accessor": auth["accessor"]})["data"]
    assert data["period"] == 3600
    asked = {"token": auth["client_token"], "increment": "9h"}
    assert vault.did("POST", "auth/token/renew", asked)["auth"]["lease_duration"] == 3600


def test_a_batch_token_has_no_accessor_and_cannot_be_revoked(vault):
    auth = vault.token(policies=["default"], type="batch", ttl="1h")
    assert (auth["token_type"], auth["accessor"], auth["renewable"]) == ("batch", "", False)
    assert alive(vault, auth)
    token = {"token": auth["client_token"]}
    assert vault.status("POST", "auth/token/revoke", token) == 400
    assert vault.status("POST", "auth/token/renew", token) == 400
    for wrong in ({"num_uses": 1}, {"period": "1h"}, {"explicit_max_ttl": "1h"}):
        assert vault.status("POST", "auth/token/create", {"type": "batch", **wrong}) == 400


def test_a_token_of_limited_use_ends_with_its_last(vault):
    auth = vault.token(policies=["default"], num_uses=2, ttl="1h")
    assert [alive(vault, auth) for _ in range(3)] == [True, True, False]


def test_a_child_gets_no_more_than_its_parent_has(vault):
    policy = vault.policy('path "auth/token/create" { capabilities = ["update"] }')
    token = vault.token(policies=[policy], ttl="1h")["client_token"]
    for more in ({"policies": ["other"]}, {"no_parent": True}, {"period": "1h"}):
        assert vault.status("POST", "auth/token/create", more, token=token) == 400
    assert vault.status("POST", "auth/token/create", {"policies": ["root"]}, token=token) == 400
    assert vault.status("POST", "auth/token/create-orphan", {}, token=token) == 403


def test_default_is_added_unless_it_is_not_the_parents_or_not_wanted(vault):
    policy = vault.policy('path "auth/token/create" { capabilities = ["update"] }')
    assert vault.token(policies=[policy])["policies"] == sorted(["default", policy])
    bare = vault.token(policies=[policy], no_default_policy=True)
    assert bare["policies"] == [policy]
    for body in ({}, {"policies": [policy]}):
        child = vault.did("POST", "auth/token/create", body, token=bare["client_token"])["auth"]
        assert child["policies"] == [policy]
    asked = {"policies": ["default"]}
    assert vault.status("POST", "auth/token/create", asked, token=bare["client_token"]) == 400


def test_no_batch_token_is_root(vault):
    assert vault.status("POST", "auth/token/create", {"type": "batch"}) == 400


def test_a_root_token_without_an_end_has_no_lease_and_cannot_be_renewed(vault):
    auth = vault.token(policies=["root"])
    data = vault.did("GET", "auth/token/lookup-self", token=auth["client_token"])["data"]
    assert (data["ttl"], data["expire_time"], data["policies"]) == (0, None, ["root"])
    assert vault.status("POST", "auth/token/renew", {"token": auth["client_token"]}) == 400
