"""Freeze and unfreeze as a person at a terminal has them: who, why, what waits, how to go on."""

from tests.playbooks.desk.console import desk, stanch
from tests.playbooks.scene import Scene, apart

WHY = ("--reason", "a change goes on")


@apart
def test_what_is_frozen_is_said_everywhere_and_lifted_by_a_person(scene: Scene) -> None:
    account = scene.estate.account
    with desk(scene) as made:
        strange = stanch("freeze", *WHY, "--account", "999988887777", "--key", made.alice)
        assert (strange.status, "not in the settings" in strange.err) == (1, True)
        hidden = stanch("freeze", "--reason", "a\x1b[2Jb", "--key", made.alice)
        assert (hidden.status, hidden.err.count("\n")) == (1, 1)
        stanch("person", "eve", "--key", scene.folder / "eve.key")
        assert stanch("freeze", *WHY, "--key", scene.folder / "eve.key").status == 1

        done = stanch("freeze", *WHY, "--account", account, "--key", made.alice)
        assert (done.status, "alice" in done.out) == (0, True), done.err
        again = stanch("freeze", *WHY, "--account", account, "--key", made.bob)
        assert (again.status, "alice" in again.err) == (1, True)

        planned = stanch("respond", made.finding, "--dry-run", "--json").json["acts"]
        assert {act["may"] for act in planned} == {"never"}
        ran = stanch("respond", made.finding, "--without-prefect", "--json")
        assert (ran.status, ran.json["ended"]) == (1, "Frozen")
        assert scene.changed() == []
        kinds = [e["about"] for e in ran.json["timeline"] if e["kind"] == "notification"]
        assert kinds == ["opened", "not contained"]
        for shown in (stanch("show"), stanch("show", "INC-0001")):
            assert shown.out.count("is frozen by") == 1
            assert "`stanch resume" not in shown.out
            assert "frozen" in shown.out
            assert "alice" in shown.out
            assert f"stanch unfreeze --account {account}" in shown.out

        wrong = stanch("unfreeze", *WHY, "--key", made.bob)
        assert (wrong.status, "not frozen" in wrong.err) == (1, True)
        # What is to be typed instead.
        assert f"`stanch unfreeze --account {account}`" in wrong.err
        lifted = stanch("unfreeze", *WHY, "--account", account, "--key", made.bob)
        assert (lifted.status, "INC-0001" in lifted.out) == (0, True), lifted.err
        assert "frozen" not in stanch("show").out
        resumed = stanch("resume", "INC-0001", "--without-prefect", "--json")
        assert (resumed.status, resumed.json["ended"]) == (0, "Waiting"), resumed.err
        assert resumed.json["status"].startswith("contained")
        assert resumed.json["frozen"] == ""
