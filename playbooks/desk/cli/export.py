"""`stanch export`: write an incident's evidence as a bundle that proves itself offline."""

from pathlib import Path
from typing import Annotated

import typer

from evidence import bundle
from playbooks.case.record import Record
from playbooks.case.sealing import anchor
from playbooks.desk.cli.surroundings import here, out, printable
from playbooks.wiring.trusting import policy_of


def export(
    incident: str,
    output: Annotated[Path, typer.Option("-o", "--output", help="New folder for the bundle.")],
) -> None:
    """Write a BagIt bundle; check it with `python -m evidence verify`."""
    settings, parts, db = here()
    policy = policy_of(settings, parts.keys)
    anchor(db, parts)
    # Read only: copying artifacts must not hold up who writes.
    done = db.read(
        lambda conn: bundle.export(
            conn, parts.locker, incident, parts.keys.manifest, output, policy=policy
        )
    )
    record = Record("stanch", parts.now, parts.random)
    body = {"tagmanifest_sha256": done.tagmanifest_sha256, "entries": done.entries}
    db.commit(lambda conn: record.note(conn, incident, "export", body))
    anchor(db, parts)
    console = out()
    where = printable(str(done.path))
    console.print(f"bundle  {where}\nentries {done.entries}, tree size {done.checkpoint_size}")
    trust = printable(str(parts.settings.home / "keys" / "trust.json"))
    console.print(f"check   python -m evidence verify {where} --trust {trust}")
