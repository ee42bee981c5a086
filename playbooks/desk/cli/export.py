"""`stanch export`: write an incident's evidence as a bundle that proves itself offline."""

from pathlib import Path
from typing import Annotated

import typer

from evidence.recipients import read_public
from playbooks.case import exporting, sealed_exporting
from playbooks.case.record import Record
from playbooks.case.sealing import anchor
from playbooks.desk.cli.surroundings import here, out, printable


def export(
    incident: str,
    output: Annotated[Path, typer.Option("-o", "--output", help="New folder for the bundle.")],
    recipient: Annotated[
        list[Path] | None,
        typer.Option(help="Seal it in one file for whoever has this X25519 key (public, PEM)."),
    ] = None,
) -> None:
    """Write a BagIt bundle; check it with `python -m evidence verify`."""
    keys = [read_public(path) for path in recipient or ()]
    _, parts, db = here()
    if keys:
        done, stamped = sealed_exporting.export(parts, db, incident, output, keys)
    else:
        done, stamped = exporting.export(parts, db, incident, output)
    record = Record("stanch", parts.now, parts.random)
    body = {"tagmanifest_sha256": done.tagmanifest_sha256, "entries": done.entries}
    db.commit(lambda conn: record.note(conn, incident, "export", body))
    console = out()
    where = printable(str(done.path))
    console.print(f"bundle  {where}\nentries {done.entries}, tree size {done.checkpoint_size}")
    for one in stamped:
        said = one.failed or f"stamped {one.size} entries at {one.time:%Y-%m-%d %H:%M:%S} UTC"
        console.print(f"time    {printable(f'{one.authority}: {said}')}")
    if keys:
        console.print(f"open    python -m evidence open {where} --key KEY -o FOLDER")
        where = "FOLDER"
    trust = printable(str(parts.settings.home / "keys" / "trust.json"))
    console.print(f"check   python -m evidence verify {where} --trust {trust}")
    # Last, for it is not signed where the ledger was rolled back: the bundle is there all the same.
    anchor(db, parts)
