"""`stanch key revoke` and `sign`: two people say that a former key is not to be believed."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from evidence import key_signing
from evidence.errors import KeyStatementError
from evidence.key_statement import SIGNERS, check_form
from playbooks.case.key_changing import history, revocable, seen_at
from playbooks.case.key_changing import revoke as record
from playbooks.case.store import Store
from playbooks.desk.cli.confirm import confirm
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.desk.cli.trust import renew
from playbooks.wiring import people
from playbooks.wiring.parts import Parts

MAX_PAPER = 1 << 20


def revoke(
    name: Annotated[str, typer.Argument(help="The key, as `stanch key show` calls it.")],
    last_good: Annotated[
        int, typer.Option(help="Entries of the ledger up to which it is still believed.")
    ],
    key: Key,
    reason: Annotated[str, typer.Option(help="Why; it is signed, and stands in the ledger.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="New file for the other person.")],
) -> None:
    """Sign that a former key is not believed beyond a head that others saw; another signs, too."""
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    one = revocable(history(db, settings, parts.keys), name)
    seen = seen_at(db, settings, parts.keys, last_good)
    proven = (seen.by, seen.at)
    said = key_signing.revocation(
        one.role, one.key, seen.size, seen.root, proven, parts.now(), reason
    )
    paper = {"statement": dict(said), "signatures": [key_signing.sign(said, person, secret)]}
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyStatementError(f"{output} exists, and is never written over") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(paper, file, indent=2, sort_keys=True)
    console = out()
    console.print(f"seen      {seen.size} entries, by {seen.by}, {seen.at.isoformat()}")
    console.print("nothing is recorded yet: another person must sign.")
    console.print(f"now       stanch key sign {printable(str(output))} --key KEY")


def sign(
    paper: Path,
    key: Key,
    sure: Annotated[bool, typer.Option("--yes", help="Sign without asking again.")] = False,
) -> None:
    """Show what another person signed of a key, sign it too, and record it."""
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    body = _read(paper)
    console = out()
    for name, value in body["statement"].items():
        console.print(f"{name:10} {printable(value)}")
    confirm(person, sure)
    body["signatures"].append(key_signing.sign(body["statement"], person, secret))
    if len(body["signatures"]) > SIGNERS:
        raise KeyStatementError(f"{paper} was signed by {SIGNERS} people before")
    _conclude(db, parts, body, person)


def _conclude(db: Store, parts: Parts, body: dict[str, Any], person: str) -> None:
    record(db, parts, body, person)
    path = renew()
    console = out()
    console.print(f"recorded: the {body['statement']['role']} key is revoked")
    console.print(f"trust     {printable(str(path))}: give it to your auditors by another way")


def _read(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        data = file.read(MAX_PAPER)
    try:
        members = json.loads(data)
        body = {name: members[name] for name in ("statement", "signatures")}
        whole = isinstance(body["signatures"], list)
    except (ValueError, KeyError, TypeError):
        whole = False
    if not whole:
        raise KeyStatementError(f"{path} is no paper; expected what `stanch key revoke -o` wrote")
    check_form(body["statement"])
    return body
