"""How an incident that works duties names the one whose duties they are."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from playbooks.case import store
from playbooks.case.incident import Incident
from playbooks.errors import RefusedError

PLAY: Final = "notify_regulators"
KIND: Final = "incident"
# It is in no account and no region; a target has both all the same.
PLACE: Final = "duties"


def target(incident: str) -> Mapping[str, str]:
    """Return the target of an incident that works the duties of this one."""
    return {"account": PLACE, "region": "-", "id": f"{KIND}/{incident}", "kind": KIND}


def subject_of(incident: Incident) -> str:
    """Return the id of the incident whose duties are worked. Raise RefusedError for no such."""
    kind, _, id = incident.target["id"].partition("/")
    if kind != KIND or not id:
        raise RefusedError(
            f"{incident.id} is about {incident.target['id']!r}, and {PLAY} works the duties of an "
            "incident: stanch open --play notify-regulators --target INC-0001"
        )
    return id


def workers(conn: Connection, incident: str) -> list[Incident]:
    """Return the incidents that work the duties of this one and are not closed."""
    place = "/".join(target(incident)[part] for part in ("account", "region", "id"))
    return store.open_on(conn, place, PLAY)
