"""Database secrets engine (API); needs a database, so the simulator alone is asked."""

import pytest

URL = "postgresql://{{username}}:{{password}}@db.internal/app"
ROOT = {"username": "vault", "password": "first root password"}
HOUR = 3600


@pytest.fixture
def server(world):
    return world.database(URL)


@pytest.fixture
def db(vault, server) -> str:
    """A mount with a connection `app` and a role `readonly`."""
    server.accounts[ROOT["username"]] = ROOT["password"]
    mount = vault.mount("database")
    connection = {"plugin_name": "postgresql-database-plugin", "connection_url": URL, **ROOT}
    vault.did("POST", f"{mount}/config/app", {**connection, "allowed_roles": ["readonly"]})
    role = {"db_name": "app", "creation_statements": ["CREATE ROLE"], "default_ttl": "1h"}
    vault.did("POST", f"{mount}/roles/readonly", {**role, "max_ttl": "24h"})
    return mount


def test_a_connection_is_read_without_its_password(vault, db):
    data = vault.did("GET", f"{db}/config/app")["data"]
    assert data["connection_details"] == {"connection_url": URL, "username": "vault"}
    assert data["allowed_roles"] == ["readonly"]
    assert ROOT["password"] not in str(data)
    assert vault.did("LIST", f"{db}/config")["data"]["keys"] == ["app"]
    assert vault.status("POST", f"{db}/reset/app") == 204
    assert vault.status("DELETE", f"{db}/config/app") == 204
    assert vault.status("GET", f"{db}/config/app") == 404
    assert vault.status("POST", f"{db}/reset/app") == 400


def test_a_connection_is_verified_unless_told_otherwise(vault, db):
    body = {"plugin_name": "postgresql-database-plugin", "connection_url": URL, **ROOT}
    wrong = {**body, "password": "wrong"}
    assert vault.status("POST", f"{db}/config/two", wrong) == 400
    assert vault.status("POST", f"{db}/config/two", {**wrong, "verify_connection": False}) == 204
    assert vault.status("POST", f"{db}/config/three", {"plugin_name": "x"}) == 400


def test_roles_are_read_listed_and_deleted(vault, db):
    data = vault.did("GET", f"{db}/roles/readonly")["data"]
    assert (data["db_name"], data["default_ttl"], data["max_ttl"]) == ("app", HOUR, 24 * HOUR)
    assert data["creation_statements"] == ["CREATE ROLE"]
    assert vault.did("LIST", f"{db}/roles")["data"]["keys"] == ["readonly"]
    assert vault.status("DELETE", f"{db}/roles/readonly") == 204
    assert vault.status("GET", f"{db}/roles/readonly") == 404
    assert vault.status("GET", f"{db}/creds/readonly") == 400
    assert vault.status("POST", f"{db}/roles/bad", {"default_ttl": "1h"}) == 400
    longer = {"db_name": "app", "default_ttl": "2h", "max_ttl": "1h"}
    assert vault.status("POST", f"{db}/roles/bad", longer) == 400


def test_credentials_work_as_long_as_their_lease(vault, db, server):
    made = vault.did("GET", f"{db}/creds/readonly")
    assert made["lease_id"].startswith(f"{db}/creds/readonly/")
    assert (made["lease_duration"], made["renewable"]) == (HOUR, True)
    data = made["data"]
    assert server.log_in(data["username"], data["password"])
    renewed = vault.did(
        "PUT", "sys/leases/renew", {"lease_id": made["lease_id"], "increment": 2 * HOUR}
    )
    assert renewed["lease_duration"] == 2 * HOUR
    vault.pause(HOUR + 5)
    assert server.log_in(data["username"], data["password"])
    vault.pause(HOUR)
    assert not server.log_in(data["username"], data["password"])
    assert vault.status("PUT", "sys/leases/lookup", {"lease_id": made["lease_id"]}) == 400


def test_a_lease_is_never_renewed_past_its_maximum(vault, db):
    made = vault.did("GET", f"{db}/creds/readonly")
    body = {"lease_id": made["lease_id"], "increment": 48 * HOUR}
    assert vault.did("PUT", "sys/leases/renew", body)["lease_duration"] == 24 * HOUR


def test_a_revoked_token_takes_its_leases_with_it(vault, db, server):
    policy = vault.policy(f'path "{db}/creds/*" {{ capabilities = ["read"] }}')
    auth = vault.token(policies=[policy])
    data = vault.did("GET", f"{db}/creds/readonly", token=auth["client_token"])["data"]
    vault.did("POST", "auth/token/revoke-accessor", {"accessor": auth["accessor"]})
    vault.pause(5)
    assert not server.log_in(data["username"], data["password"])


