"""A deployment whose log key and memory are with a process of its own, and not at its side."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from evidence.errors import BehindError, ForkError, KeyMaterialError, KeyServiceError
from evidence.signer import MEMORY
from evidence.signer_client import AskedSigner
from evidence.verify import verify_bundle
from playbooks.case import exporting
from playbooks.case.key_changing import rotate
from playbooks.case.record import Record
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.desk.cli.init import make
from playbooks.desk.cli.trust import trust
from playbooks.desk.doctor import deployment, witnesses
from playbooks.desk.doctor.place import Place
from playbooks.errors import SettingsError
from playbooks.respond import integrator
from playbooks.wiring.parts import Parts, assemble, now
from playbooks.wiring.settings import load
from tests.playbooks.desk.doctor.conftest import levels

ROOT = Path(__file__).resolve().parents[3]
ORIGIN = "stanch.test/ledger"


class Site:
    """A deployment in one folder, and its signer's key and memory in another."""

    def __init__(self, folder: Path) -> None:
        self.home, self.apart = folder / "home", folder / "apart"
        self.socket = folder / "signer.sock"
        self.given = (self.home / "keys" / "trust.json").read_text()
        self.apart.mkdir(mode=0o700)
        for name in ("log.pem", MEMORY):
            shutil.move(self.home / "keys" / name, self.apart / name)

    @contextmanager
    def signing(self) -> Iterator[None]:
        key = (self.apart / "log.pem").as_uri()
        asked = ["signer", "--key", key, "--origin", ORIGIN, "--memory", str(self.apart)]
        process = subprocess.Popen(
            [sys.executable, "-m", "evidence", *asked, "--socket", str(self.socket)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith("ready ")
            yield
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    @contextmanager
    def parts(self) -> Iterator[Parts]:
        made = assemble(load())
        yield made
        made.engine.dispose()

    def say(self, *numbers: int) -> None:
        with self.parts() as parts:
            record = Record("alice", parts.now, parts.random)
            for number in numbers:
                Store(parts.engine).commit(
                    lambda conn, n=number: record.note(conn, "INC-1", "change", {"n": n})
                )

    def sign(self) -> int:
        with self.parts() as parts:
            signed = checkpoint(Store(parts.engine), parts)
            assert signed is not None
            return signed.checkpoint.size


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    (tmp_path / "stanch.toml").write_text(f'home = "home"\norigin = "{ORIGIN}"\n')
    make(load())
    made = Site(tmp_path)
    monkeypatch.setenv("STANCH_SIGNER", f"unix://{made.socket}")
    return made


def test_it_records_signs_and_exports_with_no_log_key_on_its_side(
    site: Site, tmp_path: Path
) -> None:
    with site.signing():
        site.say(1, 2)
        assert site.sign() == 2
        with site.parts() as parts:
            assert isinstance(parts.keys.log, AskedSigner)
            exporting.export(parts, Store(parts.engine), "INC-1", tmp_path / "bundle")
        verdict = verify_bundle(tmp_path / "bundle", json.loads(site.given))
        assert (verdict.problems, verdict.complete) == ((), True)
        place = Place(load(), now)
        assert levels(witnesses.signer(place)) == [("signer", "ok")]
        assert levels(deployment.keys(place)) == [("keys", "ok")]
        trust(second_key=False)
    assert json.loads((site.home / "keys" / "trust.json").read_text()) == json.loads(site.given)
    assert sorted(p.name for p in (site.home / "keys").iterdir()) == [
        "manifest.pem",
        "trust.json",
        "wrap.key",
    ]


def test_a_restored_old_database_is_refused_by_the_signer(site: Site) -> None:
    with site.signing():
        site.say(1)
        site.sign()
        shutil.copytree(site.home, site.home.with_name("before"))
        site.say(2, 3)
        site.sign()
        shutil.rmtree(site.home)
        shutil.move(site.home.with_name("before"), site.home)
        with pytest.raises(BehindError, match="1 entries but 3 were signed: it was truncated"):
            site.sign()
        assert levels(witnesses.signer(Place(load(), now))) == [("signer", "bad")]
        site.say(4, 5, 6)
        with pytest.raises(ForkError, match="compare backups"):
            site.sign()


def test_while_the_signer_is_away_it_goes_on_and_what_was_recorded_is_signed_later(
    site: Site, caplog: Any
) -> None:
    site.say(1)
    with pytest.raises(KeyServiceError, match="Nothing is lost"):
        site.sign()
    with site.parts() as parts:
        integrator.once(parts, Store(parts.engine))
    assert "no checkpoint: the signer at" in caplog.text
    site.say(2)
    for _ in range(2):
        with site.signing():
            assert site.sign() == 2


def test_what_needs_the_key_is_refused_here(site: Site) -> None:
    with site.signing(), pytest.raises(KeyMaterialError, match="do this where it runs"):
        trust(second_key=True)
    with site.signing(), site.parts() as parts:
        with pytest.raises(KeyMaterialError, match="do this where it runs"):
            rotate(Store(parts.engine), parts, "log", "scheduled", destroy=False)
    assert list((site.home / "keys").rglob("*log*")) == []


def test_a_trust_input_that_is_lost_or_of_another_log_is_named(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = site.home / "keys" / "trust.json"
    path.write_text(site.given.replace(ORIGIN, "other.example"))
    with pytest.raises(KeyMaterialError, match=r"does not say which key|is of the log 'other"):
        assemble(load())
    path.unlink()
    with pytest.raises(KeyMaterialError, match="does not say which key"):
        assemble(load())
    monkeypatch.setenv("STANCH_SIGNER", "http://127.0.0.1:1")
    with pytest.raises(SettingsError, match="unix:///PATH"):
        load()
