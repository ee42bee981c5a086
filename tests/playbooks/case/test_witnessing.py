"""A deployment and its witnesses: what a seal asks for, an export carries, and a doctor sees."""

import contextlib
import json
import logging
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evidence import bag, ledger
from evidence.cosignature import cosigner_vkey
from evidence.errors import BehindError, ForkError
from evidence.ledger_schema import cosignatures
from evidence.note import vkey
from evidence.verify import verify_bundle
from evidence.witness_command import listening
from evidence.witness_folder import Config, create_witness
from playbooks.case import migrating, witnessing
from playbooks.case.record import Record
from playbooks.case.sealing import anchor, checkpoint
from playbooks.case.store import Store
from playbooks.desk.cli.export import export
from playbooks.desk.cli.init import make
from playbooks.desk.cli.migrate import migrate
from playbooks.desk.cli.trust import trust
from playbooks.desk.doctor import deployment, witnesses
from playbooks.desk.doctor.place import Place
from playbooks.errors import SettingsError
from playbooks.wiring import keyring
from playbooks.wiring.parts import Parts, assemble, now
from playbooks.wiring.settings import load
from tests.evidence.forgery import rebag, restate
from tests.playbooks.desk.doctor.conftest import levels


@dataclass
class Home:
    """A deployment in a folder, with witnesses in other folders, each served on its own port."""

    folder: Path
    running: dict[str, Any]

    @property
    def parts(self) -> Parts:
        return assemble(load())

    @property
    def place(self) -> Place:
        return Place(load(), now)

    def write(self, *more: str) -> None:
        lines = [f'home = "{self.folder / "home"}"', 'origin = "log.example/ledger"', *more]
        for name, (server, key) in self.running.items():
            lines += [f"[witnesses.{name}]", f'url = "{server}"', f'vkey = "{key}"']
        (self.folder / "stanch.toml").write_text("\n".join(lines) + "\n")

    def anchored(self, *bodies: dict[str, Any], case: str = "INC-0001") -> None:
        """Record these and seal."""
        parts = self.parts
        record = Record("alice", parts.now, parts.random)
        for body in bodies:
            Store(parts.engine).commit(
                lambda conn, body=body: record.note(conn, case, "change", body)
            )
        try:
            anchor(Store(parts.engine), parts)
        finally:
            parts.engine.dispose()

    def kept(self) -> list[tuple[int, str]]:
        parts = self.parts
        with parts.engine.connect() as conn:
            rows = conn.execute(cosignatures.select()).all()
        parts.engine.dispose()
        return sorted((row.size, row.witness.partition("+")[0]) for row in rows)

    def verdict(self, name: str) -> Any:
        export("INC-0001", self.folder / name)
        told = json.loads((self.folder / "home" / "keys" / "trust.json").read_text())
        return verify_bundle(self.folder / name, told)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    made = Home(tmp_path, {})
    made.write()
    make(load())
    return made


@contextlib.contextmanager
def witnessed(home: Home, *names: str, policy: str = "") -> Iterator[Home]:
    """Run witnesses of these names for the deployment, in its settings and its trust.json."""
    key = vkey(keyring.load(home.folder / "home" / "keys", "log.example/ledger").log.verifier)
    with contextlib.ExitStack() as stack:
        for name in names:
            folder = home.folder / f"witness-{name}"
            if not folder.exists():
                create_witness(folder, Config(f"{name}.example", (key,), port=0))
            server = stack.enter_context(listening(folder))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            home.running[name] = (server.url, cosigner_vkey(server.witness.key.cosigner))
        home.write(*([] if not policy else ["[witness_policy]", policy]))
        trust(second_key=False)
        yield home


def test_a_sealed_head_is_cosigned_by_all_and_the_bundle_says_so(home: Home) -> None:
    with witnessed(home, "auditor", "counsel"):
        home.anchored({"n": 1}, {"n": 2})
        assert home.kept() == [(2, "auditor.example"), (2, "counsel.example")]
        verdict = home.verdict("bundle")
    assert (verdict.problems, verdict.witnessed) == ((), True)
    # Only timestamps are missing.
    assert (verdict.exit_code, verdict.status) == (3, "valid but untimestamped")
    policy = (home.folder / "bundle" / bag.POLICY).read_text()
    assert policy.endswith("group all/witnesses all auditor counsel\nquorum all/witnesses\n")


def test_a_witness_that_is_away_stops_nothing_and_is_missed(home: Home, caplog: Any) -> None:
    with witnessed(home, "auditor"):
        pass
    with witnessed(home, "counsel"), caplog.at_level(logging.WARNING, "stanch.witness"):
        home.anchored({"n": 1})
        assert home.kept() == [(1, "counsel.example")]
        assert "auditor: 127.0.0.1" in caplog.text
        verdict = home.verdict("bundle")
        assert levels(witnesses.witness(home.place, "auditor")) == [("witness auditor", "warn")]
        assert levels(witnesses.witness(home.place, "counsel")) == [("witness counsel", "ok")]
    assert (verdict.problems, verdict.witnessed) == ((), False)
    assert any("auditor.example" in why for why in verdict.lacking)


def test_any_of_them_is_enough_where_the_policy_says_so(home: Home) -> None:
    with witnessed(home, "auditor"):
        pass
    with witnessed(home, "counsel", policy='needed = "any"'):
        home.anchored({"n": 1})
        assert home.verdict("bundle").witnessed


