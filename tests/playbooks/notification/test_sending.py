"""A sending is a person's word: it closes the clock as the rule says, and flags what was wrong."""

import pytest

from playbooks.duties.errors import OrderError
from playbooks.notification import ordering
from playbooks.notification.checklist import checklist
from playbooks.notification.looking import Look
from tests.playbooks.notification.telling import (
    IA,
    IA_AG,
    MD,
    MD_AG,
    ago,
    anchor,
    facts,
    say,
    seen,
)
from tests.playbooks.scene import Scene, apart

BANK = "us-bank-36h/regulator"


def known(scene: Scene, **more: str):
    incident = scene.take()
    facts(scene, incident, **more)
    anchor(scene, incident, discovery=ago(scene, days=2))
    return incident


def release(now: Look, duty: str) -> None:
    ordering.refuse(now.duties[duty], now.duties, now.done)


@apart
def test_a_sending_closes_the_clock_and_starts_those_that_wait_for_it(scene: Scene) -> None:
    incident = known(scene)
    assert seen(scene, incident).clocks[IA_AG].body["status"] == "not_started"
    made = say(scene, incident, "sent", duty=IA, sent=ago(scene, hours=1), how="by post")
    clock = seen(scene, incident).clocks[IA]
    assert (clock.state, clock.closed_how, clock.body["flags"]) == ("closed", "sent", [])
    assert made.moved.differences[IA_AG][0] == "started"
    assert seen(scene, incident).clocks[IA_AG].body["status"] == "due"
    entry = next(e for e in scene.entries(incident) if e.leaf.kind == "duty.sent")
    assert entry.body["how"] == "by post"
    assert entry.leaf.event_time < entry.leaf.record_time


@pytest.mark.parametrize(("id", "first"), [("us-md", MD_AG), ("us-nj", "us-nj/state_regulator")])
@apart
def test_a_letter_is_not_released_before_the_one_that_the_law_wants_first(
    scene: Scene, id: str, first: str
) -> None:
    incident = known(scene, residents__NJ="40")
    duty = f"{id}/individuals"
    assert seen(scene, incident).duties[first].applies.truth is not False
    with pytest.raises(OrderError, match=first):
        release(seen(scene, incident), duty)
    release(seen(scene, incident), first)
    say(scene, incident, "sent", duty=first, sent=ago(scene, hours=3))
    release(seen(scene, incident), duty)
    say(scene, incident, "sent", duty=duty, sent=ago(scene, hours=1))
    assert seen(scene, incident).standing(duty).flags == ()


@apart
def test_a_sending_out_of_order_is_recorded_and_flagged(scene: Scene) -> None:
    incident = known(scene)
    say(scene, incident, "sent", duty=MD, sent=ago(scene, hours=3))
    now = seen(scene, incident)
    assert (now.clocks[MD].state, now.standing(MD).flags) == (
        "closed",
        (f"out of order: {MD_AG} first",),
    )
    say(scene, incident, "sent", duty=MD_AG, sent=ago(scene, hours=1))
    assert seen(scene, incident).standing(MD).flags, "told later is told too late"
    say(scene, incident, "sent", duty=MD_AG, sent=ago(scene, hours=5))
    assert seen(scene, incident).standing(MD).flags == (), "it had gone out before, as is now known"


@apart
def test_what_must_be_received_stays_open_until_it_was(scene: Scene) -> None:
    incident = known(scene)
    say(scene, incident, "sent", duty=BANK, sent=ago(scene, hours=3))
    assert seen(scene, incident).clocks[BANK].state == "awaiting_receipt"
    say(scene, incident, "sent", duty=BANK, received=ago(scene, hours=2))
    clock = seen(scene, incident).clocks[BANK]
    assert (clock.state, clock.closed_how) == ("closed", "received")


@apart
def test_what_must_be_acknowledged_is_not_done_by_being_received(scene: Scene) -> None:
    incident = known(scene)
    duty = "us-tx/state_regulator"
    sent = {"sent": ago(scene, hours=3), "received": ago(scene, hours=3)}
    say(scene, incident, "sent", duty=duty, **sent)
    assert seen(scene, incident).clocks[duty].state == "awaiting_receipt"
    say(scene, incident, "sent", duty=duty, acknowledged=ago(scene, hours=1))
    assert seen(scene, incident).clocks[duty].closed_how == "acknowledged"


@apart
def test_a_late_sending_is_flagged_and_asked_for_its_reason(scene: Scene) -> None:
    incident = scene.take()
    facts(scene, incident)
    anchor(scene, incident, discovery=ago(scene, days=90))
    say(scene, incident, "sent", duty=MD_AG, sent=ago(scene, hours=2))
    say(scene, incident, "sent", duty=MD, sent=ago(scene, hours=1))
    late, asked = seen(scene, incident).standing(MD).flags
    assert late.startswith("late: lawful until")
    assert "reason for the delay" in asked
    say(scene, incident, "checklist", duty=MD, items={"delay_reason": "the list was late"})
    assert seen(scene, incident).standing(MD).flags == (late,)


@apart
def test_a_wrong_sending_is_withdrawn_and_the_clock_is_open_again(scene: Scene) -> None:
    incident = known(scene)
    say(scene, incident, "sent", duty=IA, sent=ago(scene, hours=1))
    say(scene, incident, "withdrawn", names=["us-ia/stage:individuals"])
    now = seen(scene, incident)
    assert now.clocks[IA].state == "open"
    assert now.clocks[IA_AG].body["status"] == "not_started"
    assert now.clocks[IA].closed is None


@apart
def test_the_checklist_asks_for_what_this_duty_needs(scene: Scene) -> None:
    incident = known(scene, residents__CT="5", residents__IA="501")
    now = seen(scene, incident)

    def items(duty: str) -> dict[str, bool]:
        look = seen(scene, incident)
        flags = look.standing(duty).flags
        found = checklist(look.duties[duty], look.done.of(duty), flags, look.known.facts)
        return {item.name: item.done for item in found}

    assert items(IA) == dict.fromkeys(("owner", "evidence", "justification", "sign_off"), False)
    assert "credit_monitoring" in items("us-ct/individuals")
    assert "credit_monitoring" not in items("us-ct/state_regulator")
    assert now.duties["us-ct/individuals"].regime.credit_monitoring
    say(scene, incident, "checklist", duty=IA, items={"owner": "alice", "sign_off": "yes"})
    proof = "a" * 64
    say(scene, incident, "sent", duty=IA, sent=ago(scene, hours=1), proof=proof)
    done = items(IA)
    assert (done["owner"], done["evidence"], done["justification"]) == (True, True, False)
    say(scene, incident, "fact", facts={"data": "health"})
    assert "credit_monitoring" not in items("us-ct/individuals")
