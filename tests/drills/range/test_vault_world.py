"""The simulated Vault as a thing to test with: repeatable, forkable, silent, over HTTP too."""

import copy
import json
import os

import pytest
import requests
from hvac import exceptions

from playbooks.drills.range.vault import faults
from playbooks.drills.range.vault.server import serve
from playbooks.drills.range.vault.world import URL, VaultWorld

NOW = 1_790_000_000.0
DB = "postgresql://{{username}}:{{password}}@db.internal/app"


@pytest.fixture
def world() -> VaultWorld:
    return VaultWorld(seed=7, clock=lambda: NOW)


@pytest.fixture
def root(world):
    return world.client(world.root_token)


def furnish(root) -> None:
    """Write something into every engine."""
    root.secrets.kv.v2.create_or_update_secret("app/one", {"password": "a secret value"})
    root.sys.enable_auth_method("approle")
    root.auth.approle.create_or_update_approle("web", token_policies=["default"])
    root.auth.approle.generate_secret_id("web")
    root.sys.enable_auth_method("userpass")
    root.auth.userpass.create_or_update_user("alice", "a pass phrase")
    root.secrets.identity.create_or_update_entity("robot", policies=["default"])
    root.sys.enable_secrets_engine("transit")
    root.secrets.transit.create_key("app")
    root.sys.enable_secrets_engine("pki")
    root.secrets.pki.generate_root("internal", "example.com")
    root.sys.enable_secrets_engine("database")
    root.secrets.database.configure(
        "app",
        plugin_name="postgresql-database-plugin",
        connection_url=DB,
        username="vault",
        password="the root password",
        allowed_roles=["*"],
    )
    root.secrets.database.create_role("web", "app", ["CREATE"], default_ttl="1h", max_ttl="2h")
    root.sys.enable_secrets_engine("aws")
    root.secrets.aws.configure_root_iam_credentials("AKIAEXAMPLE", "an aws secret")
    root.sys.enable_audit_device("file", path="file", options={"file_path": "discard"})


def test_a_seed_repeats_every_id_token_key_and_certificate():
    made = []
    for _ in range(2):
        world = VaultWorld(seed=7, clock=lambda: NOW)
        root = world.client(world.root_token)
        furnish(root)
        auth = root.auth.token.create(policies=["default"])["auth"]
        creds = root.secrets.database.generate_credentials("web")
        made.append((auth, creds, root.secrets.pki.read_ca_certificate(), world.digest()))
    assert made[0] == made[1]
    assert VaultWorld(seed=8).root_token != world.root_token


