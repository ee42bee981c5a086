"""The sweep names all that an attacker left in a Vault, and nothing that was there before."""

from datetime import UTC, datetime, timedelta

import pytest

from evidence.sources.item import Item
from evidence.sources.vault_left import Finding
from evidence.sources.vault_sweep import VaultSweep, baseline
from tests.actions.vault import site
from tests.evidence.test_vault_facts import Place

WIDE = 'path "*" { capabilities = ["read", "sudo"] }'


@pytest.fixture
def place() -> Place:
    """A Vault that was as it should be an hour ago."""
    made = Place()
    made.root.sys.enable_audit_device("file", options={"file_path": "audit.log"}, path="file")
    made.root.sys.create_or_update_acl_policy("ops", 'path "a" { capabilities = ["read"] }')
    made.root.sys.enable_auth_method("userpass", path="people")
    made.root.write("auth/people/users/ann", password="canary-pass")
    made.world.tick(3600)
    return made


def now(place: Place) -> datetime:
    return datetime.fromtimestamp(place.world.seconds(), UTC)


def items(place: Place) -> list[Item]:
    found = VaultSweep(site.NAME, now(place)).collect(place.clients)
    return [one for one in found if isinstance(one, Item)]


def swept(place: Place, start: datetime, known: str = "") -> list[Finding]:
    sweep = VaultSweep(site.NAME, start, known)
    found = [one for one in sweep.collect(place.clients) if isinstance(one, Item)]
    return list(sweep.findings(found))


def test_what_was_there_before_is_not_found(place: Place) -> None:
    known = baseline(items(place))
    found = swept(place, now(place), known)
    # A root token lasts; that it is old is said, and that it is there.
    assert [(f.kind, f.sure) for f in found] == [("root_token", False)]


def test_every_thing_that_was_left_is_found(place: Place) -> None:
    known, start = baseline(items(place)), now(place)
    root = place.root
    place.world.tick(60)
    root.sys.enable_auth_method("userpass", path="backdoor")
    root.sys.create_or_update_acl_policy("shadow", WIDE)
    root.sys.create_or_update_acl_policy("web", WIDE)
    root.sys.delete_acl_policy("ops")
    orphan = root.auth.token.create(policies=["web"], no_parent=True)["auth"]["accessor"]
    lasting = root.auth.token.create(policies=["web"], period="24h")["auth"]["accessor"]
    crown = root.auth.token.create(policies=["root"])["auth"]["accessor"]
    secret_id = root.auth.approle.generate_secret_id("web")["data"]["secret_id_accessor"]
    entity = root.secrets.identity.create_or_update_entity("eve")["data"]["id"]
    mount = root.sys.list_auth_methods()["data"]["backdoor/"]["accessor"]
    alias = root.secrets.identity.create_or_update_entity_alias("eve", entity, mount)["data"]["id"]
    root.write("auth/approle/role/spare", token_policies=["web"])
    root.write("auth/approle/role/batch", token_policies=["batch", "web"])
    root.write("auth/people/users/eve", password="canary-pass")
    root.write("auth/token/roles/lasting", orphan=True, allowed_policies=["web"])
    group = root.secrets.identity.create_or_update_group(
        "admins", member_entity_ids=[entity], policies=["shadow"]
    )["data"]["id"]
    root.sys.disable_audit_device("file")
    root.sys.start_root_token_generation()
    found = [f for f in swept(place, start, known) if f.sure]
    assert {(f.kind, f.name) for f in found if f.kind != "root_attempt"} == {
        ("alias", alias),
        ("audit_device", "file/"),
        ("auth_mount", "backdoor/"),
        ("entity", entity),
        ("group", group),
        ("login", "auth/approle/role/batch"),
        ("login", "auth/approle/role/spare"),
        ("login", "auth/people/users/eve"),
        ("login", "auth/token/roles/lasting"),
        ("policy", "ops"),
        ("policy", "shadow"),
        ("policy", "web"),
        ("root_token", crown),
        ("secret_id", secret_id),
        ("token", lasting),
        ("token", orphan),
    }
    why = {f.name: f.why for f in found}
    assert why["ops"] == "was deleted"
    assert why["web"] == "was changed; grants much"
    assert why["shadow"].startswith("is not in the baseline")
    assert [f.why for f in found if f.kind == "root_attempt"] == ["0 of 3 key shares given"]
    assert found[0].json().keys() == {"kind", "name", "at", "why", "sure"}


def test_without_a_baseline_what_has_no_time_is_asked_about(place: Place) -> None:
    place.root.sys.enable_auth_method("userpass", path="backdoor")
    place.root.sys.create_or_update_acl_policy("shadow", WIDE)
    place.root.sys.disable_audit_device("file")
    found = {(f.kind, f.name): f for f in swept(place, now(place))}
    assert not found["auth_mount", "backdoor/"].sure
    assert not found["policy", "shadow"].sure
    assert not found["audit_device", "(none)"].sure
    assert ("policy", "web") not in found
    assert ("auth_mount", "token/") not in found


def test_policies_that_an_entity_was_given_since_are_asked_about(place: Place) -> None:
    token = site.log_in(place.world, place.estate.apps["web"])
    entity = place.world.client(token).auth.token.lookup_self()["data"]["entity_id"]
    place.world.tick(60)
    start = now(place)
    assert [f for f in swept(place, start) if f.kind == "entity"] == []
    place.root.secrets.identity.update_entity(entity, policies=["stanch"])
    [found] = [f for f in swept(place, start) if f.kind == "entity"]
    assert (found.name, found.sure) == (entity, False)


def test_a_device_that_writes_elsewhere_is_found(place: Place) -> None:
    known = baseline(items(place))
    place.root.sys.disable_audit_device("file")
    place.root.sys.enable_audit_device("file", options={"file_path": "/dev/null"}, path="file")
    [found] = [f for f in swept(place, now(place), known) if f.kind == "audit_device"]
    assert (found.name, found.why) == ("file/", "writes elsewhere than before")


def test_stanchs_own_token_and_older_ones_are_not_called_left(place: Place) -> None:
    place.root.auth.approle.create_or_update_approle(
        "stanch", token_period="1h", token_policies=["stanch"], mount_point="stanch"
    )
    place.estate.stanch = site.log_in(
        place.world, site.role(place.root, "stanch", "stanch"), "stanch"
    )
    old = place.root.auth.token.create(policies=["web"], no_parent=True)["auth"]["accessor"]
    found = swept(place, now(place) + timedelta(seconds=1))
    assert [(f.name, f.sure) for f in found if f.kind == "token"] == [(old, False)]


def test_a_vault_that_answers_nothing_has_nothing_found(place: Place) -> None:
    assert VaultSweep(site.NAME, now(place), baseline([])).findings([]) == ()
