"""`stanch key rotate`: have a new key follow the one in use, signed by both."""

from typing import Annotated

import typer

from evidence.errors import KeyMaterialError
from evidence.key_history import LOG, WRAP
from playbooks.case.key_changing import ROLES
from playbooks.case.key_changing import rotate as change
from playbooks.desk.cli.surroundings import here, out, printable
from playbooks.desk.cli.trust import renew
from playbooks.wiring.key_use import alone


def rotate(
    role: Annotated[str, typer.Argument(help="log, manifest or wrap.")],
    reason: Annotated[str, typer.Option(help="Why; it is signed, and stands in the ledger.")],
    destroy: Annotated[
        bool, typer.Option("--destroy", help="Overwrite the old private key.")
    ] = False,
) -> None:
    """Have a new key follow the log's, the manifests' or the wrapping key.

    Stop `stanch serve` and `stanch worker` first. If it breaks off, run it again.
    """
    if role not in ROLES:
        raise KeyMaterialError(f"{role!r} is no role of a key; expected one of {', '.join(ROLES)}")
    if role == WRAP and destroy:
        raise KeyMaterialError(
            "a former wrapping key is not destroyed: without it nobody reads the artifacts that it "
            "wrapped. Dispose of those instead (`stanch custody dispose`)"
        )
    settings, parts, db = here()
    with alone(settings.home / "keys"):
        new = change(db, parts, role, reason, destroy=destroy)
        path = renew()
    console = out()
    console.print(f"new       {printable(new)}")
    kept = "was overwritten; backups may hold it" if destroy else "lies in keys/former, closed"
    console.print(f"old       {kept}")
    if role != WRAP:
        console.print(f"trust     {printable(str(path))}: give it to your auditors by another way")
    if role == LOG and settings.witnesses:
        console.print("witnesses have theirs know the new log key, too, before the next seal")
    console.print("next      start `stanch serve` and `stanch worker` again, back the keys up")
