"""Counsel confirms a rule by its text: a rule that changes afterwards is confirmed no longer."""

import dataclasses

import pytest

from playbooks.case.record import DEPLOYMENT
from playbooks.case.store import duties as stored
from playbooks.duties.errors import RuleError
from playbooks.duties.reading import Rulebook, shipped
from playbooks.notification.confirming import confirmed, rule_digest
from playbooks.notification.errors import EntryError
from playbooks.notification.recording import refresh
from tests.playbooks.notification.telling import BR, anchor, confirm, facts, few, say, seen
from tests.playbooks.notification.telling import ago as since
from tests.playbooks.scene import Scene, apart


def changed(book: Rulebook) -> Rulebook:
    """Return Brazil's rule with another deadline."""
    (home,) = book.jurisdictions
    (regime,) = home.regimes
    stages = tuple(
        dataclasses.replace(s, deadline=dataclasses.replace(s.deadline, value=2))
        for s in regime.stages
    )
    return Rulebook(
        (dataclasses.replace(home, regimes=(dataclasses.replace(regime, stages=stages),)),)
    )


@apart
def test_confirming_binds_and_a_changed_rule_unbinds(scene: Scene) -> None:
    incident = scene.take()
    facts(scene, incident)
    anchor(scene, incident, awareness_that_personal_data_affected=since(scene, hours=2))
    assert not seen(scene, incident).duties[BR].binding
    confirm(scene, BR)
    assert seen(scene, incident).duties[BR].binding
    assert not seen(scene, incident).duties["br-lgpd/individuals"].binding, "each for itself"
    now = refresh(scene.parts, scene.store, incident.id)
    assert now.clocks[BR].body["binding"] is True
    rows = scene.store.read(lambda conn: stored.duty_log(conn, DEPLOYMENT))
    book = changed(few("br-lgpd"))
    assert (BR in confirmed(rows, shipped()).duties, BR in confirmed(rows, book).duties) == (1, 0)
    assert confirmed(rows, book).changed[BR].by == "counsel"
    later = refresh(scene.parts, scene.store, incident.id, book)
    assert not later.duties[BR].binding
    entry = next(iter(scene.store.read(lambda c: stored.duty_log(c, DEPLOYMENT))))
    assert entry.proof


@apart
def test_what_is_confirmed_is_what_was_read(scene: Scene) -> None:
    book = changed(few("br-lgpd"))
    with pytest.raises(EntryError, match="reads otherwise"):
        say(scene, DEPLOYMENT, "confirmed", duty=BR, rule=digest_of(book))
    with pytest.raises(RuleError):
        say(scene, DEPLOYMENT, "confirmed", duty="no-such/x", rule="0" * 64)
    with pytest.raises(EntryError, match="cannot be recorded"):
        say(scene, DEPLOYMENT, "fact", facts={"persons": "3"})


@apart
def test_a_confirmation_is_withdrawn_by_a_later_word(scene: Scene) -> None:
    confirm(scene, BR)
    say(scene, DEPLOYMENT, "withdrawn", names=[BR])
    rows = scene.store.read(lambda conn: stored.duty_log(conn, DEPLOYMENT))
    assert confirmed(rows, shipped()).duties == frozenset()


def digest_of(book: Rulebook) -> str:
    regime = book.regime("br-lgpd")
    return rule_digest(regime, regime.stages[0])


def test_every_rule_has_a_digest_and_no_two_the_same() -> None:
    made = [rule_digest(r, s) for r in shipped().regimes() for s in r.stages]
    assert len(set(made)) == len(made)
