"""Taking an alert in: one incident a finding, however often and from however many it comes."""

import os
from typing import Any

import pytest

from playbooks.case import store
from playbooks.case.severity import Severity
from playbooks.drills.scenario import TYPE
from playbooks.errors import SettingsError
from playbooks.intake.errors import IntakeError
from playbooks.intake.read import read_alert
from playbooks.respond import plays
from playbooks.respond.judging import judge, policy
from playbooks.respond.opening import open_by_hand
from playbooks.wiring.automatic_terms import Automatic
from tests.playbooks.case.test_approvals import tagging
from tests.playbooks.scene import Scene, apart


def found(scene: Scene, **changes: Any) -> Any:
    return read_alert(scene.deployment.finding(**changes), received=scene.parts.now())


def service(scene: Scene, count: int) -> dict[str, Any]:
    import json

    detail = json.loads(scene.deployment.finding())["detail"]
    return {"service": detail["service"] | {"count": count}}


@apart
def test_a_finding_that_grows_worse_raises_the_severity_and_never_lowers_it(scene: Scene) -> None:
    incident = scene.take(severity=5)
    seen = [incident.severity.value]
    seen += [scene.take(severity=score).severity.value for score in (9.5, 2)]
    assert seen == ["P2", "P0", "P0"]
    assert scene.kinds(incident).count("severity.raised") == 1


@apart
def test_the_same_finding_again_only_counts(scene: Scene) -> None:
    incident, _ = scene.play(tagging)
    did = scene.changed()
    for count in (2, 7, 3):
        data = scene.deployment.finding(**service(scene, count))
        for _ in range(2):  # What comes twice says nothing new the second time.
            taken = scene.deployment.take(scene.parts, data)
            assert (taken.new, taken.incident.id) == (False, incident.id)
    assert scene.enter(incident, tagging).state == "Completed"
    assert scene.changed() == did == ["CreateTags"]
    assert len(scene.store.read(store.incidents)) == 1
    assert scene.kinds(incident).count("case.open") == 1
    assert scene.kinds(incident).count("alert.repeated") == 3


@apart
def test_two_processes_that_take_one_finding_open_one_incident(scene: Scene) -> None:
    children = []
    data = scene.deployment.finding()
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            parts = scene.deployment.parts()
            new = scene.deployment.take(parts, data).new
            os._exit(10 if new else 11)
        children.append(pid)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) for p in children)
    assert codes == [10, 11, 11, 11]
    assert len(scene.store.read(store.incidents)) == 1


@apart
def test_an_alert_and_its_entry_are_one(scene: Scene) -> None:
    from dataclasses import replace

    def no_salt(count: int) -> bytes:
        raise RuntimeError("no randomness")

    torn = replace(scene.parts, random=no_salt)
    with pytest.raises(RuntimeError):
        scene.deployment.take(torn)
    assert scene.store.read(store.incidents) == []
    assert scene.deployment.take(scene.parts).new


@apart
def test_nothing_is_automatic_that_the_team_did_not_allow(scene: Scene) -> None:
    settings = scene.parts.settings
    assert judge(found(scene), settings)[1] == ()
    because = {
        "severity": judge(found(scene, severity=3), settings),
        "archived": judge(found(scene, **_archived(scene)), settings),
        "account": judge(found(scene), settings.model_copy(update={"accounts": {}})),
        "allow-list": judge(
            found(scene), settings.model_copy(update={"automatic": Automatic(types=("X:Y/Z",))})
        ),
        "no play": judge(found(scene, type="Recon:IAMUser/MaliciousIPCaller"), settings),
    }
    for word, (_, why) in because.items():
        assert any(word in reason for reason in why), (word, why)


def _archived(scene: Scene) -> dict[str, Any]:
    made = service(scene, 1)
    made["service"]["archived"] = True
    return made


@apart
def test_without_settings_only_the_cautious_types_are_automatic(scene: Scene) -> None:
    settings = scene.parts.settings.model_copy(update={"automatic": None})
    assert policy(settings) != policy(scene.parts.settings)
    assert TYPE in policy(settings).allow_types


@apart
def test_a_finding_that_no_play_fits_opens_an_incident_without_one(scene: Scene) -> None:
    incident = scene.take(type="Recon:IAMUser/MaliciousIPCaller")
    assert incident.play == ""
    assert incident.hindrances


def by_hand(scene: Scene, **changes: Any) -> Any:
    estate = scene.estate
    aim = {"account": estate.account, "region": estate.region, "id": estate.target}
    given: dict[str, Any] = {"play": "compromised-instance", "reason": "beacon", "person": "alice"}
    given |= {k: changes.pop(k) for k in tuple(changes) if k in given}
    return open_by_hand(scene.parts, scene.store, target=aim | changes, **given)


@apart
def test_a_persons_word_opens_an_incident_that_acts(scene: Scene) -> None:
    incident = by_hand(scene)
    assert (incident.severity, incident.requester) == (Severity.P1, "alice")
    assert incident.hindrances == ()
    assert scene.kinds(incident) == ["case.open"]
    assert scene.entries(incident)[0].opening.actor == "alice"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"play": "no-such-play"}, "compromised-instance"),
        ({"play": "errors"}, "no play"),
        ({"id": "i-123"}, "hex digits"),
        ({"id": "i-00000000000000000\n"}, "hex digits"),
        ({"region": "eu-west-1.example.org/"}, "no region"),
        ({"account": "999988887777"}, "not in the settings"),
    ],
)
@apart
def test_what_a_person_misspells_opens_nothing(
    scene: Scene, wrong: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        by_hand(scene, **wrong)
    assert scene.store.read(store.incidents) == []


@apart
def test_a_reason_that_would_mislead_opens_nothing(scene: Scene) -> None:
    for reason in ("a\nINC-0001 contained", "a\u202eb", "x" * 501):
        with pytest.raises(IntakeError):
            by_hand(scene, reason=reason)
    assert scene.store.read(store.incidents) == []


def test_every_play_has_a_name_and_can_be_found() -> None:
    assert "compromised_instance" in plays.names()
    for name in plays.names():
        assert plays.find(name.replace("_", "-")).name == name.replace("_", "-")
