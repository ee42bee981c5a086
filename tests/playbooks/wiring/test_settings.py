"""Settings: whatever is wrong is named with its place and what to do, and never with a secret."""

from pathlib import Path
from typing import Any

import pytest

from playbooks.errors import ApprovalError, SettingsError
from playbooks.wiring import people
from playbooks.wiring.settings import load, resolve

CANARY = "canary-7f3a"
WRONG = {
    "no TOML": ("home = = 1", "stanch.toml"),
    "a secret in broken TOML": (f'home = "{CANARY}', "stanch.toml"),
    "an unknown key": ("hoem = 'x'", "hoem"),
    "an unknown key in a part": ("[guard]\nceilings = 3", "guard.ceilings"),
    "a short account": ('[accounts."123"]', "12 digits"),
    "an account unquoted and long": ("[accounts.1111222233334]", "12 digits"),
    "plain http": ('aws_endpoint = "http://example.org"', "aws_endpoint"),
    "http with a user part": (f'aws_endpoint = "http://127.0.0.1:{CANARY}@example.org"', "aws_"),
    "another scheme on loopback": ('aws_endpoint = "ftp://localhost"', "aws_endpoint"),
    "https to nowhere": ('aws_endpoint = "https://"', "aws_endpoint"),
    "a floor out of bounds": ("[automatic]\nseverity_floor = 11", "automatic.severity_floor"),
    "a ceiling of none": ("[guard]\nceiling = 0", "guard.ceiling"),
    "no time to answer": ("answer_hours = 0", "answer_hours"),
    "a secret of the wrong type": (f'keep_ssm = "{CANARY}"', "keep_ssm"),
}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "stanch.toml"
    monkeypatch.setenv("STANCH_CONFIG", str(path))
    return path


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_with_its_place(name: str, config: Path) -> None:
    text, place = WRONG[name]
    config.write_text(text + "\n")
    with pytest.raises(SettingsError) as caught:
        load()
    said = str(caught.value)
    assert place in said
    assert str(config) in said
    assert "Correct it" in said
    assert CANARY not in said


@pytest.mark.parametrize("name", WRONG)
def test_the_chain_of_the_error_holds_no_secret_either(name: str, config: Path) -> None:
    config.write_text(WRONG[name][0] + "\n")
    with pytest.raises(SettingsError) as caught:
        load()
    assert caught.value.__suppress_context__


def test_bytes_that_are_no_text_are_named(config: Path) -> None:
    config.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read"):
        load()


def test_a_file_that_is_not_there_is_named(config: Path) -> None:
    with pytest.raises(SettingsError, match="stanch init"):
        load()


def test_the_environment_stands_above_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text("keep_ssm = false\n")
    monkeypatch.setenv("STANCH_KEEP_SSM", "true")
    monkeypatch.setenv("STANCH_GUARD__CEILING", "3")
    assert (load().keep_ssm, load().guard.ceiling) == (True, 3)


def test_an_environment_that_cannot_be_read_is_named(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text("")
    monkeypatch.setenv("STANCH_ACCOUNTS", f"{{{CANARY}")
    with pytest.raises(SettingsError, match=r"environment.*accounts") as caught:
        load()
    assert CANARY not in str(caught.value)


def test_a_relative_home_lies_beside_the_file(config: Path) -> None:
    config.write_text('home = "here"\n')
    assert load().home == config.parent / "here"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:5000", "http://[::1]:1", "https://vpce.x"])
def test_loopback_and_https_are_taken(config: Path, endpoint: str) -> None:
    config.write_text(f'aws_endpoint = "{endpoint}"\n')
    assert load().aws_endpoint == endpoint


def test_a_secret_is_read_where_its_reference_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("SOME_SECRET", "from the environment")
    assert resolve("env:SOME_SECRET") == "from the environment"
    assert resolve(f"file:{tmp_path / 'secret'}") == "from a file"


@pytest.mark.parametrize(
    "reference", [CANARY, f"vault:{CANARY}", f"env:{CANARY}", f"file:/{CANARY}", f"{CANARY}:x", ""]
)
def test_a_reference_that_leads_nowhere_says_so_and_tells_nothing(reference: str) -> None:
    with pytest.raises(SettingsError, match="Expected env:NAME") as caught:
        resolve(reference)
    assert CANARY not in str(caught.value)


def _people(config: Path, **known: dict[str, str]) -> Any:
    lines = []
    for name, jwk in known.items():
        lines += [f"[people.{name}]", *(f'{k} = "{v}"' for k, v in jwk.items())]
    config.write_text("\n".join(lines) + "\n")
    return load()


def test_a_person_is_known_by_their_key(config: Path, tmp_path: Path) -> None:
    alice, bob = (people.make(tmp_path / f"{n}.key") for n in ("alice", "bob"))
    settings = _people(config, alice=alice, bob=bob)
    assert people.who(settings, tmp_path / "bob.key")[0] == "bob"
    assert (tmp_path / "bob.key").stat().st_mode & 0o777 == 0o600


def test_a_key_of_nobody_is_refused(config: Path, tmp_path: Path) -> None:
    settings = _people(config, alice=people.make(tmp_path / "alice.key"))
    people.make(tmp_path / "eve.key")
    with pytest.raises(ApprovalError, match="nobody"):
        people.who(settings, tmp_path / "eve.key")


def test_nobody_has_two_names(config: Path, tmp_path: Path) -> None:
    jwk = people.make(tmp_path / "alice.key")
    with pytest.raises(SettingsError, match=r"people\.alicia and people\.alice"):
        people.known(_people(config, alice=jwk, alicia=jwk))


def test_a_key_that_is_none_is_named_with_its_place(config: Path, tmp_path: Path) -> None:
    jwk = people.make(tmp_path / "alice.key") | {"x": "AAAA"}
    with pytest.raises(SettingsError, match=r"people\.alice"):
        people.known(_people(config, alice=jwk))


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    people.make(tmp_path / "alice.key")
    before = (tmp_path / "alice.key").read_bytes()
    with pytest.raises(SettingsError, match="never overwritten"):
        people.make(tmp_path / "alice.key")
    assert (tmp_path / "alice.key").read_bytes() == before
