"""What an incident's own target is once it is known: of an access key, its user."""

from sqlalchemy import Connection

from actions.aws.principal import Principal
from playbooks.case import store
from playbooks.case.incident import Incident

# What the holder of a key is kept under.
HOLDER = "holder"


def subject(conn: Connection, incident: Incident) -> str:
    """Return the target, place/region/id, that the incident is about; "" while nobody knows it."""
    if incident.kind != "access_key":
        return incident.place
    known = store.kept(conn, incident.id, HOLDER)
    return Principal(incident.target["account"], "user", known["user"]).key if known else ""
