"""A Vault's entities, logins, policies and standing tokens are reviewed as an account's people."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from actions.vault.policy import policy
from playbooks.case.store.reviews import Review
from playbooks.drills.range.vault.world import VaultWorld
from playbooks.review.acts import planned
from playbooks.review.errors import DecisionError
from playbooks.review.outcome import DONE, outcomes
from playbooks.review.standing import standing
from playbooks.review.starting import start_in_vault
from playbooks.review.vault_policy import WAYS, flags, may, paths
from playbooks.review.vault_rows import READS
from playbooks.wiring.vault_terms import VaultLogin
from tests.actions.vault import site
from tests.playbooks.review.carrying import carry_out, enter
from tests.playbooks.review.staff import decide, rows_of
from tests.playbooks.scene import Scene, apart

NAME = site.NAME


def vault(scene: Scene) -> tuple[site.Estate, dict[str, str]]:
    """Give the scene a Vault with an entity of a person and a root token's orphan; return both."""
    world = VaultWorld()
    estate = site.build(world)
    made = {}
    told = estate.root.secrets.identity.create_or_update_entity(
        "zoe", policies=["web"], metadata={"owner": "bob"}
    )
    made["entity"] = told["data"]["id"]
    token = estate.root.auth.token.create_orphan(policies=["web"], period="24h")
    made["token"] = token["auth"]["accessor"]
    site.log_in(world, estate.apps["web"])
    reads = policy([], reads=READS, mounts={"approle": ["approle", "stanch"], "userpass": []})
    estate.root.sys.create_or_update_acl_policy("reviews", reads)
    reader = estate.root.auth.token.create(policies=["reviews"])["auth"]["client_token"]
    scene.set(vaults={NAME: VaultLogin(url="https://vault.invalid", token="env:NOWHERE")})
    scene.parts = replace(scene.parts, vaults=lambda _: world.client(reader))
    return estate, made


def begin(scene: Scene) -> Review:
    scene.person("erin")
    return start_in_vault(scene.parts, scene.store, NAME, "erin")


@apart
def test_what_stands_is_listed_with_least_privilege_and_what_runs_out_is_not(scene: Scene) -> None:
    estate, made = vault(scene)
    rows = rows_of(scene, begin(scene))
    entity = rows[f"entity/{made['entity']} entity/web"]
    assert (entity.owner, entity.about["name"], entity.flags) == ("bob", "zoe", ())
    token = rows[f"token/{made['token']} token/default,web"]
    assert token.flags == ("is renewed without end", "orphan")
    assert rows["auth/approle/web login/web"].about["method"] == "approle"
    assert rows["policy/stanch acl"].flags == ("admin",)
    roots = [r for r in rows.values() if r.privilege == "token/root"]
    assert [("admin" in r.flags, "never runs out" in r.flags) for r in roots] == [(True, True)]
    logins = {t["accessor"] for t in tokens_of(estate) if "/login" in t["path"]}
    assert logins
    assert not any(f"token/{accessor}" in name for name in rows for accessor in logins)


def tokens_of(estate: site.Estate) -> list[Any]:
    listed = estate.root.auth.token.list_accessors()["data"]["keys"]
    return [estate.root.auth.token.lookup_accessor(a)["data"] for a in listed]


@apart
def test_each_is_taken_away_by_what_is_for_it_and_tokens_by_one_act(scene: Scene) -> None:
    _, made = vault(scene)
    review = begin(scene)
    rows = rows_of(scene, review)
    root = next(name for name, r in rows.items() if r.privilege == "token/root")
    names = [
        f"entity/{made['entity']} entity/web",
        f"token/{made['token']} token/default,web",
        root,
        "auth/approle/web login/web",
        "policy/web acl",
    ]
    decide(scene, review, "frank", *((name, "revoke") for name in names))
    decided = [r for r in rows_of(scene, review).values() if r.decided]
    now = standing(scene.parts, review, decided)
    assert now.stale == {}
    since = scene.parts.now() - timedelta(days=90)
    found = asyncio.run(planned(None, decided, now, since, scene.parts.sleep))
    acts = {a.json()["action"]: a for a in found.acts}
    assert acts.keys() == {"disable_entity", "revoke_tokens", "block_login", "remove_policy"}
    assert len(acts["revoke_tokens"].rows) == 2
    login = acts["block_login"].action
    assert login.target == f"{NAME}/vault/auth/approle/web"
    assert sorted(id for a in found.acts for id in a.rows) == sorted(r.id for r in decided)


