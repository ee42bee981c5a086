"""`stanch redact`: make a copy of an artifact that lacks what a reviewer takes out."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from evidence import ledger
from evidence.custody.opening import content
from evidence.custody.record import record_all, view
from evidence.custody.signing import state
from evidence.custody.state import LOCKER, Artifact
from evidence.custody.statement import REDACTION
from evidence.deposit import KIND, Acquisition
from evidence.errors import CanonicalError, CustodyError, RedactionError
from evidence.redaction.make import redact as make
from evidence.redaction.map import MAX_MAP
from evidence.strict_json import parse
from playbooks.case import locking
from playbooks.case.sealing import checkpoint
from playbooks.desk.cli.custody_hold import Reason
from playbooks.desk.cli.custody_paper import Paper, everybody, pseudonym, signed_by
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.wiring import people


def redact(
    incident: str,
    artifact: str,
    redactions: Annotated[
        Path, typer.Option("--map", help="What to take out: docs/operations/redaction.md.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="New file for the copy.")],
    key: Key,
    reason: Reason,
    sealed: Annotated[
        bool, typer.Option("--sealed", help="Keep the copy encrypted, as sensitive.")
    ] = False,
) -> None:
    """Take into custody a redacted copy of an artifact and the map of what was taken out.

    You sign that it was reviewed. The original stays as it is.
    """
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    case = pseudonym(db, incident)
    if output.exists():
        raise CustodyError(f"{output} exists, and is never written over. Choose another")
    form, wanted = read(redactions)
    original = living(db.read(lambda c: view(c, incident)).artifacts, artifact)
    custody = locking.custody(parts, db, incident)
    about = Acquisition("", "", case, parts.now(), parts.now(), now=parts.now)
    made = make(custody, original, form, wanted, about, sealed=sealed)
    said = state(REDACTION, case, parts.now(), reason, **made.stated(original))
    paper = signed_by(Paper(incident, said), person, secret, parts)
    now, known = parts.now(), everybody(parts)
    told = [(KIND, made.map, LOCKER), (KIND, made.copy, LOCKER), (REDACTION, paper.body, person)]
    salted = [
        (ledger.Entry(kind, incident, body, actor, now), parts.random(32))
        for kind, body, actor in told
    ]
    found = db.commit(lambda c: record_all(c, incident, salted, known, record_time=now))
    checkpoint(db, parts)
    locking.late(parts, db, incident, custody)
    copy = found.artifacts[made.copy["artifact_id"]]
    handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        for chunk in content(parts.locker, copy, parts.keys.wrap):
            file.write(chunk)
    console = out()
    console.print(f"copy    {copy.artifact_id}, written {printable(str(output))}")
    console.print(f"map     {made.map['artifact_id']}; review it: it is given with the copy")
    if not original.sensitive:
        console.print(
            "[yellow]the original lies in the clear[/]: whoever has its SHA-256 can test "
            "guesses of what was taken out, if that is short; see docs/operations/redaction.md"
        )


def living(artifacts: dict[str, Artifact], artifact: str) -> Artifact:
    """Return an artifact that is there. Raise CustodyError when it is not."""
    if artifact not in artifacts:
        raise CustodyError(f"artifact {artifact} is none of this case; see `stanch custody show`")
    if artifacts[artifact].disposed:
        raise CustodyError(f"artifact {artifact} was disposed of; nothing of it can be copied")
    return artifacts[artifact]


def read(path: Path) -> tuple[Any, Any]:
    """Return form and redactions as a reviewer wrote them. Raise RedactionError for others."""
    with path.open("rb") as file:
        data = file.read(MAX_MAP + 1)
    try:
        members = parse(data)
    except CanonicalError as error:
        raise RedactionError(f"{path}: {error}") from error
    if not isinstance(members, dict) or members.keys() != {"form", "redactions"}:
        raise RedactionError(f"{path}: expected exactly form and redactions")
    return members["form"], members["redactions"]
