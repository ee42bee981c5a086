"""Every audit line that carried a leaked secret is found, and the secret is kept nowhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.vault.policy import policy
from evidence.sources.item import Item, Missed
from evidence.sources.vault_audit_hunt import VaultAuditHunt
from tests.actions.vault import site
from tests.evidence.test_vault_facts import Place


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    for path in ("file", "second"):
        made.root.sys.enable_audit_device("file", options={"file_path": path}, path=path)
    return made


def written(place: Place, folder: Path) -> tuple[str, ...]:
    """Write what each device has kept to a file, as an operator would copy it."""
    logs = []
    for path in ("file", "second"):
        log = folder / f"{path}.log"
        log.write_text("\n".join(place.world.audit_lines(path)) + "\n")
        logs.append(str(log))
    return tuple(logs)


def hunt(place: Place, logs: tuple[str, ...], secret: str) -> list[Item | Missed]:
    return list(VaultAuditHunt(site.NAME, logs, lambda: secret).collect(place.clients))


def lines(found: list[Item | Missed]) -> dict[str, list[dict[str, Any]]]:
    return {
        one.name: json.loads(one.data)["pages"]
        for one in found
        if isinstance(one, Item) and "lines" in one.name
    }


def test_a_stolen_token_is_found_in_each_line_of_each_device_and_no_other(
    place: Place, tmp_path: Path
) -> None:
    stolen, other = (site.log_in(place.world, login) for login in place.estate.apps.values())
    for token, path in ((stolen, "web"), (other, "batch"), (stolen, "web")):
        place.world.client(token).adapter.get(f"/v1/secret/data/{path}/db")
    logs = written(place, tmp_path)
    found = lines(hunt(place, logs, stolen))
    assert found.keys() == {"vault.audit-lines.0", "vault.audit-lines.1"}
    for number, (device, log) in enumerate(zip(("file", "second"), logs, strict=True)):
        hits = found[f"vault.audit-lines.{number}"]
        whole = Path(log).read_text().splitlines()
        # The login that gave it out, and two reads, each with its answer.
        assert [json.loads(h["text"])["request"]["path"] for h in hits] == [
            "auth/approle/login",
            *["secret/data/web/db"] * 4,
        ]
        assert [whole[h["line"] - 1] for h in hits] == [h["text"] for h in hits]
        assert {h["device"] for h in hits} == {device}


def test_a_password_that_was_written_is_found_by_its_value(place: Place, tmp_path: Path) -> None:
    place.root.secrets.kv.v2.create_or_update_secret("x", {"password": "canary-77"})
    hits = lines(hunt(place, written(place, tmp_path), "canary-77"))["vault.audit-lines.0"]
    assert [json.loads(h["text"])["request"]["path"] for h in hits] == ["secret/data/x"] * 2


def test_the_secret_is_nowhere_in_what_is_kept_or_shown(place: Place, tmp_path: Path) -> None:
    place.root.secrets.kv.v2.create_or_update_secret("x", {"password": "canary-77"})
    logs = (*written(place, tmp_path), str(tmp_path / "none.log"))
    found = hunt(place, logs, "canary-77")
    assert b"canary-77" not in b"".join(one.data for one in found if isinstance(one, Item))
    assert "canary-77" not in repr(found) + repr(
        VaultAuditHunt(site.NAME, logs, lambda: "canary-77")
    )
    assert str(tmp_path) not in repr(found)
    assert [(m.name, m.error_code) for m in found if isinstance(m, Missed)] == [
        ("vault.audit-lines.2", "FileNotFoundError")
    ]


def test_a_device_that_was_turned_off_took_its_salt_with_it(place: Place, tmp_path: Path) -> None:
    place.root.secrets.kv.v2.create_or_update_secret("x", {"password": "canary-77"})
    logs = written(place, tmp_path)
    place.root.sys.disable_audit_device("file")
    place.root.sys.enable_audit_device("file", options={"file_path": "file"}, path="file")
    found = lines(hunt(place, logs, "canary-77"))
    assert found["vault.audit-lines.0"] == []
    assert len(found["vault.audit-lines.1"]) == 2


def test_it_needs_no_more_than_it_says(place: Place, tmp_path: Path) -> None:
    logs = written(place, tmp_path)
    text = policy([], reads=VaultAuditHunt.paths)
    place.root.sys.create_or_update_acl_policy("stanch", text)
    assert [one for one in hunt(place, logs, "x") if isinstance(one, Missed)] == []