def test_a_queued_revocation_is_done_when_the_queue_comes_to_it(vault, world, db, server):
    world.delay_revocations(30)
    made = [vault.did("GET", f"{db}/creds/readonly") for _ in range(3)]
    assert vault.status("PUT", f"sys/leases/revoke-prefix/{db}/creds", {}) == 202
    for still in made:
        assert server.log_in(still["data"]["username"], still["data"]["password"])
        lookup = vault.did("PUT", "sys/leases/lookup", {"lease_id": still["lease_id"]})["data"]
        assert lookup["id"] == still["lease_id"]
    assert len(vault.did("LIST", f"sys/leases/lookup/{db}/creds/readonly")["data"]["keys"]) == 3
    vault.pause(31)
    assert vault.status("LIST", f"sys/leases/lookup/{db}/creds/readonly") == 404
    assert not [m for m in made if server.log_in(m["data"]["username"], m["data"]["password"])]


def test_a_synchronous_revocation_is_done_or_says_why_not(vault, db, server):
    made = vault.did("GET", f"{db}/creds/readonly")
    server.down = True
    for path, body in (
        (f"sys/leases/revoke-prefix/{db}", {"sync": True}),
        ("sys/leases/revoke", {"sync": True, "lease_id": made["lease_id"]}),
    ):
        answer = vault.ask("PUT", path, body)
        assert answer.status_code == 400
        assert made["lease_id"] in answer.json()["errors"][0]
    server.down = False
    assert vault.status("PUT", f"sys/leases/revoke-prefix/{db}", {"sync": True}) == 204
    assert not server.log_in(made["data"]["username"], made["data"]["password"])


def test_what_cannot_be_revoked_is_tried_six_times_and_then_irrevocable(vault, db, server):
    made = vault.did("GET", f"{db}/creds/readonly")
    lease = made["lease_id"]
    server.down = True
    assert vault.status("PUT", "sys/leases/revoke", {"lease_id": lease}) == 202
    assert vault.did("GET", "sys/leases/count?type=irrevocable")["data"]["lease_count"] == 0
    vault.pause(HOUR)
    counted = vault.did("GET", "sys/leases/count?type=irrevocable")["data"]
    listed = vault.did("GET", "sys/leases?type=irrevocable")["data"]
    assert counted["lease_count"] == 1
    assert list(counted["counts"].values()) == [1]
    [entry] = listed["leases"]
    assert entry["lease_id"] == lease
    assert "refused" in entry["error"]
    assert vault.did("LIST", f"sys/leases/lookup/{db}/creds/readonly")["data"]["keys"]
    # It is tried again by hand, or by the server once a day.
    vault.pause(24 * HOUR)
    server.down = False
    assert server.log_in(made["data"]["username"], made["data"]["password"])
    assert vault.status("PUT", "sys/leases/revoke", {"lease_id": lease, "sync": True}) == 204
    assert not server.log_in(made["data"]["username"], made["data"]["password"])
    assert vault.did("GET", "sys/leases/count?type=irrevocable")["data"]["lease_count"] == 0


def test_what_is_irrevocable_is_tried_again_once_a_day(vault, db, server):
    made = vault.did("GET", f"{db}/creds/readonly")
    server.down = True
    vault.did("PUT", "sys/leases/revoke", {"lease_id": made["lease_id"]})
    vault.pause(3 * HOUR)
    server.down = False
    vault.pause(3 * HOUR)
    assert server.log_in(made["data"]["username"], made["data"]["password"])
    vault.pause(24 * HOUR)
    assert not server.log_in(made["data"]["username"], made["data"]["password"])
    assert vault.did("GET", "sys/leases?type=irrevocable")["data"]["leases"] == []


def test_forcing_forgets_the_lease_and_leaves_the_account(vault, db, server):
    made = vault.did("GET", f"{db}/creds/readonly")
    server.down = True
    assert vault.status("PUT", f"sys/leases/revoke-force/{db}") == 204
    server.down = False
    assert vault.status("PUT", "sys/leases/lookup", {"lease_id": made["lease_id"]}) == 400
    assert server.log_in(made["data"]["username"], made["data"]["password"])


def test_a_deleted_role_leaves_its_leases(vault, db, server):
    made = vault.did("GET", f"{db}/creds/readonly")
    vault.did("DELETE", f"{db}/roles/readonly")
    assert server.log_in(made["data"]["username"], made["data"]["password"])
    body = {"lease_id": made["lease_id"], "sync": True}
    assert vault.status("PUT", "sys/leases/revoke", body) == 204
    assert not server.log_in(made["data"]["username"], made["data"]["password"])


