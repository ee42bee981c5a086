"""A deployment whose three keys never leave a Vault: as good as with files, and it fails closed."""

import base64
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jose import jws as jose_jws
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey

from evidence import bag
from evidence.errors import KeyServiceError
from evidence.keys import public_jwk
from evidence.note import parse_vkey
from evidence.verify_report import Verdict
from playbooks.case.store import Store
from playbooks.desk.doctor import key_service
from playbooks.desk.doctor.place import Place
from playbooks.drills.range.vault.world import VaultWorld
from playbooks.errors import FrozenError
from playbooks.respond import integrator
from playbooks.wiring.gated import through
from playbooks.wiring.parts import Parts, assemble, now
from playbooks.wiring.settings import load
from tests.playbooks.desk.console import stanch
from tests.playbooks.wiring.keys_elsewhere import (
    MOUNT,
    PLAIN,
    SECRET,
    TYPES,
    exported,
    holding,
    keep,
    reopened,
    seal,
    vault_with_keys,
)

INIT = [
    word
    for use in TYPES
    for word in (f"--{use}-key", f"vault-transit://prod/{MOUNT}/{use}?version=1")
]


@dataclass
class Site:
    """A Vault over HTTP with three keys, and settings that name it."""

    world: VaultWorld
    root: Any
    folder: Path

    def secrets(self) -> list[bytes]:
        """Return the private bytes of every version of the three keys."""
        (engine,) = self.world.core.mounts[f"{MOUNT}/"].parts
        found = [v.secret for key in engine.keys.values() for v in key.versions.values()]
        assert len(found) >= 3
        # The simulator's P-256 scalar is made from the secret (transit_kinds.py).
        return [*found, *((int.from_bytes(one, "big") + 1).to_bytes(32, "big") for one in found)]

    def transit(self, path: str, **body: Any) -> None:
        self.root.write(f"{MOUNT}/{path}", **body)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with vault_with_keys(tmp_path, monkeypatch, f'prefixes = ["{MOUNT}"]') as (world, root):
        yield Site(world, root, tmp_path)


@pytest.fixture
def parts(site: Site) -> Parts:
    ran = stanch("init", *INIT)
    assert (ran.status, ran.err) == (0, "")
    return assemble(load())


