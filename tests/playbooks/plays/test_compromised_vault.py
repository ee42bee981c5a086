"""A stolen login to a Vault: blocked at once, all that it gave taken back once a person says so."""

import asyncio
import os

from playbooks.case import store
from playbooks.case.freezing import freeze
from playbooks.case.rehearsing import rehearse
from playbooks.desk.cli.freeze import place
from playbooks.drills.range.vault.faults import Refuse
from playbooks.drills.robbed_vault import NAME
from playbooks.wiring.vault_terms import VaultLogin
from tests.playbooks.plays.vault_scene import PLAY, entered, gone_back, opened, robbery, works
from tests.playbooks.scene import Scene, apart


@apart
def test_a_stolen_login_is_blocked_at_once_and_all_it_gave_is_taken_after_a_yes(
    scene: Scene,
) -> None:
    thief, since = robbery(scene)
    assert len(works(thief)) == 5
    incident = opened(scene, since=since)
    ending = scene.enter(incident, PLAY)
    assert ending.state == "Waiting"
    assert works(thief) == ["a database user", "an AWS user", "an AWS session"]
    ending = entered(scene, incident)
    assert works(thief) == []
    residual = scene.case(incident).residual
    assert (ending.state, ending.status) == ("Completed", "contained"), residual


@apart
def test_what_a_thief_left_is_found_asked_about_once_and_gone(scene: Scene) -> None:
    thief, since = robbery(scene)
    thief.dig_in()
    incident = opened(scene, since=since)
    ending = entered(scene, incident)
    asks = {q.step: [s["action"] for s in q.scopes] for q in scene.questions(incident)}
    assert asks.keys() == {"ask/take", "ask/left/0", "ask/refuse-old"}
    gone = ["disable_auth_mount", "disable_entity", "remove_policy", "revoke_tokens"]
    assert asks["ask/left/0"] == gone
    assert works(thief) == []
    assert ending.status == "contained", scene.case(incident).residual


@apart
def test_a_rollback_gives_back_what_was_shut_and_names_what_stays(scene: Scene) -> None:
    thief, since = robbery(scene)
    thief.dig_in()
    incident = opened(scene, since=since)
    entered(scene, incident)
    root = thief.vault.root
    assert all(not end.why for end in gone_back(scene, incident, "rollback"))
    role = root.auth.approle.read_role("web")["data"]
    assert (role["secret_id_bound_cidrs"], role["token_bound_cidrs"]) == (None, [])
    assert "metrics" in root.sys.list_acl_policies()["data"]["keys"]
    asked_ = next(q for q in scene.questions(incident) if q.step.startswith("rollback/"))
    stays = " ".join(map(str, asked_.about["stays"]))
    assert "destroy_secret_ids" in stays
    assert "revoke_leases" in stays
    assert scene.now(incident).status == "rolled-back"


@apart
def test_a_release_gives_the_login_back_and_leaves_the_thief_out(scene: Scene) -> None:
    thief, since = robbery(scene)
    thief.dig_in()
    incident = opened(scene, since=since)
    entered(scene, incident)
    assert not thief.works_anew()
    assert all(not end.why for end in gone_back(scene, incident, "release"))
    assert thief.works_anew()
    assert works(thief) == []
    assert "metrics" not in thief.vault.root.sys.list_acl_policies()["data"]["keys"]
    assert scene.now(incident).status == "released, old sessions denied"


@apart
def test_after_a_no_nothing_is_destroyed_and_it_says_so(scene: Scene) -> None:
    thief, since = robbery(scene)
    incident = opened(scene, since=since)
    ending = entered(scene, incident, no=("take",))
    assert (ending.state, ending.status) == ("Completed", "partial")
    assert works(thief) == ["a database user", "an AWS user", "an AWS session"]
    assert scene.steps(incident).keys() == {"block_login", "disable_entity"}
    residual = " ".join(scene.case(incident).residual)
    assert "credentials that it leased still work" in residual
    assert "tokens that it issued still work" in residual


