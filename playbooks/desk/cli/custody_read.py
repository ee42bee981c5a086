"""`stanch custody read`: take a copy of an artifact's content, which the ledger remembers."""

import os
from pathlib import Path
from typing import Annotated

import typer

from evidence import ledger
from evidence.custody.follow import READ
from evidence.custody.opening import content
from evidence.custody.record import record
from evidence.errors import CustodyError
from playbooks.case.sealing import checkpoint
from playbooks.desk.cli.custody_hold import Reason
from playbooks.desk.cli.custody_paper import everybody, pseudonym
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.wiring import people


def read(
    incident: str,
    artifact: str,
    output: Annotated[Path, typer.Option("-o", "--output", help="New file for the content.")],
    key: Key,
    reason: Reason,
) -> None:
    """Record who reads an artifact and why; then write its content, decrypted, into a new file."""
    settings, parts, db = here()
    person, _ = people.who(settings, key)
    pseudonym(db, incident)
    if output.exists():
        raise CustodyError(f"{output} exists, and is never written over. Choose another")
    now, salt, known = parts.now(), parts.random(32), everybody(parts)
    body = {"artifact_id": artifact, "reason": reason, "copy": True}
    entry = ledger.Entry(READ, incident, body, person, now)
    state = db.commit(lambda c: record(c, entry, known, record_time=now, salt=salt))
    checkpoint(db, parts)
    whole = False
    handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in content(parts.locker, state.artifacts[artifact], parts.keys.wrap):
                file.write(chunk)
        whole = True
    finally:
        if not whole:
            output.unlink()
    out().print(f"written {printable(str(output))}; that {printable(person)} read it is recorded")
