"""The rules of custody: what each entry does, and when it may. No connection, no clock.

The same rules judge an entry before it is written and when a case is replayed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from evidence.custody.state import Artifact, CaseCustody, Event, Hold, Transfer
from evidence.custody.statement import (
    BROUGHT,
    DISPOSED,
    ERASURE,
    HOLD,
    REDACTION,
    RELEASE,
    RETAIN,
    TRANSFER,
    Signed,
    read_signed,
)
from evidence.errors import CustodyError

STORED = "artifact.stored"
READ = "access.read"
CHECKED = "verify.result"
INTACT = "intact"
# The bytes are there, and a marker that deletes them, or another version, was laid over them.
COVERED = "covered"
# Keyless: the bytes are there, and the key that they are read with is not.
FOUND = (INTACT, "altered", "missing", "unreadable", "keyless", COVERED)

# A signature is for now, not to be kept in a drawer; clocks of two people may differ a little.
VALID = timedelta(days=7)
AHEAD = timedelta(minutes=5)


def replay(case: str, events: Iterable[Event]) -> CaseCustody:
    """Return where custody stands after these events of the case of that pseudonym, in order.

    An entry that breaks a rule has no effect, and stands in `problems`.
    """
    state = CaseCustody(case)
    for event in events:
        try:
            follow(state, event)
        except CustodyError as error:
            state.problems.append(f"entry {event.seq} ({event.kind}): {error}")
    return state


def follow(state: CaseCustody, event: Event) -> None:
    """Apply one event to the state; one of a kind that is not about custody does nothing.

    Raises:
        CustodyError: when it breaks a rule; the state is then as it was.
    """
    rule = _RULES.get(event.kind)
    if rule is None:
        return
    if event.body is None:
        raise CustodyError(f"{event.fault}, so what it did cannot be said")
    rule(state, event, event.body)


def _stored(state: CaseCustody, event: Event, body: Mapping[str, Any]) -> None:
    members = ("artifact_id", "name", "size", "stored_sha256", "manifest_sha256")
    found = {name: body.get(name) for name in members}
    if not all(isinstance(value, str) for value in found.values()):
        raise CustodyError(f"expected the texts {', '.join(members)}")
    artifact_id = body["artifact_id"]
    if artifact_id in state.artifacts:
        raise CustodyError(f"artifact {artifact_id} was stored before")
    state.artifacts[artifact_id] = Artifact(
        **{name: body[name] for name in members},
        sensitive=bool(body.get("sensitive")),
        stored_at=event.time,
        last_intact=event.time,
    )


def _read(state: CaseCustody, event: Event, body: Mapping[str, Any]) -> None:
    artifact = _living(state, body.get("artifact_id"))
    if not isinstance(body.get("reason"), str) or not body["reason"].strip():
        raise CustodyError("nobody reads evidence without a reason; expected one")
    reads = artifact.reads + 1
    state.artifacts[artifact.artifact_id] = replace(artifact, reads=reads, last_read=event.time)


def _checked(state: CaseCustody, event: Event, body: Mapping[str, Any]) -> None:
    checked = body.get("checked")
    if not isinstance(checked, list) or not checked:
        raise CustodyError("expected what was checked")
    after: dict[str, Artifact] = {}
    for one in checked:
        if not isinstance(one, dict) or one.get("found") not in FOUND:
            raise CustodyError(f"expected what was found: {', '.join(FOUND)}")
        artifact = _known(state, one.get("artifact_id"))
        if one.get("stored_sha256") != artifact.stored_sha256:
            raise CustodyError(f"artifact {artifact.artifact_id} was checked against another hash")
        changed = {"last_checked": event.time, "last_found": one["found"]}
        if one["found"] == INTACT:
            changed["last_intact"] = event.time
        after[artifact.artifact_id] = replace(artifact, **changed)
    state.artifacts |= after


def _hold(state: CaseCustody, event: Event, body: Mapping[str, Any]) -> None:
    signed = _signed(state, event, body)
    said = signed.statement
    if said["hold"] in state.holds:
        raise CustodyError(f"hold {said['hold']} was set before; a new hold has a new name")
    named = said["artifacts"]
    for artifact_id in named or ():
        _living(state, artifact_id)
    state.holds[said["hold"]] = Hold(
        id=said["hold"],
        artifacts=None if named is None else frozenset(named),
        reason=said["reason"],
        by=signed.signers[0],
        since=event.time,
    )
    state.seen.add(signed.digest)


def _release(state: CaseCustody, event: Event, body: Mapping[str, Any]) -> None:
    signed = _signed(state, event, body)
    hold = state.holds.get(signed.statement["hold"])
    if hold is None or hold.released is not None:
        raise CustodyError(
            f"hold {signed.statement['hold']} is not in force, so cannot be released"
        )
    by = signed.signers
    state.holds[hold.id] = replace(hold, released=event.time, released_by=by)
    state.seen.add(signed.digest)


def _retain(state: CaseCustody, event: Event, body: Mapping[str, Any]) -> None:
    signed = _signed(state, event, body)
    said = signed.statement
    until, after = said["until"], {}
    if until <= event.time:
        raise CustodyError(f"{until} is past; expected until when it is kept from now on")
    if said["artifacts"] is None:
        _refuse_shorter("every artifact of the case", state.retain_until, until)
        state.retain_until = until
    for artifact_id in said["artifacts"] or ():
        artifact = _living(state, artifact_id)
        _refuse_shorter(f"artifact {artifact_id}", state.retained_until(artifact_id), until)
        after[artifact_id] = replace(artifact, retain_until=until)
    state.artifacts |= after
    state.seen.add(signed.digest)


def _transfer(state: CaseCustody, event: Event, body: Mapping[str, Any]) -> None:
    signed = _signed(state, event, body)
    said = signed.statement
    after = {}
    for artifact_id in said["artifacts"]:
        artifact = _living(state, artifact_id)
        if artifact.holder != said["from"]:
            raise CustodyError(
                f"artifact {artifact_id} is held by {artifact.holder}, so {said['from']} cannot "
                "hand it over"
            )
        made = Transfer(said["from"], said["to"], event.time, said["place"], said["reason"])
        transfers = (*artifact.transfers, made)
        after[artifact_id] = replace(artifact, holder=said["to"], transfers=transfers)
    state.artifacts |= after
    state.seen.add(signed.digest)


def _disposed(state: CaseCustody, event: Event, body: Mapping[str, Any]) -> None:
    signed = _signed(state, event, body)
    if state.problems:
        # What they did is not known: one of them may have set a hold.
        raise CustodyError(
            f"the case has {len(state.problems)} entries about custody that do not follow from "
            "those before them, so nothing of it is disposed of; see `problems`"
        )
    after = {}
    for kept in signed.statement["kept"]:
        artifact = _living(state, kept["artifact_id"])
        if not artifact.sensitive:
            raise CustodyError(
                f"artifact {artifact.artifact_id} lies in the clear and has no key to erase"
            )
        _refuse_other(artifact, kept)
        if holds := state.holds_on(artifact.artifact_id):
            raise CustodyError(f"artifact {artifact.artifact_id} is under hold {', '.join(holds)}")
        until = state.retained_until(artifact.artifact_id)
        if until is not None and event.time < until:
            raise CustodyError(f"artifact {artifact.artifact_id} must be kept until {until}")
        gone = replace(artifact, disposed=event.time, disposed_by=signed.signers)
        after[artifact.artifact_id] = gone
    state.artifacts |= after
    state.seen.add(signed.digest)


def _brought(state: CaseCustody, event: Event, body: Mapping[str, Any]) -> None:
    signed = _signed(state, event, body)
    for kept in signed.statement["kept"]:
        artifact = _living(state, kept["artifact_id"])
        _refuse_other(artifact, kept)
    state.seen.add(signed.digest)


def _refuse_other(artifact: Artifact, named: Mapping[str, str]) -> None:
    if named != what_stays(artifact):
        raise CustodyError(f"artifact {artifact.artifact_id} has other hashes than were signed")


def _redacted(state: CaseCustody, event: Event, body: Mapping[str, Any]) -> None:
    signed = _signed(state, event, body)
    for role in ("original", "map", "copy"):
        named = signed.statement[role]
        # The original may be gone since: its copy stays, and so does what was said of it.
        artifact = _known(state, named["artifact_id"])
        _refuse_other(artifact, named)
    state.seen.add(signed.digest)


def _erased(state: CaseCustody, event: Event, body: Mapping[str, Any]) -> None:
    signed = _signed(state, event, body)
    if state.problems:
        # One of them may have set a hold.
        raise CustodyError(
            f"the case has {len(state.problems)} entries about custody that do not follow from "
            "those before them, so nothing of it is erased; see `problems`"
        )
    held = sorted(hold.id for hold in state.holds.values() if hold.released is None)
    if held:
        raise CustodyError(f"the case is under hold {', '.join(held)}, so nothing of it is erased")
    state.seen.add(signed.digest)


def what_stays(artifact: Artifact) -> dict[str, str]:
    """Return what is kept of an artifact that is disposed of."""
    return {
        "artifact_id": artifact.artifact_id,
        "stored_sha256": artifact.stored_sha256,
        "manifest_sha256": artifact.manifest_sha256,
        "size": artifact.size,
    }


def _refuse_shorter(what: str, now: str | None, until: str) -> None:
    if now is not None and until <= now:
        raise CustodyError(f"{what} is kept until {now} already; retention only extends")


def _known(state: CaseCustody, artifact_id: object) -> Artifact:
    artifact = state.artifacts.get(artifact_id) if isinstance(artifact_id, str) else None
    if artifact is None:
        raise CustodyError(f"artifact {str(artifact_id)[:64]} is none of this case")
    return artifact


def _living(state: CaseCustody, artifact_id: object) -> Artifact:
    artifact = _known(state, artifact_id)
    if artifact.disposed:
        raise CustodyError(
            f"artifact {artifact.artifact_id} was disposed of at {artifact.disposed}"
        )
    return artifact


def _signed(state: CaseCustody, event: Event, body: Mapping[str, Any]) -> Signed:
    """Return the statement in a body that is signed, for this kind and case, now, and new."""
    signed = read_signed(body)
    said = signed.statement
    if said["kind"] != event.kind or said["case"] != state.case:
        raise CustodyError(f"was signed as {said['kind']} for case {said['case']}, not for this")
    if signed.digest in state.seen:
        raise CustodyError("took effect before; sign a new statement")
    age = datetime.fromisoformat(event.time) - datetime.fromisoformat(said["at"])
    if not -AHEAD <= age <= VALID:
        raise CustodyError(
            f"was stated at {said['at']} and recorded at {event.time}; expected within "
            f"{VALID.days} days after it"
        )
    return signed


_RULES: Mapping[str, Callable[[CaseCustody, Event, Mapping[str, Any]], None]] = {
    STORED: _stored,
    READ: _read,
    CHECKED: _checked,
    BROUGHT: _brought,
    HOLD: _hold,
    RELEASE: _release,
    RETAIN: _retain,
    TRANSFER: _transfer,
    DISPOSED: _disposed,
    REDACTION: _redacted,
    ERASURE: _erased,
}
# Every other kind of entry says nothing about custody.
KINDS = frozenset(_RULES)
