"""`stanch key rotate`: have a new key follow the one in use, signed by both."""

from typing import Annotated

import typer

from evidence.errors import KeyMaterialError
from evidence.key_history import LOG, WRAP
from evidence.keys import place_of
from evidence.signing.place import NO_CLIENTS
from playbooks.case.key_changing import ROLES, Following
from playbooks.case.key_changing import rotate as change
from playbooks.desk.cli.surroundings import here, out, printable
from playbooks.desk.cli.trust import renew
from playbooks.wiring.key_clients import key_clients
from playbooks.wiring.key_places import places, successor
from playbooks.wiring.key_use import alone
from playbooks.wiring.parts import now


def rotate(
    role: Annotated[str, typer.Argument(help="log, manifest or wrap.")],
    reason: Annotated[str, typer.Option(help="Why; it is signed, and stands in the ledger.")],
    destroy: Annotated[
        bool, typer.Option("--destroy", help="Overwrite the old private key.")
    ] = False,
    to: Annotated[
        str | None, typer.Option("--to", help="URI of the new key, where it lives in a service.")
    ] = None,
) -> None:
    """Have a new key follow the log's, the manifests' or the wrapping key.

    The new one is made as a file, or is the one in a service that --to names. Stop `stanch serve`
    and `stanch worker` first. If it breaks off, run it again.
    """
    use = next((one for one in ROLES if one == role), None)
    if use is None:
        raise KeyMaterialError(f"{role!r} is no role of a key; expected one of {', '.join(ROLES)}")
    if use == WRAP and destroy:
        raise KeyMaterialError(
            "a former wrapping key is not destroyed: without it nobody reads the artifacts that it "
            "wrapped. Dispose of those instead (`stanch custody dispose`)"
        )
    settings, parts, db = here()
    folder = settings.home / "keys"
    with alone(folder):
        clients = key_clients(settings, now)
        following = Following(successor(to, use, clients), clients) if to else None
        inside = place_of(places(folder)[use].uri, NO_CLIENTS) is None
        new = change(db, parts, use, reason, destroy=destroy, to=following)
        path = renew()
    console = out()
    console.print(f"new       {printable(new)}")
    kept = "was overwritten; backups may hold it" if destroy else "lies in keys/former, closed"
    console.print(f"old       {kept if inside else 'stays where it lives; disable it there'}")
    if role != WRAP:
        console.print(f"trust     {printable(str(path))}: give it to your auditors by another way")
    if role == LOG and settings.witnesses:
        console.print("witnesses have theirs know the new log key, too, before the next seal")
    console.print("next      start `stanch serve` and `stanch worker` again, back the keys up")
