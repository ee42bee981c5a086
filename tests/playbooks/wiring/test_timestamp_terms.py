"""What is pinned of a timestamp authority, revocation lists with it, stands in trust.json."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from evidence.timestamp import read_authorities
from playbooks.drills.range import tsa
from playbooks.errors import SettingsError
from playbooks.wiring import timestamp_terms
from playbooks.wiring.settings import load
from tests.evidence.test_timestamp_revocation import Issuer, issuer

TOLD = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def pinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    """An authority whose files lie beside the settings, which name a list of its issuer."""
    made = issuer("tsa")
    for name, pem in zip(("tsa.pem", "root.pem"), made.pem, strict=True):
        (tmp_path / name).write_bytes(pem)
    (tmp_path / "list.pem").write_bytes(made.crl(TOLD))
    (tmp_path / "stanch.toml").write_text(
        'home = "home"\n[timestamps.tsa]\ncertificate = "tsa.pem"\nroot = "root.pem"\n'
        f'policy = "{tsa.POLICY}"\ncrl = "list.pem"\n'
    )
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    return made


@pytest.mark.usefixtures("pinned")
def test_the_list_is_given_to_auditors(tmp_path: Path) -> None:
    trust = timestamp_terms.trust(load())
    assert trust["timestamp_authorities"][0]["crl"] == (tmp_path / "list.pem").read_text()
    (one,), _ = read_authorities(trust)
    assert [made.last_update_utc for made in one.lists] == [TOLD]


@pytest.mark.usefixtures("pinned")
@pytest.mark.parametrize("lost", ["gone", "another"])
def test_a_list_that_cannot_be_used_is_said(tmp_path: Path, lost: str) -> None:
    if lost == "gone":
        (tmp_path / "list.pem").unlink()
    else:
        (tmp_path / "list.pem").write_bytes(issuer("tsa").crl(TOLD))
    with pytest.raises(SettingsError, match=r"timestamps\.tsa"):
        timestamp_terms.trust(load())
