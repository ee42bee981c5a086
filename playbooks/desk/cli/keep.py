"""`stanch keep`: take a file that a person brings into custody."""

from pathlib import Path
from typing import Annotated

import typer

from evidence.sources.brought import brought, said_of
from playbooks.case.bringing import Bringing, bring
from playbooks.case.sealing import anchor
from playbooks.desk.cli.custody_paper import everybody, pseudonym
from playbooks.desk.cli.surroundings import Json, Key, here, out, printable, show_json, visible
from playbooks.wiring import people

MOST_NAME = 200


def keep(
    incident: str,
    file: Annotated[Path, typer.Argument(help="A file of any form, or a block device.")],
    source: Annotated[
        str, typer.Option(help="Where it comes from: host, disk, serial number, how it was taken.")
    ],
    authority: Annotated[
        str, typer.Option(help="What entitles you to it: a warrant, an order, a consent.")
    ],
    key: Key,
    name: Annotated[str, typer.Option(help="What to call it; the file's name if left out.")] = "",
    sensitive: Annotated[
        bool, typer.Option(help="Store it encrypted, so that it can be erased.")
    ] = True,
    claim: Annotated[
        list[str] | None, typer.Option(help="What is said of it: md5=..., sha256=..., serial=...")
    ] = None,
    json: Json = False,
) -> None:
    """Take a file into custody: an E01 or AFF4 image, a memory image, a capture, anything.

    It is read once and hashed; what of it cannot be read is recorded as a gap. A hash that you
    give is compared. What the file says of itself is recorded, and never believed.
    """
    settings, parts, db = here()
    person, secret = people.who(settings, key)
    pseudonym(db, incident)
    called = visible(name or file.name)[:MOST_NAME]
    said = (visible(source), visible(authority))
    about = Bringing(incident, person, called, *said, sensitive, secret)
    with brought(file, said_of(claim or ())) as opened:
        body = bring(parts, db, opened, about, everybody(parts))
        gaps, claims = opened.all_gaps(), opened.claims()
    anchor(db, parts)
    if json:
        show_json(body | {"claims": [one.members() for one in claims]})
        return
    console = out()
    console.print(
        f"kept {printable(called)} as artifact {body['artifact_id']}, {body['size']} bytes"
    )
    for name, found in body["compared"].items():
        colour = "green" if found == "agrees" else "red"
        console.print(f"[{colour}]{name} {found}[/] with what you said")
    for one in claims:
        console.print(
            f"claimed by {printable(one.by)}: {printable(one.name)} {printable(one.value)}"
        )
    for note in body["notes"]:
        console.print(f"[yellow]note:[/] {printable(note)}")
    for gap in gaps:
        why = f"{gap.size} bytes at {gap.start} could not be read: {printable(gap.why)}"
        console.print(f"[red]gap:[/] {why}")
    if not body["stable"]:
        console.print("[red]it changed while it was read:[/] keep it again; both stay")