def test_all_is_proven_as_with_files_and_no_key_is_at_home(
    site: Site, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = keep(parts, PLAIN, SECRET)
    assert seal(parts) is not None
    found = exported(parts, site.folder / "bundle")
    assert reopened(parts, bodies[1]["artifact_id"]) == SECRET.data
    assert sorted(p.name for p in (site.folder / "stanch-data" / "keys").iterdir()) == [
        "keyring.json",
        "signed-head",
        "trust.json",
    ]
    assert holding(site.folder, site.secrets()) == []
    assert holding(site.folder, [site.world.root_token.encode()]) == []
    assert told(found) == told(with_files(site.folder, monkeypatch))
    # Where there are keys, that look finds them.
    wrap = (site.folder / "files" / "stanch-data" / "keys" / "wrap.key").read_bytes()
    assert len(holding(site.folder, [wrap])) == 1


def with_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Verdict:
    """Do the same in a deployment whose keys are files."""
    (folder / "files").mkdir()
    monkeypatch.chdir(folder / "files")
    assert stanch("init").status == 0
    parts = assemble(load())
    keep(parts, PLAIN, SECRET)
    assert seal(parts) is not None
    return exported(parts, folder / "files" / "bundle")


def told(found: Verdict) -> tuple[Any, ...]:
    assert found.problems == ()
    return found.exit_code, found.status, found.lacking, found.checks


def test_the_printed_policy_is_enough(
    site: Site, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed = stanch("vault", "permissions", "prod")
    site.root.sys.create_or_update_acl_policy("stanch", printed.out)
    made = site.root.auth.token.create(policies=["stanch"])["auth"]["client_token"]
    monkeypatch.setenv("KEYS_TOKEN", made)
    humble = assemble(load())
    bodies = keep(humble, SECRET)
    assert seal(humble) is not None
    assert reopened(humble, bodies[0]["artifact_id"]) == SECRET.data
    found = [f for use in TYPES for f in key_service.key(Place(load(), now), use)]
    assert [f.level for f in found] == ["ok", "ok", "ok"]
    monkeypatch.setenv(
        "KEYS_TOKEN", site.root.auth.token.create(policies=["none"])["auth"]["client_token"]
    )
    with pytest.raises(KeyServiceError, match=f"let Stanch's policy update {MOUNT}/encrypt/wrap"):
        keep(assemble(load()), SECRET)


def test_others_verify_what_the_vault_signed(site: Site, parts: Parts) -> None:
    (body,) = keep(parts, PLAIN)
    token = parts.locker.read(body["manifest_sha256"]).decode()
    known = ECKey.import_key(public_jwk(parts.keys.manifest.public))
    assert joserfc_jws.deserialize_compact(token, known, algorithms=["ES256"]).payload
    # The seam is python-jose's own, too.
    other = jose_jws.sign(b"message", parts.keys.manifest.key, algorithm="ES256")
    assert joserfc_jws.deserialize_compact(other, known, algorithms=["ES256"]).payload == b"message"
    # And so are its statements in DSSE.
    seal(parts)
    exported(parts, site.folder / "bundle")
    (line,) = (site.folder / "bundle" / bag.STATEMENTS).read_bytes().splitlines()
    public, kid = parts.keys.manifest.public, parts.keys.manifest.kid
    foreign = SSlibKey.from_crypto(public, keyid=kid, scheme="ecdsa-sha2-nistp256")
    assert list(Envelope.from_dict(json.loads(line)).verify([foreign], 1)) == [kid]


def test_a_rotated_key_signs_nothing_until_the_uri_says_so(site: Site, parts: Parts) -> None:
    keep(parts, PLAIN)
    for name in TYPES:
        site.transit(f"keys/{name}/rotate")
    bodies = keep(parts, SECRET)
    assert seal(parts) is not None
    assert exported(parts, site.folder / "bundle").problems == ()
    site.transit("keys/log/config", min_encryption_version=2)
    keep(parts, PLAIN)
    with pytest.raises(KeyServiceError, match="refuses to sign with version 1"):
        seal(parts)
    (found,) = key_service.key(Place(load(), now), "log")
    assert (found.level, "put version=2 into its URI" in found.what) == ("bad", True)
    assert reopened(parts, bodies[0]["artifact_id"]) == SECRET.data


def test_another_key_under_the_same_name_signs_nothing_that_is_used(
    site: Site, parts: Parts
) -> None:
    keep(parts, PLAIN)
    before = seal(parts)
    for name in ("log", "manifest"):
        site.transit(f"keys/{name}/config", deletion_allowed=True)
        site.root.delete(f"{MOUNT}/keys/{name}")
        site.transit(f"keys/{name}", type=TYPES[name])
    with pytest.raises(KeyServiceError, match="does not fit the public key that was pinned"):
        keep(parts, PLAIN)
    with pytest.raises(KeyServiceError, match="does not fit the public key that was pinned"):
        seal(parts)
    found = [f for use in ("log", "manifest") for f in key_service.key(Place(load(), now), use)]
    assert [f.level for f in found] == ["bad", "bad"]
    assert all("another key now" in f.what for f in found)
    assert before is not None


def test_while_the_vault_is_sealed_nothing_is_and_later_all_is(
    site: Site, parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    keep(parts, PLAIN)
    db = Store(parts.engine)
    site.root.sys.seal()
    with pytest.raises(KeyServiceError, match="Is it up, unsealed, and reached"):
        keep(parts, SECRET)
    with caplog.at_level(logging.ERROR):
        integrator.once(parts, db)
    assert "no checkpoint: Vault prod does not sign" in caplog.text
    # A process that starts meanwhile is not held up.
    again = assemble(load())
    for share in site.world.unseal_keys[:3]:
        site.root.sys.submit_unseal_key(share)
    integrator.once(again, db)
    assert seal(again) is not None
    assert exported(again, site.folder / "bundle").problems == ()


def test_no_freeze_stops_evidence_from_being_signed(site: Site, parts: Parts) -> None:
    def frozen(operation: str) -> None:
        raise FrozenError(operation)

    def work() -> None:
        keep(parts, SECRET)
        assert seal(parts) is not None

    through(frozen, work)


@pytest.mark.parametrize("flag", ["exportable", "allow_plaintext_backup"])
@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_key_that_may_leave_the_vault_is_refused_and_nothing_is_made(
    site: Site, name: str, flag: str
) -> None:
    site.transit(f"keys/{name}/config", **{flag: True})
    ran = stanch("init", *INIT)
    assert (ran.status, f"{MOUNT}/{name} is {flag}" in ran.err) == (1, True)
    assert list((site.folder / "stanch-data").iterdir()) == []
    # It was not too late: with another key it goes on.
    site.transit(f"keys/{name}-2", type=TYPES[name])
    words = [word.replace(f"/{name}?", f"/{name}-2?") for word in INIT]
    assert stanch("init", *words).status == 0


def test_trust_prints_the_keys_that_are_in_the_vault(site: Site, parts: Parts) -> None:
    keyring = site.folder / "stanch-data" / "keys"
    before = (keyring / "trust.json").read_text()
    assert stanch("trust").status == 0
    assert (keyring / "trust.json").read_text() == before
    told = site.root.read(f"{MOUNT}/keys/log")["data"]["keys"]["1"]["public_key"]
    assert parse_vkey(parts.keys.trust()["log_vkey"]).public == base64.b64decode(told)
