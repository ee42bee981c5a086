"""`stanch key show`: which keys there were, and for how much of the ledger each counts."""

from evidence.key_history import write_history
from playbooks.case.key_changing import history, name_of
from playbooks.desk.cli.surroundings import Json, here, out, printable, show_json


def show(json: Json = False) -> None:
    """Show the keys that another one followed, and those in use, from the ledger."""
    settings, parts, db = here()
    found = history(db, settings, parts.keys)
    if json:
        show_json(write_history(found))
        return
    console = out()
    for one in found:
        bounds = one.bounds
        state = "in use" if bounds.until is None else "former"
        if bounds.anchored_by is not None:
            state = f"[red]revoked[/]: counts where it was seen by {bounds.anchored_by.isoformat()}"
        console.print(f"{printable(name_of(one))}  {bounds}  {state}")
    if not found:
        console.print("no key was ever changed.")
