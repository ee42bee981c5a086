"""KV secrets engine, version 2 (API)."""

import pytest


@pytest.fixture
def kv(vault) -> str:
    return vault.mount("kv", options={"version": "2"})


def put(vault, kv, name, data, **options):
    return vault.ask("POST", f"{kv}/data/{name}", {"data": data, "options": options})


def test_each_write_is_a_new_version_and_old_ones_stay(vault, kv):
    for number in (1, 2):
        data = put(vault, kv, "a", {"n": number}).json()["data"]
        assert (data["version"], data["destroyed"], data["deletion_time"]) == (number, False, "")
    newest = vault.did("GET", f"{kv}/data/a")["data"]
    assert newest["data"] == {"n": 2}
    assert newest["metadata"]["version"] == 2
    assert vault.did("GET", f"{kv}/data/a?version=1")["data"]["data"] == {"n": 1}
    assert vault.status("GET", f"{kv}/data/a?version=3") == 404
    assert vault.status("GET", f"{kv}/data/none") == 404
    assert vault.status("POST", f"{kv}/data/a", {"n": 1}) == 400


def test_check_and_set_writes_over_the_version_it_names_only(vault, kv):
    assert put(vault, kv, "a", {"n": 1}, cas=0).status_code == 200
    assert put(vault, kv, "a", {"n": 2}, cas=0).status_code == 400
    assert put(vault, kv, "a", {"n": 2}, cas=1).status_code == 200
    assert put(vault, kv, "a", {"n": 3}, cas=1).status_code == 400
    vault.did("POST", f"{kv}/metadata/a", {"cas_required": True})
    assert put(vault, kv, "a", {"n": 3}).status_code == 400
    assert put(vault, kv, "a", {"n": 3}, cas=2).status_code == 200


def test_a_deleted_version_comes_back_and_a_destroyed_one_does_not(vault, kv):
    for number in (1, 2):
        put(vault, kv, "a", {"n": number})
    assert vault.status("DELETE", f"{kv}/data/a") == 204
    gone = vault.ask("GET", f"{kv}/data/a")
    assert gone.status_code == 404
    assert gone.json()["data"]["data"] is None
    assert gone.json()["data"]["metadata"]["deletion_time"] != ""
    assert vault.status("POST", f"{kv}/undelete/a", {"versions": [2]}) == 204
    assert vault.did("GET", f"{kv}/data/a")["data"]["data"] == {"n": 2}
    assert vault.status("POST", f"{kv}/delete/a", {"versions": [1]}) == 204
    assert vault.status("GET", f"{kv}/data/a?version=1") == 404
    assert vault.status("PUT", f"{kv}/destroy/a", {"versions": [1]}) == 204
    assert vault.status("POST", f"{kv}/undelete/a", {"versions": [1]}) == 204
    lost = vault.ask("GET", f"{kv}/data/a?version=1")
    assert lost.status_code == 404
    assert lost.json()["data"]["metadata"]["destroyed"] is True


def test_deleting_and_destroying_what_is_not_there_says_yes(vault, kv):
    put(vault, kv, "a", {"n": 1})
    assert vault.status("POST", f"{kv}/destroy/a", {"versions": [7]}) == 204
    assert vault.status("POST", f"{kv}/delete/a", {"versions": [7]}) == 204
    assert vault.status("GET", f"{kv}/data/a") == 200
    assert vault.status("POST", f"{kv}/destroy/a", {}) == 400


def test_metadata_carries_notes_and_makes_no_version(vault, kv):
    put(vault, kv, "a", {"n": 1})
    body = {"custom_metadata": {"incident": "INC-1"}, "max_versions": 5}
    assert vault.status("POST", f"{kv}/metadata/a", body) == 204
    data = vault.did("GET", f"{kv}/metadata/a")["data"]
    assert data["custom_metadata"] == {"incident": "INC-1"}
    assert (data["current_version"], data["max_versions"], data["cas_required"]) == (1, 5, False)
    assert set(data["versions"]) == {"1"}
    assert data["versions"]["1"]["destroyed"] is False
    assert vault.did("GET", f"{kv}/data/a")["data"]["metadata"]["custom_metadata"] == {
        "incident": "INC-1"
    }
    merge = {"Content-Type": "application/merge-patch+json"}
    patch = {"custom_metadata": {"owner": "a", "incident": None}}
    assert vault.status("PATCH", f"{kv}/metadata/a", patch, headers=merge) in (200, 204)
    data = vault.did("GET", f"{kv}/metadata/a")["data"]
    assert data["custom_metadata"] == {"owner": "a"}


def test_a_patch_merges_into_the_newest_version(vault, kv):
    merge = {"Content-Type": "application/merge-patch+json"}
    patch = {"data": {"b": None, "c": {"d": 1}}, "options": {"cas": 1}}
    assert vault.status("PATCH", f"{kv}/data/a", patch, headers=merge) == 404
    put(vault, kv, "a", {"a": 1, "b": 2})
    assert vault.status("PATCH", f"{kv}/data/a", patch, headers=merge) == 200
    assert vault.did("GET", f"{kv}/data/a")["data"]["data"] == {"a": 1, "c": {"d": 1}}


def test_keys_are_listed_folder_by_folder(vault, kv):
    for name in ("foo", "foo/bar", "other/x"):
        put(vault, kv, name, {"n": 1})
    assert vault.did("LIST", f"{kv}/metadata/")["data"]["keys"] == ["foo", "foo/", "other/"]
    assert vault.did("LIST", f"{kv}/metadata/foo")["data"]["keys"] == ["bar"]
    assert vault.status("LIST", f"{kv}/metadata/none") == 404


def test_deleting_the_metadata_takes_all_versions(vault, kv):
    put(vault, kv, "a", {"n": 1})
    assert vault.status("DELETE", f"{kv}/metadata/a") == 204
    assert vault.status("GET", f"{kv}/metadata/a") == 404
    assert vault.status("GET", f"{kv}/data/a?version=1") == 404
    assert put(vault, kv, "a", {"n": 1}, cas=0).json()["data"]["version"] == 1


def test_old_versions_fall_out_beyond_the_maximum(vault, kv):
    assert vault.status("POST", f"{kv}/config", {"max_versions": 2, "cas_required": False}) == 204
    assert vault.did("GET", f"{kv}/config")["data"]["max_versions"] == 2
    for number in (1, 2, 3):
        put(vault, kv, "a", {"n": number})
    assert set(vault.did("GET", f"{kv}/metadata/a")["data"]["versions"]) == {"2", "3"}


def test_a_version_ends_after_its_time(vault, kv):
    vault.did("POST", f"{kv}/metadata/a", {"delete_version_after": "1s"})
    put(vault, kv, "a", {"n": 1})
    assert vault.status("GET", f"{kv}/data/a") == 200
    vault.pause(2)
    assert vault.status("GET", f"{kv}/data/a") == 404
