"""/sys/leases (API), by leases that every server has: those of tokens."""

import pytest


@pytest.fixture
def leased(vault) -> tuple[dict, str]:
    """A token, and the id of its lease."""
    before = set(listed(vault, "auth/token/create"))
    auth = vault.token(policies=["default"], ttl="1h")
    [name] = set(listed(vault, "auth/token/create")) - before
    return auth, f"auth/token/create/{name}"


def listed(vault, prefix) -> list[str]:
    answer = vault.ask("LIST", f"sys/leases/lookup/{prefix}")
    if answer.status_code == 404:  # "404 is also returned on LIST endpoints with no results".
        return []
    return answer.json()["data"]["keys"]


def alive(vault, auth) -> bool:
    return vault.status("GET", "auth/token/lookup-self", token=auth["client_token"]) == 200


def test_a_lease_is_looked_up_by_id(vault, leased):
    _, lease = leased
    data = vault.did("POST", "sys/leases/lookup", {"lease_id": lease})["data"]
    assert data["id"] == lease
    assert 0 < data["ttl"] <= 3600
    assert data["expire_time"]
    assert data["issue_time"]
    assert data["last_renewal"] is None
    assert vault.status("POST", "sys/leases/lookup", {"lease_id": f"{lease}x"}) == 400
    assert vault.status("POST", "sys/leases/lookup", {}) == 400


def test_leases_are_listed_folder_by_folder(vault, leased):
    assert "auth/" in listed(vault, "")
    assert "create/" in listed(vault, "auth/token")
    assert listed(vault, "auth/token/create")
    assert listed(vault, vault.name("none")) == []


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_a_revoked_lease_is_gone_once_the_queue_has_run(vault, leased, sync, verb):
    auth, lease = leased
    # Queued is 202 with no body; older servers said 204 to both.
    said = vault.status(verb, "sys/leases/revoke", {"lease_id": lease, "sync": sync})
    assert said in ((204,) if sync else (202, 204))
    if sync:
        assert not alive(vault, auth)
    vault.pause(3)
    assert not alive(vault, auth)
    assert vault.status("POST", "sys/leases/lookup", {"lease_id": lease}) == 400


def test_a_lease_may_be_named_in_the_path_too(vault, leased):
    auth, lease = leased
    assert vault.status("POST", f"sys/leases/renew/{lease}") == 400  # It is a token's.
    assert vault.status("POST", f"sys/leases/revoke/{lease}", {"sync": True}) == 204
    assert not alive(vault, auth)
    assert vault.status("POST", "sys/leases/revoke") == 400


def test_revoking_no_lease_at_all_says_yes(vault):
    nowhere = vault.name("none")
    for sync in (True, False):
        body = {"lease_id": f"{nowhere}/x", "sync": sync}
        assert vault.status("POST", "sys/leases/revoke", body) in (202, 204)
        path = f"sys/leases/revoke-prefix/{nowhere}"
        assert vault.status("POST", path, {"sync": sync}) in (202, 204)
    assert vault.status("POST", f"sys/leases/revoke-force/{nowhere}") == 204


@pytest.mark.parametrize("how", ["revoke-prefix", "revoke-force"])
def test_a_prefix_takes_all_leases_under_it(vault, leased, how):
    auth, lease = leased
    assert vault.status("POST", f"sys/leases/{how}/{lease}", {"sync": True}) == 204
    vault.pause(3)
    assert not alive(vault, auth)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("LIST", "sys/leases/lookup/{at}"),
        ("POST", "sys/leases/revoke-prefix/{at}"),
        ("POST", "sys/leases/revoke-force/{at}"),
    ],
)
def test_prefixes_are_for_sudo(vault, method, path):
    at = vault.name("nothing")
    statuses = []
    for capabilities in ('"list", "update"', '"list", "update", "sudo"'):
        policy = vault.policy(f'path "sys/leases/*" {{ capabilities = [{capabilities}] }}')
        token = vault.token(policies=[policy])["client_token"]
        statuses.append(vault.status(method, path.format(at=at), {}, token=token))
    assert statuses[0] == 403
    assert statuses[1] in (202, 204, 404)


def test_a_tokens_lease_is_not_renewed_here(vault, leased):
    _, lease = leased
    assert vault.status("POST", "sys/leases/renew", {"lease_id": lease}) == 400
    assert vault.status("POST", "sys/leases/renew", {"lease_id": f"{lease}x"}) == 400


def test_irrevocable_leases_are_counted_and_listed(vault):
    counted = vault.did("GET", "sys/leases/count?type=irrevocable")["data"]
    listed = vault.did("GET", "sys/leases?type=irrevocable")["data"]
    assert counted["lease_count"] == listed["lease_count"]
    assert counted["counts"] == listed["counts"]
    assert vault.status("GET", "sys/leases/count?type=other") == 400


def test_tidying_is_accepted(vault):
    assert vault.status("POST", "sys/leases/tidy") in (200, 202, 204)
