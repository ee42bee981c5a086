"""Wherever it breaks off, entered again a rotation ends with one key, which consumers read."""

from typing import Any

import pytest

from tests.actions.aws.rotating import USER, hold, keys, text_of, who
from tests.actions.scene import mutates
from tests.playbooks.rotation.leaking import declare, enter, key_of_ci, opened, pass_time
from tests.playbooks.scene import Scene, apart

CALLS = [
    "TagUser",
    "CreateAccessKey",
    "PutSecretValue",
    "UpdateSecretVersionStage",
    "UpdateAccessKey",
    "DeleteAccessKey",
]


class Crash(BaseException):
    """The process ends here."""


def crash_after(s: Scene, nth: int) -> list[str]:
    """Let the process end after the nth call that changes AWS; return the calls made."""
    made: list[str] = []

    def after(model: Any, **_: Any) -> None:
        if mutates(model.name):
            made.append(model.name)
            if len(made) == nth:
                raise Crash(model.name)

    for service in ("iam", "secretsmanager"):
        s.aws(service).meta.events.register("after-call", after)
    return made


def lived(s: Scene, nth: int) -> list[str]:
    """Rotate, through a crash after the nth call; return all calls that were made."""
    made = crash_after(s, nth)

    def entered() -> None:
        try:
            enter(s, incident)
        except Crash:
            enter(s, incident)

    incident = opened(s, f"user/{USER}")
    entered()
    s.say(s.asked(incident))
    entered()
    pass_time(s, hours=25)
    entered()
    s.say(s.asked(incident))
    entered()
    assert s.now(incident).status == "done"
    return made


@apart
def test_these_are_the_calls_of_a_rotation(s: Scene) -> None:
    hold(s.world)
    declare(s, ci=key_of_ci(s))
    assert lived(s, 0) == CALLS


@pytest.mark.parametrize("nth", range(1, len(CALLS) + 1))
@apart
def test_a_crash_after_any_call_ends_with_one_key_that_consumers_read(s: Scene, nth: int) -> None:
    held = hold(s.world)
    declare(s, ci=key_of_ci(s))
    assert lived(s, nth)[: nth - 1] == CALLS[: nth - 1]
    [new] = keys(s.world).items()
    assert new == (text_of(s.world)["aws_access_key_id"], "Active")
    assert new[0] != held.key
    assert who(s.world, text_of(s.world)).endswith(USER)
