"""How many others something was taken from lately: rolling ceilings, and the last one serving.

Pure but for `recent`, which reads. The account is always known and nobody can change it; so is the
scaling group, by a tag that only AWS sets. The service is a tag that an attacker may set too: on
that alone, a host counts elsewhere, and the other two still hold.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from playbooks.case.guard import Crowd
from playbooks.case.looking import GROUP_TAG, Seen
from playbooks.case.store.taken import Taken, taken
from playbooks.wiring.automatic_terms import Guard

# Whoever decides by what others did holds this until what it decided is recorded.
LOCK = "ceilings"


def places(target: str, takes: str, seen: Seen, guard: Guard) -> dict[str, Any]:
    """Return where an act takes what, as it is recorded with the intent.

    `serving` maps target groups to the ids under which the host is a healthy target there.
    """
    account, region, _ = target.split("/", 2)
    service, group = seen.tags.get(guard.service_tag, ""), seen.tags.get(GROUP_TAG, "")
    return {
        "takes": takes,
        "account": account,
        "service": service,
        "group": f"{account}/{region}/{group}" if group else "",
        "serving": {s.arn: sorted(s.mine) for s in seen.serving},
    }


def recent(conn: Connection, guard: Guard, now: datetime) -> list[Taken]:
    """Return what was taken within the window, the oldest first."""
    return taken(conn, now - timedelta(minutes=guard.window_minutes))


def crowds(
    rows: Iterable[Taken], target: str, here: Mapping[str, Any], guard: Guard
) -> tuple[Crowd, ...]:
    """Return who came before the target in each of its places; none where nothing is taken.

    A target that is among the first stays so: what follows on it is not asked about again.
    """
    if here["takes"] == "nothing":
        return ()
    known = list(rows)
    ceilings = {
        "account": (guard.account_ceiling, f"account {here['account']}"),
        "service": (guard.service_ceiling, f"service {here['service']}"),
        "group": (guard.group_ceiling, f"scaling group {here['group'].rpartition('/')[2]}"),
    }
    return tuple(
        Crowd(named, _before(known, target, kind, here[kind]), ceiling)
        for kind, (ceiling, named) in ceilings.items()
        if here[kind]
    )


def _before(rows: list[Taken], target: str, kind: str, where: str) -> frozenset[str]:
    order = dict.fromkeys(row.target for row in rows if row.places.get(kind) == where)
    first = list(order)
    return frozenset(first[: first.index(target)] if target in order else first)


def alone(rows: Iterable[Taken], target: str, seen: Seen) -> tuple[str, ...]:
    """Return the target groups that nobody healthy serves once this target is out.

    Others that are being taken out at this moment may still be healthy to see.
    """
    leaving: dict[str, set[str]] = {}
    for row in rows:
        if row.live and row.target != target and row.places["takes"] == "service":
            for arn, ids in row.places["serving"].items():
                leaving.setdefault(arn, set()).update(ids)
    return tuple(
        f"target group {s.arn.split('/')[1]}"
        for s in seen.serving
        if not s.others - leaving.get(s.arn, set())
    )
