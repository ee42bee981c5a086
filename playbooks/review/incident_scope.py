"""Starts a campaign over what one principal could reach, for an incident."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from actions.aws.principal import GLOBAL
from evidence.sources.item import Item
from playbooks.case import store
from playbooks.case.store import Store
from playbooks.case.store.reviews import Review
from playbooks.review import details
from playbooks.review.details import Known
from playbooks.review.errors import InventoryError
from playbooks.review.holding import Holding
from playbooks.review.reach import Reached, path, reach, touches
from playbooks.review.row import Reading, Row, rows
from playbooks.review.starting import gathered, reading
from playbooks.review.triage import triage
from playbooks.wiring.parts import Parts


def start_for_incident(
    parts: Parts, db: Store, incident: str, principal: str, person: str
) -> Review:
    """Start a campaign over what a principal (account/aws-global/kind/name) could reach.

    Keys, passwords and MFA are asked for now, user by user: no credential report is that fresh.
    Raises UnknownIncidentError, InventoryError where there is no such principal, or what AWS said.
    """
    db.read(lambda conn: store.incident(conn, incident))
    account = principal.partition("/")[0]
    aws = parts.aws(account, GLOBAL)
    around = details.known(aws)
    holdings = {held.key: held for held in details.holdings(aws, around)}
    if principal not in holdings:
        raise InventoryError(
            f"there is no {principal!r}. Expected account/aws-global/user/NAME or .../role/NAME of "
            "one that exists."
        )
    found = reach(principal, holdings)
    reached = [holdings[key] for key in found if key in holdings]
    fresh = triage(aws, (h.name for h in reached if h.kind == "user"), parts.now())
    scope = {"account": account, "why": "incident", "incident": incident, "principal": principal}
    facts = {"report made": fresh.made.isoformat(), "report age in hours": "0.0"}
    facts["reached"] = str(len(reached))
    item = Item("reach.json", "application/json", _told(reached, found), False, "stanch.reach")
    listed = _rows(reached, around, reading(parts, fresh))
    return gathered(parts, db, scope, person, listed, facts, item)


def _rows(reached: list[Holding], around: Known, by: Reading) -> Iterator[Row]:
    groups: dict[str, None] = {}
    for held in reached:
        names = [r.privilege.partition("/") for r in held.rights]
        groups |= dict.fromkeys(name for kind, _, name in names if kind == "group")
        yield from rows(held, by)
    for name in groups:
        yield from rows(around.groups[name], by)


def _told(reached: list[Holding], found: Mapping[str, Reached]) -> bytes:
    told: list[dict[str, Any]] = [
        {"principal": h.key, "way": path(h.key, found), "may": touches(h.granted)} for h in reached
    ]
    return json.dumps(told, indent=1).encode()
