"""A stolen login to a Vault: blocked at once, all that it gave taken back once a person says so."""

from playbooks.drills.vault_thief import VaultThief
from tests.playbooks.plays.vault_scene import PLAY, entered, in_vault, opened
from tests.playbooks.scene import Scene, apart


def works(thief: VaultThief) -> list[str]:
    return [way for way, could in thief.can().items() if could]


@apart
def test_a_stolen_login_is_blocked_at_once_and_all_it_gave_is_taken_after_a_yes(
    scene: Scene,
) -> None:
    thief = in_vault(scene)
    assert len(works(thief)) == 5
    incident = opened(scene)
    ending = scene.enter(incident, PLAY)
    assert ending.state == "Waiting"
    assert works(thief) == ["a database user", "an AWS user", "an AWS session"]
    ending = entered(scene, incident)
    assert works(thief) == ["an AWS session"]
    assert (ending.state, ending.status) == ("Completed", "contained"), scene.case(
        incident
    ).residual
