"""Has timestamp authorities stamp the ledger's head, and records what came of it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from evidence import ledger, timestamp_store
from evidence.errors import TimestampError
from evidence.note import checkpoint_text
from evidence.timestamp_client import Stamped, ask
from playbooks.case.record import DEPLOYMENT, Record
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.wiring.parts import Parts
from playbooks.wiring.timestamp_terms import Askable

# Entries that are stamped at once, not only when the time has come: what others will ask about.
AT_ONCE = frozenset({"case.seal", "export"})
# For so long an authority that gave no token is not asked again.
AGAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What asking one authority came to: the time it stamped, or why it did not."""

    authority: str
    size: int
    time: datetime | None
    failed: str


def due(conn: Connection, askable: Sequence[Askable], now: datetime, minutes: float) -> list[str]:
    """Return who is to be asked now: there is something new, and it is time or must not wait."""
    sizes, times = timestamp_store.last_sizes(conn), timestamp_store.last_times(conn)
    tried = {one.authority: one for one in timestamp_store.tries(conn)}
    found = []
    for one in askable:
        name = one.pinned.name
        kinds = timestamp_store.unstamped(conn, sizes.get(name, 0)) if one.url else frozenset()
        if not kinds:
            continue
        last = tried.get(name)
        if last is not None and last.failed and now - last.at < AGAIN:
            continue
        waited = last is None or name not in times or now - last.at >= timedelta(minutes=minutes)
        if waited or kinds & AT_ONCE or (last is not None and last.failed):
            found.append(name)
    return found


def lacking(conn: Connection, askable: Sequence[Askable], incident: str) -> list[str]:
    """Return who has not stamped all of an incident's entries yet."""
    sizes = timestamp_store.last_sizes(conn)
    found = ledger.entries(conn, incident)
    # What has no place yet is in no checkpoint.
    last = max((1 << 62 if e.index is None else e.index for e in found), default=-1)
    return [one.pinned.name for one in askable if sizes.get(one.pinned.name, 0) <= last]


def stamp(db: Store, parts: Parts, askable: Sequence[Askable], names: list[str]) -> list[Outcome]:
    """Have those of these names stamp the newest checkpoint, all at once, and record it.

    Returns what came of each. Raises what the database and the signer raise; an authority that
    fails raises nothing.
    """
    chosen = [one for one in askable if one.url and one.pinned.name in names]
    head = checkpoint(db, parts) if chosen else None
    if head is None:
        return []
    size, text = head.checkpoint.size, checkpoint_text(head.checkpoint).encode()
    with ThreadPoolExecutor(len(chosen), thread_name_prefix="timestamps") as pool:
        answers = list(pool.map(partial(_asked, parts, text), chosen))
    record = Record("stanch", parts.now, parts.random)
    outcomes = [
        Outcome(one.pinned.name, size, None, answer)
        if isinstance(answer, str)
        else Outcome(one.pinned.name, size, answer.token.time, "")
        for one, answer in zip(chosen, answers, strict=True)
    ]

    def work(conn: Connection) -> None:
        for outcome, answer in zip(outcomes, answers, strict=True):
            now = parts.now()
            if isinstance(answer, Stamped):
                salt = parts.random(32)
                timestamp_store.keep(conn, size, answer, DEPLOYMENT, "stanch", now=now, salt=salt)
            news = timestamp_store.tell(conn, outcome.authority, outcome.failed, now=now)
            if news and outcome.failed:
                body = {"authority": outcome.authority, "why": outcome.failed}
                record.note(conn, DEPLOYMENT, "tsa.failed", body)

    db.commit(work)
    return outcomes


def _asked(parts: Parts, text: bytes, one: Askable) -> Stamped | str:
    try:
        return ask(str(one.url), one.pinned, text, parts.random)
    except TimestampError as error:
        return str(error)[: timestamp_store.MAX_TOLD]
