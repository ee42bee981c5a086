"""Stopped after any call that changed the world, a review goes on, and all of it can be undone."""

import asyncio
from typing import Any

import pytest

from playbooks.case import undoing, way_back
from playbooks.case.answers import Waiting
from playbooks.drills.range.keys import Credentials
from playbooks.review.outcome import DONE, UNDONE, outcomes
from tests.actions.scene import mutates
from tests.playbooks.review.carrying import carry_out, enter
from tests.playbooks.review.staff import begin, decide, hire, rows_of
from tests.playbooks.scene import Scene, apart

CHOICES = {"group": "revoke", "policy": "reduce", "key": "revoke", "trust": "revoke"}
# PutUserPolicy, DetachUserPolicy, RemoveUserFromGroup, UpdateAccessKey, UpdateAssumeRolePolicy.
CALLS = 5


class Died(BaseException):
    """The process is gone."""


def allowed(scene: Scene) -> tuple[Any, Any]:
    """Decide on carol and the role, and let a second person allow it; nothing is done yet."""
    hire(scene.aws("iam"))
    scene.aws("iam").delete_group_policy(GroupName="ops", PolicyName="look")
    scene.person("erin")
    use(scene)
    review = begin(scene)
    names = [n for n in rows_of(scene, review) if n.startswith(("user/carol ", "role/deploy "))]
    kinds = {n: n.split(" ", 1)[1].partition("/")[0] for n in names}
    decide(scene, review, "frank", *((n, CHOICES.get(kinds[n], "keep")) for n in names))
    incident = carry_out(scene, review)
    assert enter(scene, incident).state == "Waiting"
    scene.say(scene.asked(incident))
    return review, incident


def use(scene: Scene) -> None:
    """Let carol list buckets, so that a policy is left of hers."""
    made = scene.aws("iam").list_access_keys(UserName="carol")["AccessKeyMetadata"][0]
    key = next(
        k
        for k in scene.world.ground.iam(scene.estate.account).access_keys.values()
        if k.access_key_id == made["AccessKeyId"]
    )
    held = Credentials(key.access_key_id, key.secret_access_key)
    scene.world.client("s3", held).list_buckets()


def states(scene: Scene, review: Any) -> set[str]:
    rows = [r for r in rows_of(scene, review).values() if r.incident]
    return {one.state for one in scene.store.read(lambda c: outcomes(c, rows)).values()}


@pytest.mark.parametrize("nth", range(1, CALLS + 1))
@apart
def test_after_any_call_it_goes_on_and_goes_back(scene: Scene, nth: int) -> None:
    review, incident = allowed(scene)
    before = scene.world.digest()
    seen: list[str] = []

    def die(model: Any, **_: Any) -> None:
        if mutates(model.name):
            seen.append(model.name)
            if len(seen) == nth:
                raise Died

    events = scene.aws("iam").meta.events
    events.register("after-call.iam", die)
    with pytest.raises(Died):
        enter(scene, incident)
    assert enter(scene, incident).status == "done"
    assert states(scene, review) == {DONE}
    assert len(set(seen)) == CALLS
    events.unregister("after-call.iam", die)
    assert back(scene, incident).startswith("Q-")
    scene.say(scene.asked(incident), by="grace")
    back(scene, incident)
    assert scene.world.digest() == before
    assert states(scene, review) == {UNDONE}


def back(scene: Scene, incident: Any) -> Any:
    """Ask for the rollback, or do it once it was allowed."""
    case = scene.case(incident)

    async def work() -> Any:
        try:
            return await way_back.go_back(case, await undoing.plan(case, None), "erin", None)
        except Waiting as waiting:
            return waiting.question

    return asyncio.run(work())
