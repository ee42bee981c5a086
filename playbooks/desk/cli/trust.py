"""`stanch trust`: write anew what auditors must be given, after whom to trust has changed."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from evidence.cosignature import cosigner_vkey
from evidence.key_history import write_history
from playbooks.case.key_changing import history
from playbooks.case.record import DEPLOYMENT, Record
from playbooks.desk.cli.surroundings import here, out, printable
from playbooks.wiring import trusting


def trust(
    second_key: Annotated[
        bool, typer.Option("--second-key", help="Make a second log key (ML-DSA-44), too.")
    ] = False,
) -> None:
    """Write keys/trust.json from keys, settings and ledger; give it to auditors by another way.

    With a second key every head is signed by both, so that breaking Ed25519 forges none.
    """
    if second_key:
        _second_key()
    path = renew()
    members = json.loads(path.read_text())
    out().print(f"trust     {printable(str(path))}: give it to your auditors by another way")
    for key in members.get("witnesses", ()):
        out().print(f"witness   {printable(key)}")
    for one in members.get("timestamp_authorities", ()):
        out().print(f"timestamps {printable(one['name'])}")
    for one in members.get("key_history", ()):
        until = one.get("valid_until", "on")
        out().print(f"{one['role']:9} key counts for sizes {one['valid_from']} to {until}")


def renew() -> Path:
    """Write trust.json anew, with how long each key counts, from the ledger; return its path."""
    settings, parts, db = here()
    members: dict[str, Any] = trusting.trust(settings, parts.keys)
    if found := history(db, settings, parts.keys):
        members["key_history"] = write_history(found)
    parts.engine.dispose()
    path = settings.home / "keys" / "trust.json"
    beside = path.with_name("trust.json.new")
    beside.write_text(json.dumps(members, indent=2) + "\n")
    beside.replace(path)
    return path


def _second_key() -> None:
    """Make the key, and record it: so the next head is a new one, and signed by both."""
    # Needs a cryptography that has ML-DSA.
    from evidence.second_key import create_second

    settings, parts, db = here()
    # Refused where a signer of its own has the key, and so makes the second one.
    _ = parts.keys.log.memory
    key = create_second(settings.home / "keys", settings.origin)
    body = {"log_second_vkey": cosigner_vkey(key.cosigner)}
    record = Record("stanch", parts.now, parts.random)
    db.commit(lambda conn: record.note(conn, DEPLOYMENT, "key.added", body))
    # A process that runs already signs with the one key until it is started again.
    out().print(
        "second    restart `stanch serve` and `stanch worker`, so that they sign with it, too"
    )
