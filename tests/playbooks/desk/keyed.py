"""A deployment whose keys are changed, each command and each `parts` as a process of its own."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evidence import keys, ledger
from evidence.deposit import KIND, Acquisition, Custody, deposit
from evidence.sources.item import Item
from evidence.verify import Verdict, verify_bundle
from playbooks.case.record import DEPLOYMENT, Record
from playbooks.case.sealing import anchor
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import load
from tests.playbooks.desk.console import Ran, stanch

CASE = "INC-0001"
PLAIN = Item("ec2.describe", "application/json", b'{"state": "running"}', False, "ec2.describe")
SECRET = Item("ec2.user_data", "text/plain", b"TOKEN=hunter2", True, "ec2.user_data")


@dataclass
class Home:
    """A deployment in a folder, each command and each `parts` a process of its own."""

    folder: Path
    opened: list[Parts] = field(default_factory=list)

    @property
    def folder_of_keys(self) -> Path:
        return self.folder / "stanch-data" / "keys"

    @property
    def trust(self) -> dict[str, Any]:
        return json.loads((self.folder_of_keys / "trust.json").read_text())

    def parts(self) -> Parts:
        self.opened.append(assemble(load()))
        return self.opened[-1]

    def keep(self, *items: Item, signer: keys.ManifestKey | None = None) -> None:
        """Take items into custody as a play does, and seal."""
        parts = self.parts()
        db, record = Store(parts.engine), Record("stanch", parts.now, parts.random)
        db.commit(lambda conn: record.note(conn, CASE, "case.note", {"by": "alice"}))
        name = db.read(lambda conn: ledger.pseudonym(conn, CASE))
        custody = Custody(
            parts.locker, signer or parts.keys.manifest, parts.keys.wrap, "0", parts.random
        )
        for item in items:
            about = Acquisition("facts", "i-1", name, parts.now(), parts.now())
            body = deposit(custody, item, about)
            db.commit(lambda conn, body=body: record.note(conn, CASE, KIND, body))
        anchor(db, parts)

    def rotate(self, role: str, *more: str) -> Ran:
        ran = stanch("key", "rotate", role, "--reason", "as each year", *more)
        assert (ran.status, ran.err) == (0, "")
        return ran

    def verdict(self, name: str, trust: dict[str, Any] | None = None) -> Verdict:
        if not (self.folder / name).exists():
            assert stanch("export", CASE, "-o", name).status == 0
        return verify_bundle(self.folder / name, trust or self.trust)

    def kinds(self) -> list[str]:
        parts = self.parts()
        read = Store(parts.engine).read(lambda c: list(ledger.entries(c, DEPLOYMENT)))
        return [entry.leaf.kind for entry in read if entry.leaf.kind.startswith("key.")]


def said(verdict: Verdict) -> str:
    return "\n".join(f"{p.file}: {p.what}" for p in verdict.problems)


def own_key(folder: Path) -> str:
    """Return the URI of a manifest key that somebody made for themselves."""
    return keys.create_keys(folder / "thief").manifest
