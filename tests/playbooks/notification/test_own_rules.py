"""A contract of one's own binds an incident like a law, and closes nothing when it is gone."""

import pytest

from playbooks.duties.errors import RuleError
from playbooks.notification.recording import refresh
from playbooks.notification.rules import FOLDER
from tests.playbooks.notification.telling import ago, anchor, facts, say
from tests.playbooks.scene import Scene, apart

OWN = """
jurisdiction: own
place: our contracts
zone: Europe/Berlin
regimes:
- id: contract-acme
  name: Contract with Acme
  citation: clause 7
  status: contractual
  applies: {personal_data: true}
  binds: us
  event: any incident
  starts: awareness
  threshold: none
  confidence: verified-in-source
  sources: [contract of 2026]
  stages:
  - id: customer
    recipient: Acme
    to: customers_or_clients
    anchor: awareness
    deadline: {kind: fixed, value: 24, unit: clock_hour}
"""
DUTY = "contract-acme/customer"


@apart
def test_a_contract_binds_and_its_duty_outlives_it(scene: Scene) -> None:
    folder = scene.parts.settings.home / FOLDER
    folder.mkdir()
    file = folder / "acme.yaml"
    file.write_text(OWN)
    incident = scene.take()
    facts(scene, incident)
    anchor(scene, incident, awareness=ago(scene, hours=2))
    clock = refresh(scene.parts, scene.store, incident.id).clocks[DUTY]
    assert (clock.state, clock.body["status"]) == ("open", "due")
    say(scene, incident, "sent", duty=DUTY, sent=ago(scene, hours=1))
    assert refresh(scene.parts, scene.store, incident.id).clocks[DUTY].closed_how == "sent"
    say(scene, incident, "withdrawn", names=["contract-acme/stage:customer"])
    file.rename(scene.folder / "acme.yaml")
    folder.rmdir()
    now = refresh(scene.parts, scene.store, incident.id)
    assert (now.clocks[DUTY].state, now.clocks[DUTY].closed) == ("no_longer_owed", None)


@apart
def test_a_rule_of_ones_own_that_is_wrong_is_told_and_not_left_out(scene: Scene) -> None:
    folder = scene.parts.settings.home / FOLDER
    folder.mkdir()
    (folder / "acme.yaml").write_text(OWN.replace("zone: Europe/Berlin", "zone: Nowhere"))
    with pytest.raises(RuleError, match="acme"):
        refresh(scene.parts, scene.store, scene.take().id)
