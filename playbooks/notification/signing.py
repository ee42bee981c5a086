"""An entry is a person's word: signed with their own key, over all that it says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from evidence import canonical, jws, jws_token
from evidence.errors import EvidenceError
from playbooks.notification.errors import EntryError

TYPE: Final = "stanch-duty+jws"
FIELDS: Final = {"incident", "kind", "body", "at"}
# A clock that is off by more would let an entry be dated back.
OFF: Final = timedelta(minutes=5)
# Bytes of what is signed; with its signature it stands in one entry of the ledger (64 KiB).
MOST: Final = 16_000


@dataclass(frozen=True, slots=True)
class Said:
    """What a person signed, and their signature."""

    incident: str
    kind: str
    body: Mapping[str, Any]
    at: datetime
    person: str
    token: str


def sign(
    incident: str, kind: str, body: Mapping[str, Any], person: str, key: Any, at: datetime
) -> str:
    """Return the entry as a JWS (RFC 7515) with the person's own ES256 key.

    Raises EntryError where it says too much for one entry.
    """
    said = {"incident": incident, "kind": kind, "body": dict(body), "at": at.isoformat()}
    payload = canonical.canonical(said)
    if len(payload) > MOST:
        raise EntryError(f"it is {len(payload)} bytes, at most {MOST}: record it in parts")
    return jws.sign(payload, key, person, TYPE)


def read(token: str, people: Mapping[str, Any], now: datetime) -> Said:
    """Return what the token says. Raises EntryError for one that does not hold now."""
    try:
        said = json.loads(jws.verify(token, people, TYPE))
    except (EvidenceError, ValueError) as error:
        raise EntryError(
            f"the signature does not hold: {error}. It must be made with the key of a person under "
            "[people] in stanch.toml."
        ) from error
    if not isinstance(said, dict) or said.keys() != FIELDS or not isinstance(said["body"], dict):
        raise EntryError("what is signed lacks a part. Make it with `stanch duties`.")
    at = datetime.fromisoformat(said["at"])
    if at.tzinfo is None or abs(now - at) > OFF:
        raise EntryError(
            f"it was signed at {at.isoformat()}, and it is {now.isoformat()} here: sign it again, "
            "or set the clock"
        )
    person = jws_token.take_apart(token, TYPE).kid
    return Said(said["incident"], said["kind"], said["body"], at, person, token)
