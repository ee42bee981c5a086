"""Identity: entities, aliases, lookup (API), and what a disabled entity can still do."""

import pytest

PASSWORD = {"password": "correct horse"}


@pytest.fixture
def people(vault) -> str:
    at = f"auth/{vault.auth('userpass')}"
    vault.did("POST", f"{at}/users/alice", {**PASSWORD, "token_policies": ["default"]})
    return at


@pytest.fixture
def alice(vault, people) -> dict:
    """The `auth` of a login; its entity is removed afterwards."""
    auth = vault.did("POST", f"{people}/login/alice", PASSWORD, token="")["auth"]
    vault.later("DELETE", f"identity/entity/id/{auth['entity_id']}")
    return auth


def accessor_of(vault, at) -> str:
    return vault.did("GET", "sys/auth")["data"][at.removeprefix("auth/") + "/"]["accessor"]


def test_an_entity_is_made_read_changed_and_deleted(vault):
    name = vault.name("entity")
    body = {"name": name, "policies": ["eng-dev"], "metadata": {"team": "a"}}
    made = vault.did("POST", "identity/entity", body)["data"]
    path = f"identity/entity/id/{made['id']}"
    data = vault.did("GET", path)["data"]
    assert (data["name"], data["policies"]) == (name, ["eng-dev"])
    assert (data["metadata"], data["disabled"], data["aliases"]) == ({"team": "a"}, False, [])
    assert vault.did("GET", f"identity/entity/name/{name}")["data"]["id"] == made["id"]
    assert made["id"] in vault.did("LIST", "identity/entity/id")["data"]["keys"]
    assert name in vault.did("LIST", "identity/entity/name")["data"]["keys"]
    assert vault.status("POST", path, {"metadata": {"team": "b"}}) in (200, 204)
    changed = vault.did("GET", path)["data"]
    assert (changed["metadata"], changed["policies"]) == ({"team": "b"}, ["eng-dev"])
    assert vault.status("DELETE", path) == 204
    assert vault.status("GET", path) == 404
    assert vault.status("DELETE", path) == 204


def test_an_entity_is_written_by_name(vault):
    name = vault.name("entity")
    path = f"identity/entity/name/{name}"
    assert vault.did("POST", path, {"policies": ["a"]})["data"]["id"]
    assert vault.status("POST", path, {"disabled": True}) in (200, 204)
    data = vault.did("GET", path)["data"]
    assert (data["policies"], data["disabled"]) == (["a"], True)
    assert vault.status("DELETE", path) == 204
    assert vault.status("GET", path) == 404


def test_no_entity_of_an_unknown_id_is_made(vault):
    body = {"id": "00000000-0000-0000-0000-000000000000"}
    assert vault.status("POST", "identity/entity", body) == 400


def test_a_first_login_makes_an_entity_with_an_alias(vault, people, alice):
    data = vault.did("GET", f"identity/entity/id/{alice['entity_id']}")["data"]
    [alias] = data["aliases"]
    assert alias["name"] == "alice"
    assert alias["mount_accessor"] == accessor_of(vault, people)
    assert alias["mount_path"] == f"{people}/"
    assert alias["mount_type"] == "userpass"
    assert alias["canonical_id"] == data["id"]
    by_alias = {"alias_name": "alice", "alias_mount_accessor": alias["mount_accessor"]}
    for query in (by_alias, {"id": data["id"]}, {"name": data["name"]}, {"alias_id": alias["id"]}):
        assert vault.did("POST", "identity/lookup/entity", query)["data"]["id"] == data["id"]
    assert vault.status("POST", "identity/lookup/entity", {"name": vault.name("none")}) == 204


def test_a_disabled_entity_keeps_its_tokens_and_cannot_use_them_or_log_in(vault, people, alice):
    path = f"identity/entity/id/{alice['entity_id']}"
    token = alice["client_token"]
    vault.did("POST", path, {"disabled": True})
    assert vault.status("GET", "auth/token/lookup-self", token=token) == 403
    assert vault.status("POST", f"{people}/login/alice", PASSWORD, token="") in (400, 403)
    accessor = {"accessor": alice["accessor"]}
    assert vault.status("POST", "auth/token/lookup-accessor", accessor) == 200
    vault.did("POST", path, {"disabled": False})
    assert vault.status("GET", "auth/token/lookup-self", token=token) == 200


def test_an_entitys_policies_hold_at_once_for_tokens_that_are_out(vault, alice):
    policy = vault.policy('path "sys/mounts" { capabilities = ["read"] }')
    token = alice["client_token"]
    assert vault.status("GET", "sys/mounts", token=token) == 403
    vault.did("POST", f"identity/entity/id/{alice['entity_id']}", {"policies": [policy]})
    assert vault.status("GET", "sys/mounts", token=token) == 200
    data = vault.did("GET", "auth/token/lookup-self", token=token)["data"]
    assert data["identity_policies"] == [policy]
    assert policy not in data["policies"]


