"""What a login could get at, by its policies' text: as a Vault itself would decide it."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.vault.clients import Vault
from evidence.sources.vault_left import Finding, Kind
from playbooks.case.vault_countering import ACTS, answer, implied
from playbooks.case.vault_engines import Thing, things
from playbooks.case.vault_known import Known
from playbooks.case.vault_policy import ALL, allows, grants
from playbooks.case.vault_reach import reached
from playbooks.drills.range.vault import acl, hcl
from playbooks.drills.range.vault.world import VaultWorld
from tests.actions.vault import engines, site

SEGMENT = st.sampled_from(["secret", "data", "web", "+", "batch"])
PATTERN = st.builds(
    lambda parts, star: "/".join(parts) + star,
    st.lists(SEGMENT, min_size=1, max_size=4),
    st.sampled_from(["", "/*", "*"]),
)
CAPABILITY = st.sampled_from(["read", "update", "list", "deny", "create"])
RULES = st.dictionaries(PATTERN, st.sets(CAPABILITY, min_size=1, max_size=3), max_size=5)


def text_of(rules: dict[str, set[str]], as_json: bool) -> str:
    if as_json:
        told = {p: {"capabilities": sorted(c)} for p, c in rules.items()}
        return json.dumps({"path": told})
    return "\n".join(
        f'path "{p}" {{\n  # a remark\n  capabilities = {json.dumps(sorted(c))}\n}}'
        for p, c in rules.items()
    )


@given(st.lists(RULES, max_size=3), st.lists(SEGMENT, min_size=1, max_size=4), st.booleans())
def test_it_decides_as_the_simulated_vault_does(policies, parts, as_json) -> None:
    path = "/".join(parts).replace("+", "any")
    texts = [text_of(rules, as_json) for rules in policies]
    theirs = acl.capabilities([hcl.rules(t) for t in texts], path)
    mine = [grants(t) for t in texts]
    for capability in ("read", "update", "list"):
        assert allows(mine, path, capability) == (capability in theirs), (texts, path)


@pytest.mark.parametrize(
    ("text", "path", "may"),
    [
        ('path "a" { policy = "write" }', "a", True),
        ('path "a" { policy = "deny" }', "a", False),
        ('path "a/{{identity.entity.id}}/*" { capabilities = ["read"] }', "a/any/b", True),
        ('path "a" { allowed_parameters = { "x" = ["1"] }\n capabilities = ["read"] }', "a", True),
        ('path "a" { capabilities = ["read"] } // end\n/* more */', "a", True),
        ('path "a" { }', "a", False),
        ("", "a", False),
        ('{"path": {"a": {"policy": "read"}}}', "a", True),
        ('{"path": [{"a": {"capabilities": ["read"]}}]}', "a", True),
    ],
)
def test_what_a_policy_may_look_like(text: str, path: str, may: bool) -> None:
    assert allows([grants(text)], path, "read") is may


@pytest.mark.parametrize(
    "text", ['path "a" {', "nonsense", 'path "a', '{"path": {"a": 1}}', "[1]", "1"]
)
def test_what_is_cut_off_reaches_everything(text: str) -> None:
    assert grants(text) == ALL


def test_all_that_engines_hold_is_listed_by_name_alone() -> None:
    world = VaultWorld(seed=5)
    estate = site.build(world)
    engines.database(estate)
    engines.aws(estate)
    engines.transit(estate)
    engines.pki(estate)
    p = Vault(site.NAME, lambda: world.client(estate.stanch))
    found, missed = things(p)
    assert missed == []
    assert {t.kind for t in found} >= {"lease", "static", "connection", "aws_root", "transit", "kv"}
    assert "hunter" not in repr(found)
    mine = reached([grants('path "database/creds/web" { capabilities = ["read"] }')], found)
    assert [(t.kind, t.mount, t.name) for t in mine] == [("lease", "database", "creds/web")]
    assert {t.kind for t in reached([ALL], found)} == {t.kind for t in found}
    assert reached([], found) == ()


def test_what_is_not_read_of_an_engine_is_said() -> None:
    world = VaultWorld(seed=5)
    estate = site.build(world)
    engines.database(estate)
    estate.root.sys.create_or_update_acl_policy(
        "less", 'path "sys/mounts" { capabilities = ["read"] }'
    )
    made = estate.root.auth.token.create(policies=["less"])["auth"]["client_token"]
    found, missed = things(Vault(site.NAME, lambda: world.client(made)))
    assert found == []
    assert any("database: " in text and "403" in text for text in missed)


def finding(kind: str, name: str, why: str = "", sure: bool = True) -> Finding:
    return Finding(kind, name, "", why, sure)


KNOWN = Known("", {"admins": "text"}, {"file": {"type": "file", "options": {"a": "b"}}})


@pytest.mark.parametrize(
    ("one", "name"),
    [
        (finding("policy", "admins"), "RestorePolicy"),
        (finding("policy", "new"), "RemovePolicy"),
        (finding("audit_device", "file/"), "EnableAuditDevice"),
        (finding("audit_device", "(none)"), ""),
        (finding("login", "auth/team/ldap/role/web"), "BlockLogin"),
        (finding("login", "auth/token/roles/x"), ""),
        (
            finding("secret_id", "a", "issued for approle.web since the first sign"),
            "DestroySecretIds",
        ),
        (finding("secret_id", "a", "told otherwise"), ""),
        (finding("group", "g"), "SuspendGroup"),
        (finding("alias", "a"), "RemoveAlias"),
        (finding("root_attempt", "n"), "CancelRootGeneration"),
        (finding("root_token", "a"), "RevokeTokens"),
        (finding("token", "a", sure=False), ""),
    ],
)
def test_each_finding_has_its_act_or_is_a_persons(one: Finding, name: str) -> None:
    act = answer("prod", one, KNOWN)
    assert (type(act).__name__ if act else "") == name


def test_every_kind_of_finding_is_answered_by_an_act() -> None:
    assert set(ACTS) == set(get_args(Kind))


def test_what_goes_with_another_is_not_answered_twice() -> None:
    entity = finding("entity", "e-1", "made since the first sign")
    mount = finding("auth_mount", "backdoor/")
    alias = finding("alias", "a", "lets auth/backdoor/ log in as e-1")
    user = finding("login", "auth/backdoor/users/eve")
    assert implied(alias, [entity, alias])
    assert implied(user, [mount, user])
    assert not implied(alias, [alias])
    assert not implied(user, [user, finding("auth_mount", "backdoor/", sure=False)])
    assert not implied(mount, [mount, user])


def test_a_thing_is_told_once_however_many_ways_lead_to_it() -> None:
    ways = [
        Thing("transit", "t", "k", (f"t/{use}/k", "update"), "1") for use in ("decrypt", "sign")
    ]
    assert len(reached([ALL], ways)) == 1
