"""/sys/policies, /sys/policy (API), and what policies let through (Policies, Policy syntax)."""

import json

import pytest


def may(vault, policies, path) -> dict[str, int]:
    """What the policies answer to each method on a KV path, as statuses."""
    token = vault.token(policies=policies)["client_token"]
    asked = {"GET": None, "LIST": None, "POST": {"data": {"a": "b"}}, "DELETE": None}
    return {m: vault.status(m, path, body, token=token) for m, body in asked.items()}


@pytest.fixture
def kv(vault) -> str:
    mount = vault.mount("kv", options={"version": "2"})
    for name in ("app/one", "app/two", "team/red/key", "team/blue/key"):
        vault.did("POST", f"{mount}/data/{name}", {"data": {"a": "b"}})
    return mount


def test_a_policy_is_written_read_listed_and_deleted(vault):
    text = 'path "secret/foo" { capabilities = ["read"] }'
    name = vault.policy(text)
    read = vault.did("GET", f"sys/policies/acl/{name}")
    assert read["data"] == {"name": name, "policy": text} or read["data"]["policy"] == text
    older = vault.did("GET", f"sys/policy/{name}")
    assert older["data"]["rules"] == older["rules"] == text
    assert name in vault.did("LIST", "sys/policies/acl")["data"]["keys"]
    assert {name, "root", "default"} <= set(vault.did("GET", "sys/policy")["policies"])
    vault.did("DELETE", f"sys/policies/acl/{name}")
    assert vault.status("GET", f"sys/policies/acl/{name}") == 404
    assert vault.status("DELETE", f"sys/policies/acl/{name}") == 204


def test_the_older_names_do_the_same(vault):
    name = vault.name("older")
    text = 'path "secret/foo" { capabilities = ["read"] }'
    assert vault.status("PUT", f"sys/policy/{name}", {"policy": text}) == 204
    assert vault.did("GET", f"sys/policies/acl/{name}")["data"]["policy"] == text
    assert vault.status("DELETE", f"sys/policy/{name}") == 204
    assert vault.status("GET", f"sys/policies/acl/{name}") == 404


def test_root_and_default_stay_and_nonsense_is_refused(vault):
    for name in ("root", "default"):
        assert vault.status("DELETE", f"sys/policies/acl/{name}") == 400
    written = {"policy": 'path "a" { capabilities = ["read"] }'}
    assert vault.status("POST", "sys/policies/acl/root", written) == 400
    for text in ("path {", 'path "a" { capabilities = ["fly"] }', ""):
        name = vault.name("bad")
        assert vault.status("POST", f"sys/policies/acl/{name}", {"policy": text}) == 400


def test_a_policy_may_be_json(vault, kv):
    rules = {"path": {f"{kv}/data/app/*": {"capabilities": ["read"]}}}
    name = vault.policy(json.dumps(rules))
    assert may(vault, [name], f"{kv}/data/app/one")["GET"] == 200


def test_only_what_is_granted_is_allowed(vault, kv):
    name = vault.policy(
        f'# comment\npath "{kv}/data/app/one" {{\n  capabilities = ["read"] // more\n}}\n'
    )
    assert may(vault, [name], f"{kv}/data/app/one") == {
        "GET": 200,
        "LIST": 403,
        "POST": 403,
        "DELETE": 403,
    }
    assert may(vault, [name], f"{kv}/data/app/two")["GET"] == 403
    assert may(vault, [name], f"{kv}/data/app/one/below")["GET"] == 403


def test_create_is_for_what_is_new_and_update_for_what_is_there(vault, kv):
    update = vault.policy(f'path "{kv}/data/*" {{ capabilities = ["update"] }}')
    create = vault.policy(f'path "{kv}/data/*" {{ capabilities = ["create"] }}')
    assert may(vault, [update], f"{kv}/data/app/one")["POST"] == 200
    assert may(vault, [update], f"{kv}/data/app/new")["POST"] == 403
    assert may(vault, [create], f"{kv}/data/app/one")["POST"] == 403
    assert may(vault, [create], f"{kv}/data/app/new")["POST"] == 200


def test_a_plus_stands_for_one_segment_and_a_star_for_any_end(vault, kv):
    name = vault.policy(f'path "{kv}/data/team/+/key" {{ capabilities = ["read"] }}')
    assert may(vault, [name], f"{kv}/data/team/red/key")["GET"] == 200
    assert may(vault, [name], f"{kv}/data/team/red/deep/key")["GET"] == 403
    ends = vault.policy(f'path "{kv}/data/team/r*" {{ capabilities = ["read"] }}')
    assert may(vault, [ends], f"{kv}/data/team/red/key")["GET"] == 200
    assert may(vault, [ends], f"{kv}/data/team/blue/key")["GET"] == 403


def test_the_most_specific_path_decides_alone(vault, kv):
    name = vault.policy(
        f'path "{kv}/data/*" {{ capabilities = ["read"] }}\n'
        f'path "{kv}/data/team/*" {{ capabilities = ["update"] }}\n'
        f'path "{kv}/data/team/+/key" {{ capabilities = ["delete"] }}\n'
        f'path "{kv}/data/team/blue/key" {{ capabilities = ["read"] }}\n'
    )
    assert may(vault, [name], f"{kv}/data/app/one")["GET"] == 200
    # The first wildcard of team/* and of team/+/key stands at the same place: the star is weaker.
    red = may(vault, [name], f"{kv}/data/team/red/key")
    assert (red["GET"], red["POST"], red["DELETE"]) == (403, 403, 204)
    blue = may(vault, [name], f"{kv}/data/team/blue/key")
    assert (blue["GET"], blue["POST"], blue["DELETE"]) == (200, 403, 403)


def test_policies_add_up_and_deny_beats_them_all(vault, kv):
    read = vault.policy(f'path "{kv}/data/app/*" {{ capabilities = ["read"] }}')
    write = vault.policy(f'path "{kv}/data/app/*" {{ capabilities = ["update"] }}')
    deny = vault.policy(f'path "{kv}/data/app/*" {{ capabilities = ["deny"] }}')
    both = may(vault, [read, write], f"{kv}/data/app/one")
    assert (both["GET"], both["POST"]) == (200, 200)
    assert may(vault, [read, write, deny], f"{kv}/data/app/one")["GET"] == 403


def test_a_changed_policy_holds_for_tokens_that_are_out_already(vault, kv):
    path = f"{kv}/data/app/one"
    name = vault.policy(f'path "{path}" {{ capabilities = ["read"] }}')
    token = vault.token(policies=[name])["client_token"]
    assert vault.status("GET", path, token=token) == 200
    vault.did(
        "POST",
        f"sys/policies/acl/{name}",
        {"policy": f'path "{path}" {{ capabilities = ["deny"] }}'},
    )
    assert vault.status("GET", path, token=token) == 403
    vault.did("DELETE", f"sys/policies/acl/{name}")
    assert vault.status("GET", path, token=token) == 403


def test_what_may_not_be_seen_is_forbidden_even_where_nothing_is(vault):
    token = vault.token(policies=["default"])["client_token"]
    path = vault.name("nowhere") + "/x"
    assert vault.status("GET", path, token=token) == 403
    assert vault.status("GET", path) == 404
