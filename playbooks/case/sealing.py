"""The verb seal: a signed checkpoint over everything so far, and what the code no longer says."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from evidence import ledger
from playbooks.case import store
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts

if TYPE_CHECKING:
    from playbooks.case.case import Case


async def seal(case: "Case", kind: str) -> None:
    """Record where the incident stands, and sign. Raises when the ledger cannot commit."""
    if case.dry:
        return

    def work(conn: Connection) -> None:
        rows = [intent for intent, _ in store.steps(conn, case.incident.id)]
        body = {
            "seal": kind,
            "play": case.play,
            "entry": case.incident.entry,
            "steps": {i.step: i.phase for i in rows},
            # Done by an earlier version of the play, and not named by the present one.
            "orphans": [i.step for i in rows if case.named and i.step not in case.named],
            "residual": list(case.open_now(conn)),
        }
        case.record.note(conn, case.incident.id, "case.seal", body)

    case.store.commit(work)
    await case.call(lambda: checkpoint(case.store, case.parts))


def checkpoint(db: Store, parts: Parts) -> None:
    """Give every new entry its index and sign the tree's head."""
    # What this process has just committed is to be in it, so another's turn is waited for.
    db.commit(lambda c: ledger.integrate(c, parts.keys.log, now=parts.now(), wait=True))
