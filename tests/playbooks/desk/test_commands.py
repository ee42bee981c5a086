"""The commands that need no cloud: help, alert, init, person, permissions; and how all fail."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from playbooks.__main__ import COMMANDS
from playbooks.desk.cli.surroundings import out, printable, visible
from playbooks.wiring.settings import load
from tests.playbooks.desk.console import stanch

SAMPLES = Path(__file__).resolve().parents[3] / "../shared/samples/guardduty"


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("STANCH_CONFIG", raising=False)
    return tmp_path / "stanch.toml"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str) -> None:
    ran = stanch(command, "--help")
    assert ran.status == 0
    assert "Usage" in ran.out
    assert ran.err == ""


@pytest.mark.parametrize("command", ["show", "respond", "doctor", "approve"])
def test_before_init_each_says_to_run_it(command: str, tmp_path: Path) -> None:
    more = {"respond": ["f.json"], "approve": ["Q-1", "--key", "k"]}.get(command, [])
    ran = stanch(command, *more)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("stanch: there is no Stanch in ")
    assert "stanch init" in ran.err
    assert ran.err.count("\n") == 1


def test_init_makes_a_deployment_once(config: Path) -> None:
    assert stanch("init").status == 0
    home = config.parent / "stanch-data"
    assert home.stat().st_mode & 0o777 == 0o700
    trust = json.loads((home / "keys" / "trust.json").read_text())
    assert trust["log_vkey"].startswith("stanch.local/ledger+")
    before = (home / "stanch.db").read_bytes()
    again = stanch("init")
    assert (again.status, "nothing was changed" in again.err) == (1, True)
    assert (home / "stanch.db").read_bytes() == before
    assert stanch("show").status == 0
    assert stanch("show", "--json").json == []
    assert "no incident 'INC-1'" in stanch("show", "INC-1").err


def test_wrong_settings_are_one_line(config: Path) -> None:
    config.write_text("homee = 1\n")
    ran = stanch("show")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "homee" in ran.err


def test_show_does_not_wait_for_prefect_to_be_imported(tmp_path: Path) -> None:
    stanch("init")
    code = (
        "import sys\nfrom playbooks.__main__ import main\nsys.argv = ['stanch', 'show']\n"
        "try:\n    main()\nexcept SystemExit as left:\n    assert not left.code\n"
        "print([m for m in ('prefect', 'moto', 'fastapi') if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).resolve().parents[3]), "PATH": ""},
    )
    assert ran.stdout.splitlines()[-1] == "[]"


def test_an_alert_is_read_without_any_cloud_or_init(tmp_path: Path) -> None:
    if not SAMPLES.is_dir():
        pytest.skip("needs ../shared/samples/guardduty beside the repository")
    for path in sorted(SAMPLES.glob("*.json")):
        ran = stanch("alert", path, "--json")
        assert ran.status == 0, ran.err
        told = ran.json
        assert told["alert"]["class_uid"] == 2004
        assert told["meaning"]["automatic"] is False
        assert told["hindrances"]
        assert "would only propose" in stanch("alert", path).out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b'{"a":' * 9999, b"{}"])
def test_what_is_no_finding_is_one_line(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "f.json").write_bytes(data)
    ran = stanch("alert", "f.json")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("stanch: ")
    assert ran.err.count("\n") == 1


def test_a_file_that_is_not_there_is_one_line() -> None:
    ran = stanch("alert", "nowhere.json")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "nowhere.json" in ran.err


def test_a_persons_lines_are_settings(config: Path) -> None:
    ran = stanch("person", "alice", "--key", "alice.key")
    config.write_text(ran.out)
    assert list(load().people) == ["alice"]
    assert '"d"' not in ran.out
    assert "\nd =" not in ran.out


@pytest.mark.parametrize("name", ["a b", "a]\n[guard", "", "a.b", "ä"])
def test_a_name_that_is_no_key_of_a_table_makes_no_key(name: str, tmp_path: Path) -> None:
    ran = stanch("person", name, "--key", "p.key")
    assert ran.status == 1
    assert not (tmp_path / "p.key").exists()


def test_permissions_are_a_policy_with_resources_and_conditions() -> None:
    ran = stanch("permissions", "--account", "111122223333", "--region", "eu-west-1")
    policy = ran.json
    assert policy["Version"] == "2012-10-17"
    statements = policy["Statement"]
    assert all(s["Effect"] == "Allow" and s["Action"] for s in statements)
    writing = [
        s
        for s in statements
        if any(not a.split(":")[1].startswith(("Describe", "Get", "List")) for a in s["Action"])
    ]
    assert any("Condition" in s for s in writing)
    granted = {a for s in statements for a in s["Action"]}
    assert {"ec2:ModifyNetworkInterfaceAttribute", "iam:PutRolePolicy"} <= granted
    assert not any("*" in a for a in granted)
    for s in writing:
        if "iam:PutRolePolicy" in s["Action"]:
            assert s["Resource"] != "*"
    assert stanch("permissions", "--play", "compromised-instance").status == 0


def test_permissions_of_a_play_that_is_not_there_name_those_that_are() -> None:
    ran = stanch("permissions", "--play", "nothing")
    assert (ran.status, "compromised-instance" in ran.err) == (1, True)


HOSTILE = [
    "\x1b[31mred",
    "a\u202eb",
    "[bold]x[/bold]",
    "\\[bold]x",
    "a\nb",
    "\u200bx",
    ":warning:",
    "[link=http://x]y[/link]",
    "[/]",
    "\x00",
    "\ud800",
    {"k": "[red]"},
]


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_no_text_acts_on_a_terminal(value: object, capsys: pytest.CaptureFixture[str]) -> None:
    out().print(f"[bold]{printable(value)}[/]")
    said = capsys.readouterr().out
    assert said == visible(value) + "\n"
    assert said.rstrip("\n").isprintable()
