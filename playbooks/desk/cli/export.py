"""`stanch export`: write an incident's evidence as a bundle that proves itself offline."""

from pathlib import Path
from typing import Annotated, Any

import typer

from evidence import ledger
from evidence.custody.record import view
from evidence.errors import BundleError
from evidence.recipients import read_public
from evidence.redaction.originals import redacted_originals
from evidence.withheld import NOTHING, check_withheld
from playbooks.case import exporting, sealed_exporting
from playbooks.case.record import Record
from playbooks.case.sealing import anchor
from playbooks.case.store import Store
from playbooks.desk.cli.surroundings import here, out, printable


def export(
    incident: str,
    output: Annotated[Path, typer.Option("-o", "--output", help="New folder for the bundle.")],
    recipient: Annotated[
        list[Path] | None,
        typer.Option(help="Seal it in one file for whoever has this X25519 key (public, PEM)."),
    ] = None,
    redacted: Annotated[
        bool, typer.Option("--redacted", help="Give redacted copies in place of their originals.")
    ] = False,
    guessable: Annotated[
        bool,
        typer.Option(
            "--guessable", help="Also where an original's SHA-256 lets guesses be tested."
        ),
    ] = False,
    without_personal: Annotated[
        bool, typer.Option("--without-personal", help="Withhold every personal value.")
    ] = False,
    withhold: Annotated[
        list[str] | None,
        typer.Option(help="Withhold personal values: a kind of entries, a JSON pointer, or actor."),
    ] = None,
) -> None:
    """Write a BagIt bundle; check it with `python -m evidence verify`."""
    keys = [read_public(path) for path in recipient or ()]
    _, parts, db = here()
    values = {"*"} if without_personal else set(withhold or ())
    originals = leaving_out(db, incident, guessable) if redacted else ()
    withheld = check_withheld({"artifacts": list(originals), "values": sorted(values)})
    if keys:
        done, stamped = sealed_exporting.export(parts, db, incident, output, keys, withheld)
    else:
        done, stamped = exporting.export(parts, db, incident, output, withheld)
    record = Record("stanch", parts.now, parts.random)
    body: dict[str, Any] = {"tagmanifest_sha256": done.tagmanifest_sha256, "entries": done.entries}
    body |= {"withheld": withheld.members()} if withheld != NOTHING else {}
    db.commit(lambda conn: record.note(conn, incident, "export", body))
    console = out()
    where = printable(str(done.path))
    console.print(f"bundle  {where}\nentries {done.entries}, tree size {done.checkpoint_size}")
    for sha256 in withheld.artifacts:
        console.print(f"without artifact {sha256}, of which the bundle has a redacted copy")
    if withheld.values:
        console.print(f"without personal values: {printable(', '.join(withheld.values))}")
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


def leaving_out(db: Store, incident: str, guessable: bool) -> tuple[str, ...]:
    """Return the stored SHA-256 of the originals of the incident that have a redacted copy.

    Raises BundleError when there is none; and when one lies in the clear, unless `guessable`: its
    SHA-256 stands in the bundle, and tells whoever tries what was taken out when a guess is right.
    """
    found = db.read(lambda conn: redacted_originals(ledger.entries(conn, incident)))
    if not found:
        raise BundleError(
            f"{incident} has no redacted copy to give; make one with `stanch redact`, or export "
            "without --redacted"
        )
    state = db.read(lambda conn: view(conn, incident))
    clear = [
        one.name
        for one in state.artifacts.values()
        if one.stored_sha256 in found and not one.sensitive
    ]
    if clear and not guessable:
        raise BundleError(
            f"{clear[0]} lies in the clear, so its SHA-256 in the bundle lets guesses of what was "
            "taken out be tested. Add --guessable where that is too long to be guessed; see "
            "docs/operations/redaction.md"
        )
    return found
