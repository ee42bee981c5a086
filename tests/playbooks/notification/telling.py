"""Lets people of a scene record what they know of an incident's duties."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from playbooks.case.incident import Incident
from playbooks.case.record import DEPLOYMENT
from playbooks.duties.reading import Rulebook, shipped
from playbooks.duties.rule import Jurisdiction
from playbooks.notification.confirming import rule_digest
from playbooks.notification.entry import stage_of
from playbooks.notification.looking import Look, look
from playbooks.notification.recording import Recorded, record
from tests.playbooks.scene import Scene

# Read before any test forks: it takes a while.
shipped()
# A breach of which Maryland's, Iowa's and Brazil's laws want notices.
FACTS = {
    "role": "controller",
    "personal_data": "true",
    "residents.MD": "700",
    "residents.IA": "501",
    "persons_in.BR": "3",
    "data": "national_id, credentials, payment_card",
    "acquired": "true",
    "good_faith": "false",
    "electronic": "true",
    "encrypted": "false",
    "risk": "high",
}
MD, MD_AG = "us-md/individuals", "us-md/state_regulator"
IA, IA_AG = "us-ia/individuals", "us-ia/state_regulator"
BR = "br-lgpd/anpd"


def few(*names: str) -> Rulebook:
    """Return a book of these regimes alone, so that a test derives in no time."""
    homes = {n: shipped().homes[n] for n in names}
    return Rulebook(
        tuple(
            Jurisdiction(
                home.jurisdiction,
                home.place,
                home.zone,
                tuple(r for r in home.regimes if r.id == name),
                home.calendar,
                home.counting,
                home.disputed,
            )
            for name, home in homes.items()
        )
    )


def say(
    scene: Scene,
    incident: Incident | str,
    kind: str,
    by: str = "alice",
    book: Rulebook | None = None,
    **body: Any,
) -> Recorded:
    """Let a person record one entry, signed with their key."""
    id = incident if isinstance(incident, str) else incident.id
    key = scene.person(by)
    said = {"why": "because"} | body
    return record(scene.parts, scene.store, id, by, key, [(kind, said)], book)


def facts(scene: Scene, incident: Incident, **changed: str) -> Recorded:
    more = {name.replace("__", "."): value for name, value in changed.items()}
    return say(scene, incident, "fact", facts=FACTS | more)


def anchor(scene: Scene, incident: Incident, **named: str) -> Recorded:
    return say(scene, incident, "anchor", anchors=named)


def decide(
    scene: Scene, incident: Incident, duty: str, by: str, how: str = "not_notifying"
) -> Recorded:
    return decide_all(scene, incident, [duty], by, how)


def decide_all(
    scene: Scene, incident: Incident, duties: Iterable[str], by: str, how: str = "not_notifying"
) -> Recorded:
    said = [
        ("not_notifying", {"why": "because", "duty": d, "how": how, "rule": digest(d)})
        for d in duties
    ]
    key = scene.person(by)
    return record(scene.parts, scene.store, incident.id, by, key, said)


def digest(duty: str) -> str:
    return rule_digest(*stage_of(duty, shipped()))


def confirm(scene: Scene, duty: str, book: Rulebook | None = None, by: str = "counsel") -> Recorded:
    rule = rule_digest(*stage_of(duty, book or shipped()))
    return say(scene, DEPLOYMENT, "confirmed", by, book, duty=duty, rule=rule)


def seen(scene: Scene, incident: Incident, **more: Any) -> Look:
    """Return the duties as they now stand."""
    return scene.store.read(lambda conn: look(conn, incident.id, shipped(), **more))


def ago(scene: Scene, **span: float) -> str:
    """Return a moment so long before now, as an entry takes it."""
    return (scene.parts.now() - timedelta(**span)).isoformat().replace("+00:00", "Z")
