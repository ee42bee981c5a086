"""What a host forgets once it is cut off: asked for first, for a few seconds, and then let go.

The agent on the host speaks with the host's own role: with its sessions denied nobody can ask it
any more. So it comes before the denial, which waits for it no longer than the team allows.
"""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from sqlalchemy import Connection

from actions.action import step_of
from actions.aws.clients import Aws
from actions.aws.instance import Instance
from actions.aws.run_collection_command import RunCollectionCommand, ended
from actions.engine import Steps, calling
from actions.errors import ActionError
from evidence.sources.volatile_state import CONTENT, VolatileState
from playbooks.case import branches, store
from playbooks.case.answers import Failed, Kept
from playbooks.case.case import Case
from playbooks.case.severity import Severity

T = TypeVar("T")

# Seconds between two looks at the command.
LOOK_AGAIN = 0.5


async def collect_first(
    case: Case, host: Instance, then: Callable[[], Coroutine[Any, Any, T]]
) -> T:
    """Collect for `[collection] seconds` at most, and then do what follows; both to their end."""
    _, after = await branches.ahead(_collect(case, host), then, _seconds(case))
    return after


async def keep_collected(case: Case, host: Instance, *, again: str = "") -> Kept | None:
    """Take what the host uploaded into custody, or on record why it is not there.

    `again` looks once more where nothing had come; None where there is no need.
    """
    if again and _has(await case.keep(_source(case, host))):
        return None
    return await case.keep(_source(case, host), again=again)


def _has(kept: Kept) -> bool:
    return any(one["name"] == CONTENT for one in kept.artifacts)


def _seconds(case: Case) -> float:
    return 0.0 if _given_up(case) else case.parts.settings.collection.seconds


def _given_up(case: Case) -> str:
    """Return why it is not tried at all, or nothing."""
    if case.incident.severity is Severity.P0:
        return "given up: nothing goes before containment in a P0"
    if not case.parts.settings.collection.seconds:
        return "given up: containment goes first, for [collection] seconds is 0"
    return ""


async def _collect(case: Case, host: Instance) -> None:
    """Send the command once and wait for its end, within the seconds; say how that went, once."""
    act = RunCollectionCommand(host)
    if case.dry:
        if not _given_up(case) and not await case.act(act):
            # A real run leaves it, and goes on.
            case.planned[:] = [one for one in case.planned if one.step != step_of(act)]
        return
    if case.store.read(lambda conn: store.kept(conn, case.incident.id, _told(host))) is not None:
        return
    if why := _given_up(case) or _too_late(case, host):
        _tell(case, host, {"why": why})
        return
    done = await case.act(act)
    if isinstance(done, Failed):
        _tell(case, host, {"why": done.why})
        return
    provider: Any = case.provider(act)
    command, seconds = str(done.result["command"]), _seconds(case)
    so = await case.drive(_until_ended(provider, host, command, seconds))
    late = "" if so else f"given up: it had not ended after {seconds:g} s, and the host is cut off"
    _tell(case, host, {"command": command, "why": late})


def _too_late(case: Case, host: Instance) -> str:
    denial = case.journal.find(f"deny_instance_sessions/{host.key}")
    if denial is None or case.keep_ssm or case.journal.find(step_of(RunCollectionCommand(host))):
        return ""
    return "given up: the host's sessions were denied before, and its agent's with them"


def _until_ended(p: Aws, host: Instance, command: str, seconds: float) -> Steps[bool]:
    waited = 0.0
    while waited < seconds:
        try:
            if calling(p, lambda: ended(p, host, command)):
                return True
        except ActionError:
            return False
        yield LOOK_AGAIN
        waited += LOOK_AGAIN
    return False


def _told(host: Instance) -> str:
    return f"volatile/{host.key}"


def _tell(case: Case, host: Instance, how: dict[str, str]) -> None:
    """Note how it went, for the ledger and for whoever enters again."""
    step = _told(host)

    def work(conn: Connection) -> None:
        if store.kept(conn, case.incident.id, step) is None:
            store.keep(conn, case.incident.id, step, how)
            kind = "collection.given-up" if how["why"] else "collection.ended"
            case.record.note(conn, case.incident.id, kind, {"step": step} | how)

    case.store.commit(work)


def _source(case: Case, host: Instance) -> VolatileState:
    place = (host.instance_id, host.account, host.region)
    intent = case.journal.find(step_of(RunCollectionCommand(host)))
    if intent is not None and intent.result:
        sent = intent.result
        what = (str(sent[k]) for k in ("command", "bucket", "key", "script_sha256"))
        command, bucket, key, script = what
        return VolatileState(*place, command, bucket, key, script)
    told = case.store.read(lambda conn: store.kept(conn, case.incident.id, _told(host))) or {}
    left = case.store.read(lambda conn: store.left(conn, case.incident.id))
    kind = left.get(step_of(RunCollectionCommand(host)), {}).get("kind")
    why = told.get("why", "given up: nothing was sent")
    if kind in ("unfit", "needless"):
        return VolatileState(*place, why=why, state="unsupported")
    return VolatileState(*place, why=why, state="failed")