@apart
def test_where_nobody_can_log_in_nothing_is_revoked(scene: Scene) -> None:
    thief, since = robbery(scene)
    incident = opened(scene, since=since)
    scene.enter(incident, PLAY)
    thief.vault.world.inject(Refuse(503), "POST", "auth/stanch/login", times=100)
    ending = entered(scene, incident)
    assert ending.state == "Stopped"
    assert "logging in to Vault prod fails" in ending.says
    assert scene.steps(incident).keys() == {"block_login", "disable_entity"}


@apart
def test_by_a_token_no_login_is_proven_and_nothing_revoked(scene: Scene) -> None:
    _, since = robbery(scene)
    known = {NAME: VaultLogin(url="https://vault.invalid", token="env:NOWHERE")}
    scene.set(vaults=known)
    incident = opened(scene, since=since)
    ending = entered(scene, incident)
    assert ending.state == "Stopped"
    assert "is not proven" in ending.says


@apart
def test_no_secret_of_the_vault_stands_in_anything_that_is_kept(scene: Scene, caplog) -> None:
    caplog.set_level("DEBUG", "stanch")
    thief, since = robbery(scene)
    thief.dig_in()
    incident = opened(scene, since=since)
    entered(scene, incident)
    thief.works_anew()
    home = scene.parts.settings.home
    files = [p for p in home.rglob("*") if p.is_file()]
    secrets = [*thief.vault.secrets, *thief.tokens.values(), os.environ["OWN_SECRET"]]
    assert len(secrets) > 8
    for secret in secrets:
        assert [p for p in files if secret.encode() in p.read_bytes()] == []
        assert secret not in caplog.text
        assert secret not in str([e.leaf for e in scene.entries(incident)])


@apart
def test_while_the_vault_is_frozen_nothing_is_changed_in_it(scene: Scene) -> None:
    thief, since = robbery(scene)
    incident = opened(scene, since=since)
    record = scene.case(incident).record
    freeze(scene.store, record, place(scene.parts.settings, NAME), "a drill")
    before = thief.vault.world.digest()
    assert scene.enter(incident, PLAY).state == "Frozen"
    assert thief.vault.world.digest() == before
    assert "log in with the stolen secret id" in works(thief)


@apart
def test_a_rehearsal_changes_nothing_and_tells_all_of_it(scene: Scene) -> None:
    thief, since = robbery(scene)
    thief.dig_in()
    incident = opened(scene, since=since)
    before = thief.vault.world.digest()
    planned = asyncio.run(rehearse(scene.case(incident, PLAY)))
    assert thief.vault.world.digest() == before
    names = {p.scope.action for p in planned}
    assert {"block_login", "destroy_secret_ids", "revoke_leases", "issue_secret_id"} <= names


@apart
def test_the_audit_log_is_searched_for_what_leaked_and_what_cannot_be_is_said(
    scene: Scene,
) -> None:
    log = scene.folder / "audit.log"
    leaked = ("env:WEB_SECRET", "env:NOWHERE_AT_ALL")
    thief, since = robbery(scene, logs=(log,), leaked=leaked)
    web = thief.vault.estate.apps[0].secret_id
    os.environ["WEB_SECRET"] = web
    lines = thief.vault.world.audit_lines("file")
    log.write_text("\n".join(lines) + "\n")
    incident = opened(scene, since=since)
    scene.enter(incident, PLAY)
    case = scene.case(incident)
    kept = scene.store.read(lambda conn: dict(store.all_kept(conn, incident.id)))
    assert "keep/vault_audit_hunt/prod/vault#secret 0" in kept
    assert "keep/vault_audit_hunt/prod/vault#secret 1" not in kept
    assert any("audit logs were not searched" in text for text in case.residual)
    assert scene.enter(incident, PLAY).state == "Waiting"
