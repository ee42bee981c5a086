"""A Vault's sources only read, keep what came, miss what failed, and hold no secret."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from actions.vault.policy import policy
from evidence.errors import SourceError
from evidence.sources.item import Item, Missed
from evidence.sources.vault_ask import WITHHELD, Read, ask
from evidence.sources.vault_facts import VaultFacts
from playbooks.drills.range.vault.faults import Refuse
from playbooks.drills.range.vault.world import VaultWorld
from tests.actions.scene import mutates
from tests.actions.vault import engines, site


class Place:
    """A Vault with the site in it, read through Stanch's own login."""

    def __init__(self) -> None:
        self.world = VaultWorld(seed=5, clock=lambda: 1_790_000_000.0)
        self.estate = site.build(self.world)
        self.root = self.estate.root

    @property
    def clients(self) -> Any:
        return SimpleNamespace(client=self.world.client(self.estate.stanch))

    def facts(self) -> list[Item | Missed]:
        return list(VaultFacts(site.NAME).collect(self.clients))


@pytest.fixture
def place() -> Place:
    return Place()


def pages(found: list[Item | Missed]) -> dict[str, list[dict[str, Any]]]:
    return {one.name: json.loads(one.data)["pages"] for one in found if isinstance(one, Item)}


def test_everything_that_was_asked_for_is_there(place: Place) -> None:
    place.root.sys.enable_audit_device("file", options={"file_path": "audit.log"}, path="file")
    engines.database(place.estate)
    engines.credentials(place.estate, 3)
    token = site.log_in(place.world, place.estate.apps["web"])
    found = place.facts()
    assert [one for one in found if isinstance(one, Missed)] == []
    told = pages(found)
    assert len(told) == len(found)
    assert {"approle/", "stanch/", "token/"} <= told["vault.auth"][0].keys()
    assert [tune["max_lease_ttl"] > 0 for tune in told["vault.auth-tune"]] == [True] * 3
    assert {p["name"] for p in told["vault.policies"]} == {"default", "web", "batch", "stanch"}
    assert [r["token_policies"] for r in told["vault.approle.roles"]] == [["batch"], ["web"]]
    accessor = place.estate.apps["web"].accessor
    assert told["vault.approle.web.secret-ids"][0]["secret_id_accessor"] == accessor
    mine = place.world.client(token).auth.token.lookup_self()["data"]
    held = {t["accessor"]: t for t in told["vault.tokens"]}
    assert held[mine["accessor"]]["path"] == "auth/approle/login"
    assert mine["entity_id"] in {e["id"] for e in told["vault.entities"]}
    [counts] = told["vault.leases"]
    assert (counts["database/creds/web/"], counts["auth/approle/login/"]) == (3, 1)
    assert told["vault.leases-irrevocable"][0]["lease_count"] == 0
    assert told["vault.audit"][0]["file/"]["options"] == {"file_path": "audit.log"}
    assert told["vault.generate-root"][0]["started"] is False


def test_it_only_reads_and_needs_no_more_than_it_says(place: Place) -> None:
    place.root.sys.enable_auth_method("userpass", path="people")
    place.root.write("auth/people/users/ann", password="canary-pass")
    place.root.write("auth/token/roles/ci", allowed_policies=["web"])
    place.root.secrets.identity.create_or_update_group("admins", policies=["web"])
    text = policy([], reads=VaultFacts.paths)
    before = place.world.digest()
    start = len(place.world.calls)
    place.facts()
    calls = {f"{c.method} {c.path}" for c in place.world.calls[start:]}
    assert {call for call in calls if mutates(call)} == set()
    assert place.world.digest() == before
    place.root.sys.create_or_update_acl_policy("stanch", text)
    assert [one for one in place.facts() if isinstance(one, Missed)] == []
    for path in VaultFacts.paths:
        less = {p: c for p, c in VaultFacts.paths.items() if p != path}
        place.root.sys.create_or_update_acl_policy("stanch", policy([], reads=less))
        missed = [one for one in place.facts() if isinstance(one, Missed)]
        # The default policy lets every token look itself up.
        assert bool(missed) == (path != "auth/token/lookup-self"), path


def test_no_token_secret_id_or_secret_stands_in_what_is_kept(place: Place) -> None:
    tokens = [place.estate.stanch, place.world.root_token]
    tokens += [site.log_in(place.world, login) for login in place.estate.apps.values()]
    place.root.sys.start_root_token_generation()
    kept = b"".join(one.data for one in place.facts() if isinstance(one, Item)).decode()
    secrets = [*tokens, place.world.core.seal.otp, "hunter-web"]
    secrets += [login.secret_id for login in place.estate.apps.values()]
    assert [s for s in secrets if s in kept] == []
    assert WITHHELD in kept


def test_what_fails_is_missed_with_its_kind_and_the_rest_goes_on(place: Place) -> None:
    whole = {one.name for one in place.facts()}
    place.world.inject(Refuse(503, "sealed"), "GET", "sys/auth")
    found = place.facts()
    assert [(m.name, m.error_code) for m in found if isinstance(m, Missed)] == [
        ("vault.auth", "VaultDown")
    ]
    lost = whole - {one.name for one in found}
    # What hangs on the list of methods cannot be asked without it.
    assert all(name.startswith(("vault.auth", "vault.approle", "vault.stanch")) for name in lost)
    place.world.inject(Refuse(500), "GET", "sys/policies/acl/web")
    found = place.facts()
    assert [m.error_code for m in found if isinstance(m, Missed)] == ["InternalServerError"]
    assert {p["name"] for p in pages(found)["vault.policies"]} == {"default", "batch", "stanch"}


def test_a_lease_list_or_a_whole_vault_that_fails_is_missed(place: Place) -> None:
    place.world.inject(Refuse(500), "LIST", "sys/leases/lookup/*")
    missed = [m.call for m in place.facts() if isinstance(m, Missed)]
    assert len(missed) == 1
    assert missed[0].startswith("vault.LIST sys/leases/lookup/")

    class Down:
        class adapter:  # noqa: N801
            @staticmethod
            def get(*_: Any, **__: Any) -> None:
                raise requests.ConnectionError("https://vault.example.org/v1/x")

            list = post = get

    found = list(VaultFacts(site.NAME).collect(SimpleNamespace(client=Down())))
    assert {m.error_code for m in found if isinstance(m, Missed)} == {"ConnectionError"}
    assert "vault.example.org" not in repr(found)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "sys/policies/acl/x"),
        ("POST", "auth/token/revoke-accessor"),
        ("POST", "secret/data/lookup"),
        ("DELETE", "sys/audit/file"),
        ("PUT", "sys/leases/lookup"),
        ("GET", "pki/crl/rotate"),
    ],
)
def test_a_question_that_would_change_something_is_not_asked(
    place: Place, method: str, path: str
) -> None:
    before = len(place.world.calls)
    with pytest.raises(SourceError, match="does not only read"):
        list(ask(place.clients.client, "x", Read(method, path)))
    assert len(place.world.calls) == before