def test_the_newest_head_of_a_quorum_is_taken_while_it_covers_the_case(home: Home) -> None:
    with witnessed(home, "auditor"):
        home.anchored({"n": 1})
    home.anchored({"n": 2}, case="INC-0002")
    assert home.verdict("first").witnessed
    # The export's own entry belongs to the case, and no witness saw it.
    assert not home.verdict("second").witnessed


def test_who_restores_an_old_database_is_refused_by_signer_and_witness(home: Home) -> None:
    data, backup = home.folder / "home" / "stanch.db", home.folder / "backup.db"
    with witnessed(home, "auditor"):
        home.anchored({"n": 1})
        shutil.copy(data, backup)
        home.anchored({"inconvenient": 1}, {"inconvenient": 2})
        assert home.kept() == [(1, "auditor.example"), (3, "auditor.example")]
        for left in home.folder.glob("home/stanch.db*"):
            left.unlink()
        shutil.copy(backup, data)
        # The signer remembers, outside the database.
        with pytest.raises(BehindError, match="old copy"):
            home.anchored()
        assert levels(witnesses.signer(home.place)) == [("signer", "bad")]
        # The witness remembers, outside the house: even of what the old database has signed.
        assert levels(witnesses.witness(home.place, "auditor")) == [("witness auditor", "bad")]
        # What was signed before can still be had.
        with pytest.raises(BehindError):
            home.verdict("what-is-left")
        told = json.loads((home.folder / "home" / "keys" / "trust.json").read_text())
        left = verify_bundle(home.folder / "what-is-left", told)
        assert (left.problems, left.witnessed) == ((), True)
        with pytest.raises(ForkError):
            home.anchored(*({"instead": n} for n in range(4)))
        # Whoever also holds the keys' folder gets past the signer, and no further.
        memory = home.parts.keys.log.memory
        memory.unlink()
        parts = home.parts
        with parts.engine.connect() as conn:
            parts.keys.log.begin(ledger.signed_last(conn, "log.example/ledger"))
        signed = checkpoint(Store(parts.engine), parts)
        assert signed is not None
        (outcome,) = witnessing.witness(Store(parts.engine), parts.settings, signed)
        assert (outcome.refused, outcome.size) == (True, None)
        parts.engine.dispose()
        assert home.kept() == [(1, "auditor.example")]


def test_a_doctor_finds_all_well_and_names_who_is_missing(home: Home) -> None:
    home.anchored({"n": 1})
    assert levels(witnesses.signer(home.place)) == [("signer", "ok")]
    assert levels(witnesses.policy(home.place)) == [("witnesses", "warn")]
    with witnessed(home, "auditor"):
        assert levels(witnesses.policy(home.place)) == [("witnesses", "ok")]
        assert levels(witnesses.witness(home.place, "auditor")) == [("witness auditor", "ok")]
        # Looking changes nothing here.
        assert home.kept() == []
        assert levels(deployment.keys(home.place)) == [("keys", "ok")]
    home.running.clear()
    home.write()
    assert levels(deployment.keys(home.place)) == [("keys", "bad")]


def test_with_a_second_log_key_a_head_that_lacks_its_line_is_incomplete(home: Home) -> None:
    home.anchored({"n": 1})
    trust(second_key=True)
    good = home.verdict("bundle")
    assert (good.exit_code, good.problems) == (3, ())
    told = json.loads((home.folder / "home" / "keys" / "trust.json").read_text())
    assert told["log_second_vkey"].startswith("log.example/ledger+")
    # Whoever can forge Ed25519 signs alone, and makes all else fit.
    line = (home.folder / "bundle" / bag.CHECKPOINT).read_text().splitlines(keepends=True)[5]
    for path in (home.folder / "bundle" / "data" / "custody").rglob("*"):
        if path.is_file() and line in path.read_text():
            path.write_text(path.read_text().replace(line, ""))
    rebag(home.folder / "bundle")
    restate(home.folder / "bundle", home.parts.keys.manifest)
    stripped = verify_bundle(home.folder / "bundle", told)
    assert stripped.exit_code == 2
    assert [p.what for p in stripped.problems] == [
        "lacks the ML-DSA-44 signature of the log's second key"
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["[witness_policy]", "needed = 3"],
        ["[witness_policy]", 'file = "nowhere.txt"'],
    ],
)
def test_a_policy_that_cannot_be_met_is_said_before_anything_is_written(
    home: Home, lines: list[str]
) -> None:
    with witnessed(home, "auditor"):
        home.anchored({"n": 1})
        home.write(*lines)
        with pytest.raises(SettingsError, match="witness_policy"):
            export("INC-0001", home.folder / "bundle")
        assert not (home.folder / "bundle").exists()


def test_an_older_deployment_s_signer_remembers_from_its_migration_on(home: Home) -> None:
    home.anchored({"n": 1}, {"n": 2})
    parts = home.parts
    memory = parts.keys.log.memory
    was = parts.keys.log.last()
    memory.unlink()
    with parts.engine.begin() as conn:
        conn.exec_driver_sql("DROP TABLE ledger_cosignatures")
        for name in [r[0] for r in conn.exec_driver_sql(NEWER).all()]:
            conn.exec_driver_sql(f"DROP TABLE {name}")
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0004'")
    parts.engine.dispose()
    migrate()
    assert home.parts.keys.log.last() == was
    home.anchored({"n": 3})
    # A memory lost later is not made anew.
    memory.unlink()
    migrate()
    with pytest.raises(ForkError, match="does not know"):
        home.anchored({"n": 4})
    assert migrating.HEAD >= "0005"


# Tables that later versions added, which the migration makes again.
NEWER = "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'ledger_[tv]*'"
