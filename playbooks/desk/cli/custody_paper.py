"""A statement of custody on its way from one person's desk to another's, and into the ledger."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from evidence import ledger
from evidence.custody.disposal import erase, refuse_unerasable
from evidence.custody.record import record, view
from evidence.custody.signing import sign
from evidence.custody.state import LOCKER, CaseCustody
from evidence.custody.statement import DISPOSED, ERASURE, SIGNERS, TRANSFER, check_form
from evidence.erasing import compact, erase_values
from evidence.errors import CustodyError, LedgerError
from evidence.jws_token import PublicKey
from playbooks.case import locking
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.desk.cli.surroundings import out, printable
from playbooks.errors import SettingsError, UnknownIncidentError
from playbooks.wiring import people
from playbooks.wiring.parts import Parts

MAX_PAPER = 1 << 20


@dataclass(frozen=True, slots=True)
class Paper:
    """A statement about an incident, and who signed it so far."""

    incident: str
    statement: Mapping[str, Any]
    signatures: tuple[Mapping[str, Any], ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        """The body of the ledger entry that it becomes."""
        return {"statement": dict(self.statement), "signatures": [dict(s) for s in self.signatures]}

    @property
    def whole(self) -> bool:
        """Whether enough people signed."""
        return len(self.signatures) >= SIGNERS[self.statement["kind"]]

    def signed(self, name: str, key: Any) -> "Paper":
        """Return it with one signature more."""
        one = sign(self.statement, name, key)
        return Paper(self.incident, self.statement, (*self.signatures, one))


def signed_by(paper: Paper, person: str, key: Any, parts: Parts) -> Paper:
    """Return the paper signed by a person, and by the locker where it gives or takes."""
    statement = paper.statement
    ours = parts.keys.manifest.key
    if statement["kind"] != TRANSFER:
        return paper.signed(person, key)
    if LOCKER == statement["from"]:
        return paper.signed(LOCKER, ours).signed(person, key)
    paper = paper.signed(person, key)
    return paper.signed(LOCKER, ours) if LOCKER == statement["to"] else paper


def pass_on(db: Store, parts: Parts, paper: Paper, person: str, output: Path | None) -> None:
    """Record a statement that is signed by all it needs; else write it down for the next."""
    if paper.whole:
        conclude(db, parts, paper, person)
        out().print(f"recorded: {paper.statement['kind']} in {printable(paper.incident)}")
        return
    if output is None:
        raise CustodyError(
            f"{paper.statement['kind']} needs two people. Name a new file with -o; the other "
            "signs it with `stanch custody sign`"
        )
    write(output, paper)
    where = printable(str(output))
    console = out()
    console.print("nothing is recorded yet: another person must sign.")
    console.print(f"now    stanch custody sign {where} --key KEY")


def conclude(db: Store, parts: Parts, paper: Paper, person: str) -> CaseCustody:
    """Append the entry, and sign the ledger's head over it. Raise CustodyError if refused."""
    now, salt = parts.now(), parts.random(32)
    entry = ledger.Entry(paper.statement["kind"], paper.incident, paper.body, person, now)
    known = everybody(parts)
    if entry.kind == DISPOSED:
        _refuse_unerasable(db, parts, paper)

    def work(conn: Connection) -> CaseCustody:
        state = record(conn, entry, known, record_time=now, salt=salt)
        if entry.kind == ERASURE:
            erase_values(conn, paper.incident, paper.statement["values"])
        return state

    state = db.commit(work)
    checkpoint(db, parts)
    if entry.kind == ERASURE and not compact(parts.engine):
        # It is gone from every row; an unused page of the file may still have it.
        out().print("[yellow]the database is in use[/]: say `stanch erase` again when it is not")
    locking.locked(parts, db, paper.incident)
    if entry.kind == DISPOSED:
        # After the entry is committed, as replayed from what is: a crash here is finished by the
        # next disposal of the case, or by `stanch custody check`.
        erase(db.read(lambda c: view(c, paper.incident)), parts.locker)
    return state


def _refuse_unerasable(db: Store, parts: Parts, paper: Paper) -> None:
    # A paper may come from anywhere, and an entry must not say erased of what cannot be.
    found = db.read(lambda c: view(c, paper.incident))
    for kept in paper.statement["kept"]:
        artifact = found.artifacts.get(kept["artifact_id"])
        if artifact is not None and not artifact.disposed:
            refuse_unerasable(found, artifact, parts.locker)


def everybody(parts: Parts) -> dict[str, PublicKey]:
    """Return the public keys of the people in the settings, and of the locker, by name."""
    found = people.known(parts.settings)
    if LOCKER in found:
        raise SettingsError(
            f"people.{LOCKER} in stanch.toml has the name that the locker has in statements of "
            "custody. Give that person another."
        )
    return found | {LOCKER: parts.keys.manifest.public}


def pseudonym(db: Store, incident: str) -> str:
    """Return the case's pseudonym. Raise UnknownIncidentError when there is no such case."""
    try:
        return db.read(lambda conn: ledger.pseudonym(conn, incident))
    except LedgerError:
        raise UnknownIncidentError(
            f"there is no incident {incident!r}; see `stanch show`."
        ) from None


def write(path: Path, paper: Paper) -> None:
    """Write a paper into a new file (0600). Raise CustodyError when there is one."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CustodyError(
            f"{path} exists; a paper is never written over. Choose a new path"
        ) from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"incident": paper.incident} | paper.body, file, indent=2, sort_keys=True)
        file.write("\n")


def read(path: Path) -> Paper:
    """Read a paper; its signatures are checked when it is recorded. Raise CustodyError if none."""
    with path.open("rb") as file:
        data = file.read(MAX_PAPER)
    try:
        members = json.loads(data)
        incident, signatures = members["incident"], tuple(members["signatures"])
        statement = members["statement"]
    except (ValueError, KeyError, TypeError):
        statement = None
    if statement is None or not isinstance(incident, str):
        raise CustodyError(f"{path} is no paper; expected what `stanch custody ... -o` wrote")
    return Paper(incident, check_form(statement), signatures)
