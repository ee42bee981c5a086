"""A deployment whose three keys never leave a PKCS #11 token (SoftHSM2)."""

from pathlib import Path

import pytest

from playbooks.desk.doctor import key_service
from playbooks.desk.doctor.place import Place
from playbooks.wiring.parts import assemble, now
from playbooks.wiring.settings import load
from tests.evidence.token_site import PIN, token, uri
from tests.playbooks.desk.console import stanch
from tests.playbooks.wiring.keys_elsewhere import (
    PLAIN,
    SECRET,
    exported,
    holding,
    keep,
    reopened,
    seal,
)

USES = ("log", "manifest", "wrap")


def test_all_is_proven_and_neither_key_nor_pin_is_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hsm = token()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("STANCH_CONFIG", raising=False)
    ran = stanch("init", *(word for use in USES for word in (f"--{use}-key", uri(hsm, use))))
    assert (ran.status, ran.err) == (0, "")
    parts = assemble(load())
    bodies = keep(parts, PLAIN, SECRET)
    assert seal(parts) is not None
    found = exported(parts, tmp_path / "bundle")
    assert (found.problems, found.exit_code) == ((), 3)
    assert reopened(parts, bodies[1]["artifact_id"]) == SECRET.data
    told = [f for use in USES for f in key_service.key(Place(load(), now), use)]
    assert [f.level for f in told] == ["ok"] * 3
    at_home = sorted(path.name for path in (tmp_path / "stanch-data" / "keys").iterdir())
    assert at_home == ["keyring.json", "signed-head", "trust.json"]
    assert holding(tmp_path, [PIN.encode()]) == []