@apart
def test_decisions_are_carried_out_in_the_vault_after_a_second_persons_yes(scene: Scene) -> None:
    estate, made = vault(scene)
    acting = estate.world.client(estate.stanch)
    scene.parts = replace(scene.parts, vaults=lambda _: acting)
    review = begin(scene)
    entity = f"entity/{made['entity']} entity/web"
    names = (entity, "auth/approle/web login/web", f"token/{made['token']} token/default,web")
    decide(scene, review, "frank", *((name, "revoke") for name in names))
    incident = carry_out(scene, review)
    assert enter(scene, incident).state == "Waiting"
    assert site.met(estate) == (True, True), "nobody has allowed it yet"
    for _ in range(2):
        scene.say(scene.asked(incident))
        ending = enter(scene, incident)
    assert (ending.state, ending.status) == ("Completed", "done")
    assert site.met(estate) == (True, False)
    assert estate.root.secrets.identity.read_entity(made["entity"])["data"]["disabled"]
    assert made["token"] not in estate.root.auth.token.list_accessors()["data"]["keys"]
    came = scene.store.read(lambda conn: outcomes(conn, rows_of(scene, review).values()))
    assert [came[rows_of(scene, review)[name].id].state for name in names] == [DONE] * 3


@pytest.mark.parametrize("by", ["zoe", "bob"])
@apart
def test_nobody_decides_on_their_own_entity(scene: Scene, by: str) -> None:
    _, made = vault(scene)
    review = begin(scene)
    with pytest.raises(DecisionError):
        decide(scene, review, by, (f"entity/{made['entity']} entity/web", "keep"))


@apart
def test_what_changed_in_the_vault_is_stale(scene: Scene) -> None:
    estate, made = vault(scene)
    review = begin(scene)
    estate.root.sys.create_or_update_acl_policy("web", site.EVERYTHING)
    estate.root.secrets.identity.update_entity(made["entity"], disabled=True)
    estate.root.auth.approle.delete_role("web")
    for name in (
        "policy/web acl",
        f"entity/{made['entity']} entity/web",
        "auth/approle/web login/web",
    ):
        with pytest.raises(DecisionError) as caught:
            decide(scene, review, "frank", (name, "keep"))
        assert "changed since" in caught.value.lines[0] or "any more" in caught.value.lines[0]


@pytest.mark.parametrize("way", WAYS, ids=lambda w: f"{w.name} {w.path}")
def test_each_way_in_a_vault_is_open_with_its_capability_and_closed_by_a_deny(way: Any) -> None:
    said = f"escalates: {way.name}"
    for capability in way.capabilities:
        held = paths(f'path "{way.path}" {{ capabilities = ["{capability}"] }}')
        assert said in flags([held])
        assert said not in flags([held, paths(f'path "{way.path}" {{ policy = "deny" }}')])
    assert flags([paths(f'path "{way.path}" {{ capabilities = ["read"] }}')]) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (site.EVERYTHING, ("admin",)),
        ('path "secret/*" { capabilities = ["read"] }', ("wildcard",)),
        ('path "secret/data/web/*" { capabilities = ["read"] }', ()),
        ('{"path": {"secret/*": {"capabilities": ["read"]}}}', ("wildcard",)),
        ('# path "*" { policy = "sudo" }\n', ()),
        ('path "sys/policies/acl/*" { policy = "write" }', ("escalates: writes policies",)),
        ("[]", ()),
        ("no policy at all", ()),
    ],
)
def test_policies_are_read_in_each_spelling(text: str, expected: tuple[str, ...]) -> None:
    assert flags([paths(text)]) == expected


def test_the_closest_pattern_counts() -> None:
    wide, exact = 'path "a/*" { policy = "deny" }', 'path "a/b" { capabilities = ["read"] }'
    both = [paths(wide), paths(exact)]
    assert may(both, "a/b", ("read",))
    assert not may(both, "a/c", ("read",))
    assert may([paths('path "a/+/c" { policy = "read" }')], "a/b/c", ("read",))
    assert not may([paths('path "a/+/c" { policy = "read" }')], "a/b/d/c", ("read",))