def test_after_a_fork_the_child_owns_a_copy(world, root):
    furnish(root)
    before = world.digest()
    pid = os.fork()
    if pid == 0:
        root.secrets.kv.v2.delete_metadata_and_all_versions("app/one")
        os._exit(0 if world.digest() != before else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert world.digest() == before


def test_a_copy_of_its_state_goes_on_by_itself(world, root):
    furnish(root)
    world.database(DB).accounts["svc"] = "theirs"
    root.secrets.database.create_static_role("svc", "app", "svc", [], "1h")
    kept, before = world.core, world.digest()
    world.core = copy.deepcopy(kept)
    assert world.digest() == before
    world.tick(3601)
    root.secrets.kv.v2.delete_metadata_and_all_versions("app/one")
    rotated = world.database(DB).accounts["svc"]
    world.core = kept
    assert world.database(DB).accounts["svc"] != rotated
    assert world.digest() == before


CHANGES = {
    "kv": lambda r: r.secrets.kv.v2.create_or_update_secret("app/one", {"password": "other"}),
    "kv destroyed": lambda r: r.secrets.kv.v2.destroy_secret_versions("app/one", [1]),
    "kv deleted": lambda r: r.secrets.kv.v2.delete_secret_versions("app/one", [1]),
    "policy": lambda r: r.sys.create_or_update_policy("new", 'path "a" { capabilities = [] }'),
    "mount": lambda r: r.sys.enable_secrets_engine("kv", "more", options={"version": "2"}),
    "tuning": lambda r: r.sys.tune_auth_method("approle", max_lease_ttl="1m"),
    "token": lambda r: r.auth.token.create(policies=["default"]),
    "role": lambda r: r.auth.approle.create_or_update_approle("web", token_ttl="1m"),
    "role id": lambda r: r.auth.approle.update_role_id("web", "other"),
    "secret id": lambda r: r.auth.approle.generate_secret_id("web"),
    "person": lambda r: r.auth.userpass.update_password_on_user("alice", "other words"),
    "entity": lambda r: r.secrets.identity.create_or_update_entity_by_name("robot", disabled=True),
    "transit": lambda r: r.secrets.transit.rotate_key("app"),
    "database": lambda r: r.secrets.database.rotate_root_credentials("app"),
    "lease": lambda r: r.secrets.database.generate_credentials("web"),
    "aws": lambda r: r.secrets.aws.rotate_root_iam_credentials(),
    "audit": lambda r: r.sys.disable_audit_device("file"),
    "root attempt": lambda r: r.sys.start_root_token_generation(),
    "seal": lambda r: r.sys.seal(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_digest_sees_what_containment_or_an_attacker_changes(world, root, change):
    furnish(root)
    before = world.digest()
    change(root)
    assert world.digest() != before


def test_the_digest_sees_neither_reads_nor_time(world, root):
    furnish(root)
    before = world.digest()
    root.secrets.kv.v2.read_secret_version("app/one", raise_on_deleted_version=True)
    root.sys.list_auth_methods()
    root.auth.token.lookup_self()
    root.secrets.transit.encrypt_data("app", "YQ==")
    root.secrets.pki.rotate_crl()
    world.tick(3600)
    assert world.digest() == before


def test_a_policy_put_back_is_the_same_world(world, root):
    root.sys.create_or_update_policy("web", 'path "a" { capabilities = ["read"] }')
    before = world.digest()
    root.sys.create_or_update_policy("web", 'path "a" { capabilities = ["deny"] }')
    assert world.digest() != before
    root.sys.create_or_update_policy("web", 'path "a" { capabilities = ["read"] }')
    assert world.digest() == before


def test_calls_name_who_asked_by_accessor_and_hold_no_secret(world, root):
    furnish(root)
    auth = root.auth.token.create(policies=["default"])["auth"]
    world.client(auth["client_token"]).auth.token.lookup_self()
    last = world.calls[-1]
    assert (last.method, last.path, last.status) == ("GET", "auth/token/lookup-self", 200)
    assert (last.accessor, last.at) == (auth["accessor"], NOW)
    shown = repr(world.calls) + repr(world.core)
    written = ("a secret value", "the root password", "an aws secret", "a pass phrase")
    for secret in (auth["client_token"], world.root_token, *written, *world.unseal_keys):
        assert secret not in shown


def test_audit_lines_hold_no_secret(world, root):
    root.sys.enable_audit_device("file", path="file", options={"file_path": "discard"})
    root.secrets.kv.v2.create_or_update_secret("a", {"deep": {"list": ["a secret value"]}})
    root.secrets.kv.v2.read_secret_version("a", raise_on_deleted_version=True)
    auth = root.auth.token.create(policies=["default"])["auth"]
    lines = world.audit_lines("file")
    assert all(json.loads(line)["time"] for line in lines)
    for secret in ("a secret value", auth["client_token"], auth["accessor"], world.root_token):
        assert not [line for line in lines if secret in line]


def test_a_mount_that_is_tuned_so_shows_a_value_in_the_clear(world, root):
    root.sys.enable_audit_device("file", path="file", options={"file_path": "discard"})
    root.sys.tune_mount_configuration("secret", audit_non_hmac_request_keys=["data"])
    root.secrets.kv.v2.create_or_update_secret("a", {"x": "a secret value"})
    assert [line for line in world.audit_lines("file") if "a secret value" in line]


def test_over_http_the_same_world_answers(world):
    with serve(world) as url:
        found = requests.get(f"{url}/v1/sys/health", timeout=10)
        assert found.status_code == 200
        token = {"X-Vault-Token": world.root_token}
        with requests.Session() as session:
            for _ in range(2):
                answer = session.request(
                    "LIST", f"{url}/v1/sys/policies/acl", headers=token, timeout=10
                )
                assert "default" in answer.json()["data"]["keys"]
            made = session.put(
                f"{url}/v1/secret/data/x%20y", headers=token, json={"data": {"a": 1}}, timeout=10
            )
            assert made.status_code == 200
    root = world.client(world.root_token)
    assert root.secrets.kv.v2.list_secrets("")["data"]["keys"] == ["x y"]


def test_a_request_that_no_vault_would_parse_is_refused(world):
    session = world.session()
    headers = {"X-Vault-Token": world.root_token}
    for path, body in (("auth/token/create", "{"), ("auth/token/create", "[1]")):
        answer = session.post(f"{URL}/v1/{path}", data=body, headers=headers)
        assert (answer.status_code, bool(answer.json()["errors"])) == (400, True)
    assert session.get(f"{URL}/ui/").status_code == 404
    for body in (
        {"ttl": "soon"},
        {"num_uses": "many"},
        {"meta": "none"},
        {"type": "odd"},
        {"id": "chosen"},
        {"entity_alias": "alice"},
    ):
        answer = session.post(f"{URL}/v1/auth/token/create", json=body, headers=headers)
        assert answer.status_code == 400, body


def test_what_is_not_simulated_is_refused_and_not_passed_over(world):
    for header, word in (("X-Vault-Namespace", "namespaces"), ("X-Vault-Wrap-TTL", "wrapping")):
        headers = {"X-Vault-Token": world.root_token, header: "60"}
        answer = world.session().get(f"{URL}/v1/auth/token/lookup-self", headers=headers)
        assert answer.status_code == 400
        assert word in answer.json()["errors"][0]


def test_what_a_policy_says_and_the_range_does_not_enforce_is_refused(world, root):
    text = 'path "a" { capabilities = ["read"] allowed_parameters = { "x" = [] } }'
    with pytest.raises(exceptions.InvalidRequest):
        root.sys.create_or_update_policy("web", text)


def test_addresses_decide_where_a_token_is_bound(world, root):
    root.sys.enable_auth_method("approle")
    root.auth.approle.create_or_update_approle("web", token_bound_cidrs=["10.0.0.0/8"])
    role_id = root.auth.approle.read_role_id("web")["data"]["role_id"]
    secret = root.auth.approle.generate_secret_id("web")["data"]["secret_id"]
    inside = world.client(address="10.1.2.3")
    token = inside.auth.approle.login(role_id, secret)["auth"]["client_token"]
    assert inside.auth.token.lookup_self()["data"]["bound_cidrs"] == ["10.0.0.0/8"]
    with pytest.raises(exceptions.Forbidden):
        world.client(token, address="192.0.2.1").auth.token.lookup_self()


def revoke(root, accessor):
    return root.auth.token.revoke_accessor(accessor)


@pytest.fixture
def auth(root):
    return root.auth.token.create(policies=["default"])["auth"]


def alive(root, auth) -> bool:
    found = root.adapter.list("/v1/auth/token/accessors")["data"]["keys"]
    return auth["accessor"] in found


def test_the_nth_fitting_request_is_refused_with_or_without_effect(world, root, auth):
    world.inject(faults.Refuse(503), "POST", "auth/token/revoke-*", nth=2, times=2)
    other = root.auth.token.create(policies=["default"])["auth"]
    revoke(root, other["accessor"])
    for _ in range(2):
        with pytest.raises(exceptions.VaultDown):
            revoke(root, auth["accessor"])
    assert alive(root, auth)
    world.inject(faults.Refuse(500, applied=True), path="auth/token/revoke-accessor")
    with pytest.raises(exceptions.InternalServerError):
        revoke(root, auth["accessor"])
    assert not alive(root, auth)


def test_a_204_may_mean_that_nothing_was_done(world, root, auth):
    world.inject(faults.Ignore(), "POST", "auth/token/revoke-accessor")
    assert revoke(root, auth["accessor"]).status_code == 204
    assert (world.calls[-1].path, world.calls[-1].status) == ("auth/token/revoke-accessor", 204)
    assert alive(root, auth)
    revoke(root, auth["accessor"])
    assert not alive(root, auth)


def test_a_callback_comes_before_or_after_the_effect(world, root, auth):
    seen: list[bool] = []
    look = faults.CallBack(lambda: seen.append(auth["accessor"] in world.core.tokens.by_accessor))
    world.inject(look, "POST", "auth/token/revoke-accessor")
    revoke(root, auth["accessor"])
    other = root.auth.token.create(policies=["default"])["auth"]
    late = faults.CallBack(
        lambda: seen.append(other["accessor"] in world.core.tokens.by_accessor), after=True
    )
    world.inject(late, "POST", "auth/token/revoke-accessor")
    revoke(root, other["accessor"])
    assert seen == [True, False]


def test_five_thousand_leases_are_listed_and_revoked_in_seconds(world, root):
    furnish(root)
    for _ in range(5000):
        world.core.database(DB, "vault", "the root password").accounts["x"] = "y"
        world.core.lease(
            world.core.tokens.by_id[world.root_token],
            "database/",
            "database/creds/web",
            3600,
            7200,
            {"database": "app", "username": "x"},
        )
    assert len(root.sys.list_leases("database/creds/web")["data"]["keys"]) == 5000
    root.sys.revoke_prefix("database/creds/web")
    world.tick(2)
    with pytest.raises(exceptions.InvalidPath):
        root.sys.list_leases("database/creds/web")
