"""What a stressed person meets: wrong files and settings, hosts gone, incidents undone."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from playbooks.case import store
from playbooks.case.store import Store
from playbooks.desk.cli.failing import failing
from playbooks.wiring.parts import assemble
from playbooks.wiring.settings import load
from tests.playbooks.desk.console import desk, stanch
from tests.playbooks.scene import Scene, apart


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("STANCH_CONFIG", raising=False)
    assert stanch("init").status == 0
    return tmp_path / "stanch-data"


def bad() -> set[str]:
    ran = stanch("doctor")
    lines = [line for line in ran.out.splitlines() if line.startswith("bad")]
    assert ran.status == bool(lines)
    names = [line.removeprefix("bad").partition(": ")[0].strip() for line in lines]
    return {one for name in names for one in name.split(", ")}


def test_files_that_cannot_be_read_are_named_without_a_number(home: Path) -> None:
    for path in ("nowhere.json", str(home)):
        ran = stanch("respond", path)
        assert (ran.status, ran.err.count("\n")) == (1, 1)
        assert path in ran.err
        assert "Errno" not in ran.err


def test_an_os_error_without_a_file_is_told_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), failing(OSError):
        raise OSError("out of handles")
    assert capsys.readouterr().err == "stanch: out of handles\n"


@pytest.mark.parametrize("content", [b"", b"no database at all, whatever it is"])
def test_a_database_that_is_none_is_one_line_everywhere(home: Path, content: bytes) -> None:
    for left in home.glob("stanch.db*"):
        left.unlink()
    (home / "stanch.db").write_bytes(content)
    ran = stanch("show")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "doctor" in ran.err
    assert "SELECT" not in ran.err
    assert {"database", "ledger"} <= bad()


def test_what_is_bad_is_read_first_and_each_cause_once(home: Path) -> None:
    (home / "stanch.db").write_bytes(b"no database at all")
    *lines, last = stanch("doctor").out.splitlines()
    levels = [line.split()[0] for line in lines]
    assert levels == sorted(levels, key=["bad", "warn", "ok"].index)
    causes = [line.partition(": ")[2] for line in lines if not line.startswith("ok")]
    assert len(causes) == len(set(causes))
    found = stanch("doctor", "--json").json["findings"]
    assert last.startswith(f"{sum(one['level'] == 'bad' for one in found)} bad, ")


def test_doctor_sees_settings_that_would_contain_nothing(home: Path) -> None:
    assert bad() == {"settings", "people"}
    (home.parent / "stanch.toml").unlink()
    assert "settings" in bad()


def test_doctor_sees_that_auditors_could_not_check(home: Path) -> None:
    config = home.parent / "stanch.toml"
    config.write_text(config.read_text().replace("stanch.local/ledger", "other.example/ledger"))
    assert "keys" in bad()


def test_doctor_sees_a_persons_key_that_is_none(home: Path) -> None:
    config = home.parent / "stanch.toml"
    for name in ("alice", "bob"):
        config.write_text(config.read_text() + stanch("person", name, "--key", f"{name}.key").out)
    assert bad() == {"settings"}
    config.write_text(config.read_text().replace('"EC"', '"RSA"', 1))
    # What auditors are given has people's keys in it, so it cannot be compared either.
    assert bad() == {"settings", "people", "keys", "key history"}


@pytest.mark.parametrize("wrong", [("account", "1"), ("region", "eu west"), ("partition", "azure")])
def test_permissions_for_what_cannot_be_are_refused(wrong: tuple[str, str]) -> None:
    ran = stanch("permissions", f"--{wrong[0]}", wrong[1])
    assert (ran.status, ran.out) == (1, "")
    assert wrong[1] in ran.err


def rewrite(made: Any, change: Callable[[dict[str, Any]], None]) -> None:
    finding = json.loads(made.finding.read_text())
    change(finding["detail"])
    made.finding.write_text(json.dumps(finding))


@apart
def test_a_host_that_is_gone_leaves_with_a_status_that_says_so(scene: Scene) -> None:
    with desk(scene) as made:

        def elsewhere(detail: dict[str, Any]) -> None:
            detail["resource"]["instanceDetails"]["instanceId"] = "i-0123456789abcdef0"

        rewrite(made, elsewhere)
        ran = stanch("respond", made.finding, "--without-prefect")
        assert ran.status == 1
        assert "does not exist" in ran.out
        assert "InvalidInstanceID.NotFound" in stanch("show", "INC-0001").out


@apart
def test_what_is_open_and_asked_is_read_before_it_is_answered(scene: Scene) -> None:
    with desk(scene) as made:
        rewrite(made, lambda detail: detail.update(severity=5))
        assert stanch("respond", made.finding, "--without-prefect").status == 0
        page = stanch("show", "INC-0001").out
        assert "still open: the host is still on the network" in page
        for word in ("isolate_instance", "snapshots are kept and paid for", "below the floor"):
            assert word in page
        assert page.index("still open") < page.index("Q-0001 open") < page.index("\nsteps")


@apart
def test_an_incident_undone_asks_nothing_and_says_why_nothing_happens(scene: Scene) -> None:
    with desk(scene) as made:
        stanch("respond", made.finding, "--without-prefect")
        again = stanch("respond", made.finding, "--without-prefect").out
        assert "belongs to INC-0001" in again
        stanch("rollback", "INC-0001", "--key", made.alice)
        stanch("approve", "Q-0002", "--key", made.bob)
        assert stanch("rollback", "INC-0001", "--key", made.alice).status == 0
        late = stanch("approve", "Q-0001", "--key", made.bob)
        assert (late.status, "rolled back" in late.err) == (1, True), late.err
        scene.world.calls.clear()
        ran = stanch("respond", made.finding, "--without-prefect")
        assert ran.status == 0
        assert "stanch open" in ran.out
        assert "approve" not in ran.out
        assert scene.changed() == []
        assert "not in effect" not in stanch("show", "INC-0001").out


@apart
def test_an_aws_that_is_not_reached_is_no_matter_of_trust(scene: Scene) -> None:
    with desk(scene) as made, pytest.MonkeyPatch.context() as patch:
        # boto3 tries again by itself, and waits in between.
        patch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
        os.environ["STANCH_AWS_ENDPOINT"] = "http://127.0.0.1:9"
        ran = stanch("respond", made.finding, "--without-prefect")
        assert ran.status == 1
        assert "network" in ran.out
        assert "trust policy" not in ran.out


def test_who_interrupts_is_told_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.command()
    def wait() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as left, failing(OSError):
        app([])
    assert left.value.code == 130
    assert "stanch resume" in capsys.readouterr().err


@apart
def test_a_play_that_broke_off_says_how_to_go_on(scene: Scene) -> None:
    with desk(scene) as made:
        stanch("respond", made.finding, "--without-prefect")
        db = Store(assemble(load()).engine)
        db.commit(lambda conn: store.set_status(conn, "INC-0001", "partial", "it broke off"))
        assert "`stanch resume INC-0001` goes on" in stanch("show", "INC-0001").out


@apart
def test_two_deployments_in_one_account_take_no_snapshot_for_their_own(scene: Scene) -> None:
    with desk(scene) as made:
        taken = []
        for name in ("first", "second"):
            os.environ["STANCH_HOME"] = name
            assert stanch("init").status == 0
            told = stanch("respond", made.finding, "--without-prefect", "--json").json
            steps = {s["step"].partition("/")[0]: s for s in told["steps"]}
            taken.append({one["id"] for one in steps["snapshot_volumes"]["result"]["snapshots"]})
            assert told["id"] == "INC-0001"
        assert len(taken[0]) == len(taken[1]) == len(scene.estate.volumes)
        assert not taken[0] & taken[1]