def test_an_alias_lets_another_login_stand_for_an_entity(vault, people):
    entity = vault.did("POST", "identity/entity", {"name": vault.name("victim")})["data"]["id"]
    vault.later("DELETE", f"identity/entity/id/{entity}")
    vault.did("POST", f"{people}/users/mallory", {**PASSWORD, "token_policies": ["default"]})
    body = {
        "name": "mallory",
        "canonical_id": entity,
        "mount_accessor": accessor_of(vault, people),
    }
    made = vault.did("POST", "identity/entity-alias", body)["data"]
    assert made["canonical_id"] == entity
    auth = vault.did("POST", f"{people}/login/mallory", PASSWORD, token="")["auth"]
    assert auth["entity_id"] == entity
    path = f"identity/entity-alias/id/{made['id']}"
    data = vault.did("GET", path)["data"]
    assert (data["name"], data["canonical_id"]) == ("mallory", entity)
    listed = vault.did("LIST", "identity/entity-alias/id")["data"]
    assert made["id"] in listed["keys"]
    assert listed["key_info"][made["id"]]["canonical_id"] == entity
    vault.did("POST", path, {**body, "custom_metadata": {"owner": "nobody"}})
    assert vault.did("GET", path)["data"]["custom_metadata"] == {"owner": "nobody"}
    assert vault.status("DELETE", path) == 204
    assert vault.status("GET", path) == 404
    assert vault.status("DELETE", path) == 204


def test_an_alias_needs_a_mount_and_an_entity_that_are_there(vault, people):
    entity = vault.did("POST", "identity/entity", {"name": vault.name("one")})["data"]["id"]
    vault.later("DELETE", f"identity/entity/id/{entity}")
    right = {"name": "x", "canonical_id": entity, "mount_accessor": accessor_of(vault, people)}
    for wrong in ({"mount_accessor": "auth_none_1"}, {"canonical_id": "none"}, {"name": ""}):
        assert vault.status("POST", "identity/entity-alias", {**right, **wrong}) == 400


def test_tokens_of_a_deleted_entity_are_of_no_use(vault, alice):
    vault.did("DELETE", f"identity/entity/id/{alice['entity_id']}")
    token = alice["client_token"]
    assert vault.status("GET", "auth/token/lookup-self", token=token) == 403


def test_a_group_gives_its_policies_to_its_members(vault, alice):
    policy = vault.policy('path "sys/mounts" { capabilities = ["read"] }')
    name = vault.name("group")
    body = {"name": name, "policies": [policy], "member_entity_ids": [alice["entity_id"]]}
    made = vault.did("POST", "identity/group", body)["data"]
    path = f"identity/group/id/{made['id']}"
    token = alice["client_token"]
    assert vault.status("GET", "sys/mounts", token=token) == 200
    entity = vault.did("GET", f"identity/entity/id/{alice['entity_id']}")["data"]
    assert entity["group_ids"] == [made["id"]]
    vault.did("POST", path, {"member_entity_ids": []})
    assert vault.status("GET", "sys/mounts", token=token) == 403
    data = vault.did("GET", path)["data"]
    assert (data["policies"], data["type"]) == ([policy], "internal")
    assert not data["member_entity_ids"]
    assert vault.status("DELETE", path) == 204
    assert vault.status("GET", path) == 404
    assert vault.status("DELETE", path) == 204


def test_a_group_is_written_by_name_and_listed(vault):
    name = vault.name("group")
    path = f"identity/group/name/{name}"
    number = vault.did("POST", path, {"policies": ["a"], "metadata": {"x": "y"}})["data"]["id"]
    vault.did("POST", "identity/group", {"id": number, "policies": ["b"]})
    data = vault.did("GET", path)["data"]
    assert (data["id"], data["policies"], data["metadata"]) == (number, ["b"], {"x": "y"})
    assert number in vault.did("LIST", "identity/group/id")["data"]["keys"]
    assert name in vault.did("LIST", "identity/group/name")["data"]["keys"]
    wrong = {"member_entity_ids": ["no-such-entity"]}
    assert vault.status("POST", path, wrong) in (400, 500)
    assert vault.status("DELETE", path) == 204
    assert vault.status("GET", path) == 404
    assert vault.status("DELETE", path) == 204
    unknown = {"id": "00000000-0000-0000-0000-000000000000"}
    assert vault.status("POST", "identity/group", unknown) == 400


def test_names_of_entities_are_changed_but_not_shared(vault):
    first, second = (vault.name("entity") for _ in range(2))
    numbers = {}
    for name in (first, second):
        numbers[name] = vault.did("POST", "identity/entity", {"name": name})["data"]["id"]
        vault.later("DELETE", f"identity/entity/id/{numbers[name]}")
    path = f"identity/entity/id/{numbers[first]}"
    assert vault.status("POST", path, {"name": second}) in (400, 500)
    third = vault.name("entity")
    vault.did("POST", path, {"name": third})
    assert vault.did("GET", f"identity/entity/name/{third}")["data"]["id"] == numbers[first]
    assert vault.status("GET", f"identity/entity/name/{first}") == 404
    unknown = "identity/entity/id/00000000-0000-0000-0000-000000000000"
    assert vault.status("POST", unknown, {"policies": ["a"]}) == 400
    assert vault.status("POST", "identity/lookup/entity", {}) == 400


def test_an_alias_that_is_written_again_moves_to_the_other_entity(vault, people):
    numbers = []
    for _ in range(2):
        name = vault.name("entity")
        numbers.append(vault.did("POST", "identity/entity", {"name": name})["data"]["id"])
        vault.later("DELETE", f"identity/entity/id/{numbers[-1]}")
    body = {"name": "alice", "mount_accessor": accessor_of(vault, people)}
    made = [
        vault.did("POST", "identity/entity-alias", {**body, "canonical_id": number})["data"]["id"]
        for number in numbers
    ]
    assert made[0] == made[1]
    auth = vault.did("POST", f"{people}/login/alice", PASSWORD, token="")["auth"]
    assert auth["entity_id"] == numbers[1]
    unknown = "identity/entity-alias/id/00000000-0000-0000-0000-000000000000"
    assert vault.status("POST", unknown, body) in (400, 404)
