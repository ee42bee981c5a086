"""The verb tell: people are told at least once, and that they were is in the ledger."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from playbooks.case import store

if TYPE_CHECKING:
    from playbooks.case.case import Case

log = logging.getLogger("stanch.tell")


async def tell(case: "Case", whom: tuple[str, ...], what: str, facts: Mapping[str, Any]) -> None:
    """Tell once per incident and kind; a crash in between tells again rather than never."""
    step = f"tell/{what}"
    if case.dry or case.store.read(lambda conn: store.kept(conn, case.incident.id, step)):
        return
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in facts.items()}
    log.warning("%s %s: %s", case.incident.id, what, case.incident.title)

    def work(conn: Connection) -> None:
        body = {"told": list(whom), "what": what, "facts": plain, "channel": "console"}
        store.keep(conn, case.incident.id, step, body)
        case.record.note(conn, case.incident.id, "notification", body)

    case.store.commit(work)
