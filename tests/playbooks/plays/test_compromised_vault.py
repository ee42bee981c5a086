"""A stolen login to a Vault: blocked at once, all that it gave taken back once a person says so."""

from tests.playbooks.plays.vault_scene import PLAY, entered, opened, robbery, works
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
