"""`stanch unfreeze`: lift a freeze; what waited for it goes on."""

from playbooks.case.freezing import unfreeze as unfreeze_now
from playbooks.case.record import Record
from playbooks.case.sealing import checkpoint
from playbooks.desk.cli.freeze import Account, Reason, place, said
from playbooks.desk.cli.surroundings import Key, here, out, printable
from playbooks.intake.printable import printable as must_be_printable
from playbooks.wiring import people


def unfreeze(key: Key, reason: Reason, account: Account = "") -> None:
    """Lift a freeze, of one account or of all; the incidents that waited for it go on."""
    settings, parts, db = here()
    person, _ = people.who(settings, key)
    where = place(settings, account)
    must_be_printable("reason", reason, limit=500)
    waiting = unfreeze_now(db, Record(person, parts.now, parts.random), where, reason)
    checkpoint(db, parts)
    console = out()
    console.print(f"[bold]no longer frozen[/]: {said(where)}, by {printable(person)}.")
    for incident in waiting:
        console.print(f"goes on: {incident}   (`stanch resume {incident}` if no responder runs)")
