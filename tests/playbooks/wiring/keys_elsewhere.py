"""A deployment made by `stanch init`, whose keys may live elsewhere, and what it is put to."""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from evidence import ledger
from evidence.custody.opening import content
from evidence.custody.record import view
from evidence.deposit import KIND, Acquisition, Custody, deposit
from evidence.sources.item import Item
from evidence.verify import verify_bundle
from evidence.verify_report import Verdict
from playbooks.case.record import Record
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.drills.range.vault.server import serve
from playbooks.drills.range.vault.world import VaultWorld
from playbooks.wiring.parts import Parts
from tests.evidence.second.check import verify as second
from tests.playbooks.desk.console import stanch

CASE = "INC-0001"
PLAIN = Item("ec2.describe", "application/json", b'{"state": "running"}', False, "ec2.describe")
SECRET = Item("ec2.user_data", "text/plain", b"TOKEN=hunter2", True, "ec2.user_data")

# A key of each use in the Vault's transit engine, and of what type it is there.
MOUNT = "stanch-keys"
TYPES = {"log": "ed25519", "manifest": "ecdsa-p256", "wrap": "aes256-gcm96"}


@contextmanager
def vault_with_keys(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str
) -> Iterator[tuple[VaultWorld, Any]]:
    """Serve a Vault with three keys, named by settings in a folder; yield it, and root's client."""
    world = VaultWorld(seed=5)
    root = world.client(world.root_token)
    root.sys.enable_secrets_engine("transit", path=MOUNT)
    for name, kind in TYPES.items():
        root.write(f"{MOUNT}/keys/{name}", type=kind)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("STANCH_CONFIG", raising=False)
    monkeypatch.setenv("KEYS_TOKEN", world.root_token)
    with serve(world) as url:
        lines = ["[vaults.prod]", f'url = "{url}"', 'token = "env:KEYS_TOKEN"', *more]
        (folder / "stanch.toml").write_text("\n".join(lines) + "\n")
        yield world, root


def keep(parts: Parts, *items: Item) -> list[dict]:
    """Take items into custody as a play does; return the entries' bodies."""
    db, record = Store(parts.engine), Record("stanch", parts.now, parts.random)
    db.commit(lambda conn: record.note(conn, CASE, "case.open", {"finding": "x"}))
    name = db.read(lambda conn: ledger.pseudonym(conn, CASE))
    custody = Custody(parts.locker, parts.keys.manifest, parts.keys.wrap, "0", parts.random)
    bodies = []
    for item in items:
        body = deposit(custody, item, Acquisition("facts", "i-1", name, parts.now(), parts.now()))
        db.commit(lambda conn, body=body: record.note(conn, CASE, KIND, body))
        bodies.append(body)
    return bodies


def seal(parts: Parts) -> ledger.SignedCheckpoint | None:
    """Sign the head, as a seal and the responder do."""
    return checkpoint(Store(parts.engine), parts)


def exported(parts: Parts, out: Path) -> Verdict:
    """Export at a terminal, and verify offline with trust.json: two verifiers agree."""
    ran = stanch("export", CASE, "-o", str(out))
    assert (ran.status, ran.err) == (0, "")
    trust = json.loads((parts.settings.home / "keys" / "trust.json").read_text())
    found = verify_bundle(out, trust)
    assert second(out, trust).code == found.exit_code
    return found


def reopened(parts: Parts, artifact_id: str) -> bytes:
    """Read an artifact back, as `stanch custody read` does."""
    found = Store(parts.engine).read(lambda conn: view(conn, CASE)).artifacts[artifact_id]
    return b"".join(content(parts.locker, found, parts.keys.wrap))


def holding(folder: Path, secrets: Iterable[bytes]) -> list[str]:
    """Return the files below `folder` in which one of the secrets stands, raw or encoded."""
    forms = [form for one in secrets for form in _spelt(one)]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(p) for p in files if any(form in p.read_bytes() for form in forms)]


def _spelt(secret: bytes) -> list[bytes]:
    encode: list[Callable[[bytes], bytes]] = [base64.b64encode, base64.urlsafe_b64encode]
    return [secret, secret.hex().encode(), *(e(secret).rstrip(b"=") for e in encode)]
