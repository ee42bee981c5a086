"""A rotation taken back: the old credential works and is read; what stays is said."""

from tests.actions.aws.rotating import USER, hold, keys, text_of, who
from tests.playbooks.case.test_undoing import undo
from tests.playbooks.rotation.leaking import (
    DATABASE,
    OLD,
    declare,
    enter,
    key_of_ci,
    master,
    opened,
    pass_time,
)
from tests.playbooks.rotation.test_passwords import lets_in, read
from tests.playbooks.scene import apart


def taken_back(s, incident) -> None:
    assert str(undo(s, incident)).startswith("Q-")
    question = next(q for q in reversed(s.questions(incident)) if q.step.startswith("rollback/"))
    s.say(question)
    undo(s, incident)


@apart
def test_the_old_key_works_and_is_read_again_and_the_new_one_is_said_to_stay(s):
    held = hold(s.world)
    before = text_of(s.world)
    declare(s, ci=key_of_ci(s))
    incident = opened(s, f"user/{USER}")
    enter(s, incident)
    new = text_of(s.world)["aws_access_key_id"]
    s.say(s.asked(incident))
    enter(s, incident)
    taken_back(s, incident)
    assert text_of(s.world) == before
    assert who(s.world, before).endswith(USER)
    assert keys(s.world) == {held.key: "Active", new: "Active"}
    assert s.now(incident).status == "rolled-back"


@apart
def test_after_a_rollback_it_can_be_rotated_again_and_the_abandoned_key_makes_room(s):
    held = hold(s.world)
    declare(s, ci=key_of_ci(s))
    first = opened(s, f"user/{USER}")
    enter(s, first)
    abandoned = text_of(s.world)["aws_access_key_id"]
    who(s.world, text_of(s.world))
    taken_back(s, first)
    pass_time(s, minutes=20)
    who(s.world, text_of(s.world))
    second = opened(s, f"user/{USER}")
    assert enter(s, second).state == "Waiting"
    asked = s.asked(second)
    assert abandoned in " ".join(asked.scopes[0]["lost"])
    s.say(asked)
    assert enter(s, second).state == "Waiting"
    new = text_of(s.world)["aws_access_key_id"]
    assert new not in (held.key, abandoned)
    assert keys(s.world) == {held.key: "Active", new: "Active"}


@apart
def test_a_database_takes_its_old_password_back(s):
    declare(s, db=master(s))
    incident = opened(s, f"database/{DATABASE}", s.world.region)
    enter(s, incident)
    assert not lets_in(s, OLD)
    taken_back(s, incident)
    assert read(s) == OLD
    assert lets_in(s, OLD)
    assert s.now(incident).status == "rolled-back"
