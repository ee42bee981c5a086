"""A release from the command line, with least privilege over HTTP: asked, read, answered, done."""

from typing import Any

from tests.playbooks.desk.console import desk, stanch
from tests.playbooks.scene import Scene, apart


def contained(made: Any) -> None:
    found = stanch("respond", made.finding, "--without-prefect", "--json")
    assert found.json["status"].startswith("contained"), found.err


@apart
def test_a_host_is_released_after_another_persons_yes(scene: Scene) -> None:
    with desk(scene) as made:
        contained(made)
        asks = ("release", "INC-0001", "--key", made.alice, "--reason", "rebuilt")
        scene.world.calls.clear()
        asked = stanch(*asks)
        assert (asked.status, scene.changed()) == (0, []), asked.err
        assert "asked, and nothing was changed yet" in asked.out
        assert "narrowed to sessions issued before the release" in asked.out
        shown = stanch("approve", "Q-0002", "--key", made.bob, "--yes")
        assert shown.status == 0, shown.err
        for text in ("alice: rebuilt", "tag/stanch:incident: INC-0001 -> none", "cannot be undone"):
            assert text in shown.out
        assert "stanch release INC-0001 --key KEY" in shown.out
        done = stanch(*asks)
        assert done.status == 0, done.out + done.err
        assert "status released, old sessions denied: release by alice" in done.out
        told = stanch("show", "INC-0001")
        assert "sessions from before stay denied until" in told.out
        assert "narrow_instance_sessions" in told.out
        assert "nothing is left to undo" in stanch(*asks).out


@apart
def test_a_no_leaves_it_with_a_bad_status_and_nothing_changed(scene: Scene) -> None:
    with desk(scene) as made:
        contained(made)
        for verb, question in (("release", "Q-0002"), ("rollback", "Q-0003")):
            assert stanch(verb, "INC-0001", "--key", made.alice).status == 0
            said = stanch("approve", question, "--key", made.bob, "--deny", "--reason", "not yet")
            assert said.status == 0, said.err
            assert "nothing of it will be done" in said.out
            scene.world.calls.clear()
            refused = stanch(verb, "INC-0001", "--key", made.alice)
            assert (refused.status, scene.changed()) == (1, [])
            assert f"{verb} of INC-0001: bob said no: not yet. Nothing was changed" in refused.err
