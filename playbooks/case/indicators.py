"""Notes what a source saw that points to an attacker: a tag changed since the first sign."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from evidence.sources.tag_changes import TagChanges
from playbooks.case import keeping, store, weighing
from playbooks.case.guard import PROTECTED_TAG, among

if TYPE_CHECKING:
    from playbooks.case.case import Case

# What `tag_incident` sets.
OWN_TAG = "stanch:incident"


def tag_changes(case: "Case") -> TagChanges:
    """Return the source of what was changed on the incident's host since the first sign."""
    host = case.target
    return TagChanges(host.instance_id, case.first_sign, case.window[1], host.account, host.region)


async def of_protection(case: "Case") -> tuple[str, ...]:
    """Look now who set the tag that makes the guard ask, and say so; empty where none is seen yet.

    The tag makes it ask all the same: whoever may tag can delay, and the person who is asked sees
    what there is to see.
    """
    if case.dry or case.incident.kind != "instance":
        return ()
    source = tag_changes(case)
    await keeping.keep(case, source, keeping.step_of(source))
    found = case.store.read(lambda conn: known(conn, case.incident.id))
    return tuple(said(one) for one in found if one["tag"] == PROTECTED_TAG)


def said(one: Mapping[str, Any]) -> str:
    """Return an indicator in words."""
    by = one["by"] or "somebody unnamed"
    return f"{one['what']} by {by} at {one['at']}, after the first sign"


def known(conn: Connection, incident: str) -> list[Mapping[str, Any]]:
    """Return the incident's indicators, in the order they were noted."""
    return [
        one
        for step, value in store.all_kept(conn, incident)
        if step.startswith("keep/")
        for one in value.get("indicators", ())
    ]


def new(case: "Case", conn: Connection, seen: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what was not noted before, and not done by Stanch itself."""
    before = {one["event"] for one in known(conn, case.incident.id)}
    return [
        dict(one)
        for one in seen
        if one["event"] not in before and one["tag"] != OWN_TAG and not ours(case, one["by"])
    ]


def ours(case: "Case", arn: str) -> bool:
    """Return whether a session or role is Stanch's, whichever way it is written."""
    parts = arn.split(":", 5)
    ids = {arn}
    if len(parts) == 6 and parts[5].startswith("assumed-role/"):
        ids.add(f"{parts[4]}:role/{parts[5].split('/')[1]}")
    return bool(among(frozenset(ids), weighing.limits(case).own))
