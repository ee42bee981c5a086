"""A person is a key: private to them, wherever it lies, and theirs alone."""

from pathlib import Path

import pytest

from playbooks.errors import ApprovalError, SettingsError
from playbooks.wiring import people
from playbooks.wiring.settings import Settings


def test_a_key_is_taken_from_a_folder_that_others_can_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    settings = Settings(people={"alice": people.make(tmp_path / "alice.key")})
    assert people.who(settings, tmp_path / "alice.key")[0] == "alice"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    key = tmp_path / "alice.key"
    settings = Settings(people={"alice": people.make(key)})
    key.chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        people.who(settings, key)


@pytest.mark.parametrize("content", [b"", b"canary", b"-----BEGIN PRIVATE KEY-----\ncanary\n"])
def test_what_is_no_key_is_refused_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    key = tmp_path / "alice.key"
    key.write_bytes(content)
    key.chmod(0o600)
    with pytest.raises(SettingsError, match="stanch person") as told:
        people.who(Settings(), key)
    assert "canary" not in str(told.value)


def test_a_strangers_key_is_nobodys(tmp_path: Path) -> None:
    people.make(tmp_path / "eve.key")
    settings = Settings(people={"alice": people.make(tmp_path / "alice.key")})
    with pytest.raises(ApprovalError, match="nobody"):
        people.who(settings, tmp_path / "eve.key")
