"""A small deployment to test on: ledger, locker and keys in one folder, with a clock of its own."""

import contextlib
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from evidence import bundle, keys, ledger, ledger_heads
from evidence.deposit import KIND, Acquisition, Custody, deposit
from evidence.keys import ManifestKey, WrapKey
from evidence.locker import Locker
from evidence.note import Checkpoint, NoteSigner, checkpoint_text, sign_note
from evidence.sources.item import Item

ORIGIN = "log.example/custody/v1"
CASE = "INC-1"


@dataclass
class Chamber:
    folder: Path
    engine: Engine
    locker: Locker
    log: NoteSigner
    signer: ManifestKey
    wrap: WrapKey
    chance: random.Random
    now: datetime = field(default=datetime(2026, 11, 23, 10, 0, tzinfo=UTC))

    @property
    def custody(self) -> Custody:
        return Custody(self.locker, self.signer, self.wrap, "0.1.0", self.chance.randbytes)

    @property
    def trust(self) -> dict[str, Any]:
        return keys.trust(self.log.verifier, [self.signer.key.public_key()])

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    @contextlib.contextmanager
    def begin(self) -> Iterator[Connection]:
        with self.engine.begin() as conn:
            yield conn

    def say(
        self, kind: str, body: Mapping[str, Any], case: str = CASE, actor: str = "alice@example.org"
    ) -> ledger.Appended:
        now = self.tick()
        with self.begin() as conn:
            entry = ledger.Entry(kind, case, body, actor, now)
            salt = self.chance.randbytes(32)
            return ledger.append(conn, entry, record_time=now, salt=salt)

    def keep(self, item: Item, case: str = CASE) -> dict[str, Any]:
        with self.begin() as conn:
            name = ledger.pseudonym(conn, case)
        start, end = self.tick(), self.tick()
        about = Acquisition("instance_facts", "i-0a1b2c3d", name, start, end)
        body = deposit(self.custody, item, about)
        self.say(KIND, body, case)
        return body

    def integrate(self) -> Checkpoint | None:
        with self.begin() as conn:
            return ledger.integrate(conn, self.log, now=self.tick())

    def count(self) -> None:
        """Have the ledger count its cases, as the last that the next checkpoint holds."""
        now = self.tick()
        with self.begin() as conn:
            salt = self.chance.randbytes(32)
            head = ledger_heads.count(conn, self.log.verifier.name, "stanch", now=now, salt=salt)
            note = sign_note(checkpoint_text(head), self.log)
            ledger.keep(conn, ledger.SignedCheckpoint(head, note), now=self.tick())

    def export(self, name: str = "bundle", case: str = CASE) -> Path:
        with self.begin() as conn:
            made = bundle.export(conn, self.locker, case, self.signer, self.folder / name)
        return made.path

    def write_trust(self) -> Path:
        path = self.folder / "trust.json"
        path.write_text(json.dumps(self.trust, indent=2), encoding="utf-8")
        return path


def make_chamber(folder: Path, url: str | None = None) -> Chamber:
    """Make a deployment on the PostgreSQL database of `url`, or on a SQLite file."""
    uris = keys.create_keys(folder / "keys")
    engine = ledger.postgres_engine(url) if url else ledger.sqlite_engine(folder / "ledger.db")
    with engine.begin() as conn:
        ledger.create_schema(conn)
    chance = random.Random(7)
    return Chamber(
        folder,
        engine,
        Locker(folder / "locker", chance.randbytes),
        keys.load_log(uris.log, ORIGIN),
        keys.load_manifest(uris.manifest),
        keys.load_wrap(uris.wrap),
        chance,
    )


def describe(number: int) -> Item:
    data = b'{"call": "ec2.describe_instances", "n": %d}' % number
    return Item(f"ec2.describe_{number}", "application/json", data, False, "ec2.describe_instances")


USER_DATA = Item(
    "ec2.user_data", "text/plain", b"#!/bin/sh\nTOKEN=hunter2\n", True, "ec2.describe_user_data"
)


def fill(chamber: Chamber) -> None:
    """Give the case seven entries, three of them artifacts, among entries of another case."""
    chamber.say("case.open", {"finding": "UnauthorizedAccess:EC2/TorClient"})
    chamber.say("case.open", {"finding": "other"}, "INC-2")
    chamber.keep(describe(1))
    chamber.say("change", {"action": "isolate_instance", "before": ["sg-1"], "after": ["sg-q"]})
    chamber.keep(describe(2))
    chamber.say("decision", {"by": "settings"}, "INC-2")
    chamber.integrate()
    chamber.keep(USER_DATA)
    chamber.say("approval", {"digest": "ab" * 32})
    chamber.say("verification", {"ok": True})
    chamber.integrate()
