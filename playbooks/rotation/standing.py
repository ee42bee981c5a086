"""What a rotation has noted: when something came to be, and what was found then."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from actions.aws.principal import GLOBAL, Principal
from evidence.sources.access_key_use import AccessKeyUse, KeyUse
from evidence.sources.item import Item
from playbooks.case import store
from playbooks.case.answers import Done, Failed, Kept
from playbooks.errors import StoppedError

if TYPE_CHECKING:
    from playbooks.case.case import Case


def since(case: "Case", step: str) -> datetime:
    """Return when this was first asked of the step: the same on re-entry."""
    found = once(case, step, lambda: {"at": case.clock().isoformat()})
    return datetime.fromisoformat(found["at"])


def once(case: "Case", step: str, read: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return what was read the first time, as JSON values; the same on re-entry."""
    known = _known(case, step)
    if known is not None or case.dry:
        return known if known is not None else read()
    found = dict(read())

    def work(conn: Connection) -> None:
        store.keep_newest(conn, case.incident.id, step, found)
        case.record.note(conn, case.incident.id, "rotation.noted", {"step": step} | found)

    case.store.commit(work)
    return found


def told(done: Done | Failed, name: str) -> str:
    """Return what an act told of itself; nothing where it was not done, or only planned."""
    return str(done.result.get(name, "")) if isinstance(done, Done) else ""


def passed(case: "Case", step: str, after: timedelta) -> bool:
    """Return whether so long has passed since the step; else the play is entered again then."""
    at = since(case, step) + after
    if case.dry or case.clock() >= at:
        return True
    case.timers.add(at)
    return False


async def use(case: "Case", user: Principal, why: str) -> tuple[Kept, tuple[KeyUse, ...]]:
    """Return the user's access keys and their use, kept as evidence; the same on re-entry.

    What was missed in one entry is asked again in the next. Raises StoppedError when it is missed.
    """
    source = AccessKeyUse(user.name, user.account, GLOBAL)
    if case.dry:
        clients = case.parts.reading(user.account, GLOBAL)
        found = await case.call(lambda: list(source.collect(clients)))
        items = [one for one in found if isinstance(one, Item)]
        return Kept("", (), ()), tuple(source.findings(items))
    for number in count():
        again = f"{user.name}, {why}" + (f", try {number}" if number else "")
        step = f"keep/{source.name}/{source.account}/{source.region}#{again}"
        known = _known(case, step)
        kept = await case.keep(source, again=again)
        if not kept.missed:
            return kept, tuple(KeyUse(**one) for one in kept.found)
        if known is None:
            break
    raise StoppedError(
        f"the access keys of {user.key} cannot be read: {kept.missed[0]['error']}. Give Stanch's "
        "role iam:ListAccessKeys and iam:GetAccessKeyLastUsed, then: stanch resume"
    )


def _known(case: "Case", step: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = case.store.read(
        lambda conn: store.kept(conn, case.incident.id, step)
    )
    return found
