"""From decisions to acts: each by what is for it, all of a principal at once, none too late."""

import asyncio
import json
from typing import Any

import pytest

from playbooks.case import store
from playbooks.case.store import reviews as stored
from playbooks.review.applying import ROTATES, Batch, batch
from playbooks.review.closing import close
from playbooks.review.errors import ReviewError
from playbooks.review.outcome import IDLE, outcomes
from playbooks.wiring.rotation_terms import Credential, Rotation
from tests.playbooks.review.staff import allow, begin, decide, hire, rows_of
from tests.playbooks.scene import Scene, apart

ALICE, CAROL = "user/alice", "user/carol"


def decided(scene: Scene, review: Any, who: str, **choices: str) -> None:
    """Decide on all rows of one principal: by the kind of the privilege, else keep."""
    names = [n for n in rows_of(scene, review) if n.startswith(f"{who} ")]
    made = [(n, choices.get(n.split(" ", 1)[1].partition("/")[0], "keep")) for n in names]
    decide(scene, review, "frank", *made)


def ready(scene: Scene, review: Any) -> Batch:
    return asyncio.run(batch(scene.parts, scene.store, review.id, "erin"))


def acts(made: Batch) -> dict[str, Any]:
    """Return the fields of the acts of a batch by the action's name."""
    return {a["action"]: a["fields"] for o, _ in made.openings for a in o.alert.get("acts", [])}


@apart
def test_a_principal_waits_until_each_of_its_rows_is_decided(scene: Scene) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    decide(scene, review, "frank", (f"{CAROL} group/ops", "revoke"))
    made = ready(scene, review)
    assert made.openings == ()
    assert set(made.left.values()) == {"other rows of it are undecided"}
    decided(scene, review, CAROL, group="revoke")
    assert acts(ready(scene, review)).keys() == {"leave_groups"}


@apart
def test_a_principal_that_changed_since_it_was_decided_on_is_left_alone(scene: Scene) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    decided(scene, review, CAROL, group="revoke")
    decided(scene, review, ALICE, group="revoke")
    scene.aws("iam").put_user_policy(
        UserName="carol", PolicyName="x", PolicyDocument=json.dumps(allow("s3:*"))
    )
    made = ready(scene, review)
    assert acts(made)["leave_groups"]["principal"]["name"] == "alice"
    assert [why for why in made.left.values() if "changed since" in why]


@apart
def test_each_right_is_taken_away_by_what_is_for_it(scene: Scene) -> None:
    iam = scene.aws("iam")
    hire(iam)
    iam.create_user(UserName="idle")
    review = begin(scene)
    decided(scene, review, CAROL, policy="revoke", key="revoke")
    decided(scene, review, "user/idle", nothing="revoke")
    decided(scene, review, "role/deploy", trust="revoke", inline="reduce")
    decided(scene, review, "group/ops", inline="revoke")
    made = ready(scene, review)
    found = [(a["action"], a["fields"]) for o, _ in made.openings for a in o.alert["acts"]]
    names = sorted(name for name, _ in found)
    assert names == sorted(
        [
            *("deactivate_access_keys", "deny_principal", "detach_policies"),
            *("detach_policies", "detach_policies", "revoke_trust"),
        ]
    )
    held = sorted(f["holder"]["kind"] for n, f in found if n == "detach_policies")
    assert held == ["group", "role", "user"], "the role used nothing of it, so nothing is left"
    (opening,) = (o for o, _ in made.openings)
    assert "frank" in opening.hindrances[0]
    assert opening.requester == "frank", "who decided may not allow it too"


@apart
def test_where_several_decided_who_applies_asks_for_it(scene: Scene) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    decided(scene, review, CAROL, group="revoke")
    names = [n for n in rows_of(scene, review) if n.startswith(f"{ALICE} ")]
    decide(scene, review, "grace", *((n, "revoke" if "group" in n else "keep") for n in names))
    ((opening, _),) = ready(scene, review).openings
    assert opening.requester == "erin"
    assert "frank, grace" in opening.hindrances[0]


@pytest.mark.parametrize(("key", "told"), [("keep", True), ("revoke", False)])
@apart
def test_a_console_is_denied_only_to_one_who_keeps_no_key(
    scene: Scene, key: str, told: bool
) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    decided(scene, review, ALICE, console="revoke", key=key)
    made = ready(scene, review)
    assert ("deny_principal" in acts(made)) is not told
    assert any("delete the password by hand" in why for why in made.left.values()) is told


@apart
def test_a_key_is_rotated_where_it_is_declared_how(scene: Scene) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    decided(scene, review, CAROL, key="rotate")
    made = ready(scene, review)
    assert made.openings == ()
    assert "where a new one is to go is not known" in next(iter(made.left.values()))
    target = f"{scene.estate.account}/aws-global/user/carol"
    stored_at = f"{scene.estate.account}/{scene.estate.region}/secret/carol"
    one = Credential(kind="access_key", target=target, stored=stored_at)
    scene.set(rotation=Rotation(credentials={"carol": one}))
    ((opening, rows),) = ready(scene, review).openings
    assert (opening.play, opening.place) == (ROTATES, target)
    assert rows == (rows_of(scene, review)[f"{CAROL} key/1"].id,)


@apart
def test_what_is_being_carried_out_is_not_decided_or_done_again(scene: Scene) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    decided(scene, review, CAROL, group="revoke")
    incident = scene.take().id
    row = rows_of(scene, review)[f"{CAROL} group/ops"]
    assert state(scene, review, row.id) == IDLE
    scene.store.commit(lambda conn: stored.carry_row(conn, review.id, row.id, incident))
    assert state(scene, review, row.id) == IDLE, "that incident knows nothing of it"
    assert ready(scene, review).openings == ()
    with pytest.raises(ReviewError) as caught:
        decide(scene, review, "frank", (f"{CAROL} group/ops", "keep"))
    assert f"carried out by {incident}" in caught.value.lines[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", ["rolled-back", "refused", "partial"])
@apart
def test_what_was_undone_or_refused_is_decided_on_anew(scene: Scene, status: str) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    decided(scene, review, CAROL, group="revoke")
    incident = scene.take().id
    row = rows_of(scene, review)[f"{CAROL} group/ops"]
    scene.store.commit(lambda conn: stored.carry_row(conn, review.id, row.id, incident))
    scene.store.commit(lambda conn: store.set_status(conn, incident, status))
    if status == "partial":
        with pytest.raises(ReviewError):
            decide(scene, review, "frank", (f"{CAROL} group/ops", "revoke"))
        return
    made = ready(scene, review)
    assert (made.openings, list(made.left)) == ((), [row.id])
    assert decide(scene, review, "frank", (f"{CAROL} group/ops", "revoke")) == 1
    assert rows_of(scene, review)[f"{CAROL} group/ops"].incident == ""
    assert acts(ready(scene, review)).keys() == {"leave_groups"}


def state(scene: Scene, review: Any, id: str) -> str:
    rows = list(rows_of(scene, review).values())
    return scene.store.read(lambda conn: outcomes(conn, rows))[id].state


@apart
def test_a_closed_campaign_is_not_carried_out(scene: Scene) -> None:
    review = begin(scene)
    key = scene.person("erin")
    close(scene.parts, scene.store, review.id, "erin", key, "too late")
    with pytest.raises(ReviewError, match="closed"):
        ready(scene, review)
