"""A reviewer's desk over a chamber: redacted copies as `stanch redact` makes them, and bad ones."""

from typing import Any

from evidence import ledger
from evidence.custody.record import record_all, view
from evidence.custody.state import LOCKER, Artifact
from evidence.custody.statement import REDACTION
from evidence.deposit import KIND, Acquisition, deposit
from evidence.manifest_values import Derived, Origin
from evidence.redaction.make import Made, redact
from evidence.redaction.map import MEDIA_TYPE, map_bytes
from evidence.sources.item import Item
from tests.evidence.chamber import CASE, Chamber
from tests.evidence.custodians import PEOPLE, Desk

WHY = {"basis": "GDPR art. 17", "reason": "a bystander"}
LOG = Item("host.log", "text/plain", b"login of mallory from 192.0.2.7\n", False, "host.log")
SEALED = Item("app.log", "text/plain", b"card 4000 0000 0000 0002 paid\n", True, "app.log")
FACTS = Item("iam.user", "application/json", b'{"key":"AKIA1","name":"eve"}', False, "iam.get")


def cut(start: int, size: int, length: str = "kept") -> dict[str, Any]:
    return {"start": str(start), "size": str(size), "length": length} | WHY


WANTED: dict[str, tuple[str, list[dict[str, Any]]]] = {
    LOG.name: ("bytes", [cut(9, 7, "hidden"), cut(22, 9)]),
    SEALED.name: ("bytes", [cut(5, 19)]),
    FACTS.name: ("json", [{"pointer": "/name"} | WHY]),
}


def artifact(chamber: Chamber, name: str) -> Artifact:
    with chamber.begin() as conn:
        found = view(conn, CASE).artifacts.values()
    return next(one for one in found if one.name == name)


def about(chamber: Chamber) -> Acquisition:
    with chamber.begin() as conn:
        case = ledger.pseudonym(conn, CASE)
    return Acquisition("redaction", "x", case, chamber.tick(), chamber.tick())


def review(chamber: Chamber, name: str, sealed: bool = False) -> Made:
    """Redact the artifact of that name, and record it."""
    form, wanted = WANTED[name]
    original = artifact(chamber, name)
    made = redact(chamber.custody, original, form, wanted, about(chamber), sealed=sealed)
    record(chamber, made, original)
    return made


def forged(chamber: Chamber, name: str, content: bytes, derived: bool = True) -> Made:
    """Record what an operator with every key could: a copy that the map does not make."""
    form, wanted = WANTED[name]
    original = artifact(chamber, name)
    origin = Origin(original.artifact_id, original.manifest_sha256)
    data = map_bytes(form, origin, wanted)
    when = about(chamber)
    described = Item(f"{name}.redaction-map", MEDIA_TYPE, data, False, "redaction.map")
    mapped = deposit(chamber.custody, described, when)
    made_of = Derived((origin,), "stanch", "0", mapped["stored_sha256"]) if derived else None
    copy = Item(f"{name}.redacted", "x/y", content, False, "redaction.copy", derived=made_of)
    made = Made(mapped, deposit(chamber.custody, copy, when))
    record(chamber, made, original)
    return made


def record(chamber: Chamber, made: Made, original: Artifact) -> None:
    when = about(chamber)
    now = chamber.tick()
    body = Desk(when.case).body(REDACTION, now, "alice", **made.stated(original))
    told = [(KIND, made.map, LOCKER), (KIND, made.copy, LOCKER), (REDACTION, body, "alice")]
    entries = [
        (ledger.Entry(kind, CASE, body, actor, now), chamber.chance.randbytes(32))
        for kind, body, actor in told
    ]
    with chamber.begin() as conn:
        record_all(conn, CASE, entries, PEOPLE, record_time=now)
