"""Keys that move from files to a Vault, and on to their next version there; nothing is lost."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evidence.errors import KeyMaterialError
from evidence.verify import verify_bundle
from playbooks.wiring.key_places import NAME, places
from playbooks.wiring.parts import assemble
from playbooks.wiring.settings import load
from tests.playbooks.desk.console import Ran, stanch
from tests.playbooks.wiring.keys_elsewhere import (
    MOUNT,
    PLAIN,
    SECRET,
    TYPES,
    exported,
    keep,
    reopened,
    seal,
    vault_with_keys,
)

FILES = {"log": "log.pem", "manifest": "manifest.pem", "wrap": "wrap.key"}


@dataclass
class Site:
    """A deployment with keys in files, and a Vault with three more."""

    root: Any
    folder: Path

    @property
    def keys(self) -> Path:
        return self.folder / "stanch-data" / "keys"

    def verdict(self, name: str) -> tuple[Any, ...]:
        """Verify a bundle with the newest trust.json."""
        trust = json.loads((self.keys / "trust.json").read_text())
        found = verify_bundle(self.folder / name, trust)
        return found.exit_code, found.problems


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with vault_with_keys(tmp_path, monkeypatch) as (_, root):
        assert stanch("init").status == 0
        yield Site(root, tmp_path)


def uri(use: str, version: int = 1, key: str = "") -> str:
    return f"vault-transit://prod/{MOUNT}/{key or use}?version={version}"


def moved(use: str, to: str, *more: str) -> Ran:
    return stanch("key", "rotate", use, "--reason", "into the Vault", "--to", to, *more)


def test_keys_move_into_a_vault_and_on_and_all_stays_proven(site: Site) -> None:
    bodies = keep(assemble(load()), SECRET)
    seal(assemble(load()))
    assert exported(assemble(load()), site.folder / "before").problems == ()
    for use in TYPES:
        ran = moved(use, uri(use))
        assert (ran.status, ran.err) == (0, "")
        assert "lies in keys/former, closed" in ran.out
    assert not any((site.keys / name).exists() for name in FILES.values())
    bodies += keep(assemble(load()), SECRET)
    seal(assemble(load()))
    assert exported(assemble(load()), site.folder / "moved").problems == ()

    for use in TYPES:
        site.root.write(f"{MOUNT}/keys/{use}/rotate")
        ran = moved(use, uri(use, 2))
        assert (ran.status, ran.err) == (0, "")
        assert "stays where it lives" in ran.out
    site.root.write(f"{MOUNT}/keys/wrap-2", type="aes256-gcm96")
    assert moved("wrap", uri("wrap", key="wrap-2")).status == 0
    bodies += keep(assemble(load()), SECRET, PLAIN)
    parts = assemble(load())
    seal(parts)
    assert exported(parts, site.folder / "after").problems == ()

    # What was exported before is still believed, and what was sealed before is still read.
    for name in ("before", "moved", "after"):
        assert site.verdict(name) == (3, ())
    sensitive = [body["artifact_id"] for body in bodies if body["sensitive"]]
    assert [reopened(parts, one) for one in sensitive] == [SECRET.data] * 3
    assert places(site.keys)["log"].uri == uri("log", 2)


def test_a_key_that_is_not_fit_changes_nothing(site: Site) -> None:
    keep(assemble(load()), PLAIN)
    before = {path.name: path.read_bytes() for path in site.keys.iterdir() if path.is_file()}
    site.root.write(f"{MOUNT}/keys/loose", type="ed25519", exportable=True)
    for to, said in (
        (uri("log", key="loose"), "is exportable"),
        (uri("log", 2), "has no version 2"),
        (uri("log", key="manifest"), "the log key must be ed25519"),
        ((site.keys / "log.pem").as_uri(), "is made as a file by"),
    ):
        ran = moved("log", to)
        assert (ran.status, said in ran.err) == (1, True)
    after = {path.name: path.read_bytes() for path in site.keys.iterdir() if path.is_file()}
    after.pop("in-use", None)
    assert after == before


def test_a_process_with_the_old_key_signs_nothing_more(site: Site) -> None:
    keep(assemble(load()), PLAIN)
    old = assemble(load())
    assert moved("log", uri("log")).status == 0
    keep(assemble(load()), PLAIN)
    with pytest.raises(KeyMaterialError, match="another log key followed"):
        seal(old)
    assert seal(assemble(load())) is not None


@pytest.mark.parametrize("use", ["log", "manifest"])
def test_a_move_that_breaks_off_goes_on(
    site: Site, use: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(assemble(load()), PLAIN)
    with monkeypatch.context() as broken:

        def cut(*_: Any, **__: Any) -> None:
            raise OSError("cut off")

        broken.setattr("playbooks.wiring.key_places.replace_closed", cut)
        assert moved(use, uri(use)).status != 0
    assert not (site.keys / NAME).exists()
    assert moved(use, uri(use)).status == 0
    keep(assemble(load()), SECRET)
    parts = assemble(load())
    seal(parts)
    assert exported(parts, site.folder / "bundle").problems == ()


def test_a_moved_key_s_file_is_overwritten_where_that_is_asked(site: Site) -> None:
    keep(assemble(load()), PLAIN)
    secret = (site.keys / "log.pem").read_bytes()
    assert moved("log", uri("log"), "--destroy").status == 0
    held = [path for path in site.folder.rglob("*") if path.is_file()]
    assert not any(secret[40:80] in path.read_bytes() for path in held)