def test_only_allowed_roles_use_a_connection(vault, db):
    vault.did("POST", f"{db}/roles/other", {"db_name": "app"})
    assert vault.status("GET", f"{db}/creds/other") in (400, 500)
    vault.did("POST", f"{db}/config/app", {"allowed_roles": "*"})
    assert vault.status("GET", f"{db}/creds/other") == 200
    vault.did("POST", f"{db}/roles/lost", {"db_name": "nowhere"})
    assert vault.status("GET", f"{db}/creds/lost") in (400, 500)


def test_rotating_root_locks_the_old_password_out(vault, db, server):
    assert vault.status("POST", f"{db}/rotate-root/app") == 204
    assert not server.log_in(**{"name": ROOT["username"], "password": ROOT["password"]})
    assert vault.status("GET", f"{db}/creds/readonly") == 200
    server.down = True
    assert vault.status("POST", f"{db}/rotate-root/app") == 500
    server.down = False
    assert vault.status("GET", f"{db}/creds/readonly") == 200
    assert vault.status("POST", f"{db}/rotate-root/none") == 400


def test_a_static_role_knows_its_password_and_changes_it_by_the_period(vault, db, server):
    server.accounts["svc"] = "theirs"
    path = f"{db}/static-roles/svc"
    body = {"db_name": "app", "username": "svc", "rotation_period": "1h"}
    assert vault.status("POST", path, body) == 204
    assert not server.log_in("svc", "theirs")
    data = vault.did("GET", path)["data"]
    assert (data["username"], data["db_name"], data["rotation_period"]) == ("svc", "app", HOUR)
    assert vault.did("LIST", f"{db}/static-roles")["data"]["keys"] == ["svc"]

    def held() -> dict:
        return vault.did("GET", f"{db}/static-creds/svc")["data"]

    first = held()
    assert server.log_in("svc", first["password"])
    assert 0 < first["ttl"] <= HOUR
    vault.pause(HOUR + 1)
    second = held()
    assert second["password"] != first["password"]
    assert server.log_in("svc", second["password"])
    assert vault.status("POST", f"{db}/rotate-role/svc") == 204
    third = held()
    assert not server.log_in("svc", second["password"])
    assert server.log_in("svc", third["password"])
    assert third["ttl"] == HOUR
    vault.pause(HOUR - 10)
    assert held()["password"] == third["password"]


def test_a_static_role_that_cannot_be_rotated_keeps_what_it_has(vault, db, server):
    server.accounts["svc"] = "theirs"
    body = {"db_name": "app", "username": "svc", "rotation_period": "1h"}
    vault.did("POST", f"{db}/static-roles/svc", body)
    password = vault.did("GET", f"{db}/static-creds/svc")["data"]["password"]
    server.down = True
    assert vault.status("POST", f"{db}/rotate-role/svc") == 500
    vault.pause(HOUR + 1)
    server.down = False
    assert server.log_in("svc", password)
    vault.pause(HOUR)
    assert not server.log_in("svc", password)


def test_static_roles_need_an_account_and_a_period(vault, db, server):
    server.accounts["svc"] = "theirs"
    right = {"db_name": "app", "username": "svc", "rotation_period": "1h"}
    for wrong in ({"rotation_period": "1s"}, {"username": ""}, {"db_name": ""}):
        assert vault.status("POST", f"{db}/static-roles/svc", {**right, **wrong}) == 400
    nobody = {**right, "username": "nobody"}
    assert vault.status("POST", f"{db}/static-roles/nobody", nobody) in (400, 500)
    assert vault.status("GET", f"{db}/static-creds/svc") == 400
    assert vault.status("POST", f"{db}/rotate-role/svc") == 400
    assert vault.status("GET", f"{db}/static-roles/svc") == 404
    vault.did("POST", f"{db}/static-roles/svc", right)
    assert vault.status("POST", f"{db}/static-roles/svc", {"rotation_period": "2h"}) == 204
    assert vault.did("GET", f"{db}/static-roles/svc")["data"]["rotation_period"] == 2 * HOUR
    assert vault.status("DELETE", f"{db}/static-roles/svc") == 204
    assert vault.status("GET", f"{db}/static-creds/svc") == 400


def test_disabling_the_engine_revokes_what_it_gave_out_or_stays(vault, db, server):
    made = vault.did("GET", f"{db}/creds/readonly")
    server.down = True
    assert vault.status("DELETE", f"sys/mounts/{db}") in (400, 500)
    server.down = False
    assert vault.status("DELETE", f"sys/mounts/{db}") == 204
    assert not server.log_in(made["data"]["username"], made["data"]["password"])
