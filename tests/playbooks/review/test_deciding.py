"""Decisions count when they are somebody else's, about what is there now, and signed."""

import json
from dataclasses import replace
from typing import Any

import pytest

from evidence import ledger
from playbooks.case.record import Record
from playbooks.case.store import reviews as stored
from playbooks.case.store.reviews import ReviewRow
from playbooks.review import deciding
from playbooks.review.deciding import Choice
from playbooks.review.errors import DecisionError
from playbooks.wiring import people
from tests.playbooks.review.staff import allow, begin, decide, hire, rows_of
from tests.playbooks.scene import Scene, apart

ALICE = "user/alice"


def why(caught: Any) -> str:
    return "\n".join(caught.value.lines)


@apart
def test_a_decision_stands_in_the_row_and_signed_in_the_ledger(scene: Scene) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    assert decide(scene, review, "frank", (f"{ALICE} group/ops", "revoke")) == 1
    row = rows_of(scene, review)[f"{ALICE} group/ops"]
    assert row.decided is not None
    assert (row.decided.decision, row.decided.reviewer) == ("revoke", "frank")
    kinds = [e.leaf.kind for e in scene.store.read(lambda c: entries(c, review.id))]
    assert kinds == ["review.started", "artifact.stored", "review.opened", "review.decided"]
    (entry,) = [
        e for e in scene.store.read(lambda c: entries(c, review.id)) if "decided" in e.leaf.kind
    ]
    assert entry.opening.actor == "frank"
    known = people.known(scene.parts.settings)
    said = json.loads(
        deciding.jws.verify(entry.body["decisions"][0]["proof"], known, deciding.TYPE)
    )
    assert (said["row"], said["decision"], said["digest"]) == (row.id, "revoke", row.digest)


def entries(conn: Any, case: str) -> list[Any]:
    return list(ledger.entries(conn, case))


@pytest.mark.parametrize(
    ("by", "name", "said"),
    [
        ("alice", f"{ALICE} group/ops", "about yourself"),
        ("bob", f"{ALICE} key/1", "you own it"),
        ("carol", "group/ops inline/look", "member of the group"),
    ],
)
@apart
def test_nobody_decides_on_their_own(scene: Scene, by: str, name: str, said: str) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    with pytest.raises(DecisionError) as caught:
        decide(scene, review, by, (name, "keep"))
    assert said in why(caught)
    assert rows_of(scene, review)[name].decided is None


@apart
def test_by_another_name_it_is_their_own_too(scene: Scene) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    terms = scene.parts.settings.review.model_copy(update={"identities": {"zoe": ("Alice",)}})
    scene.set(review=terms)
    with pytest.raises(DecisionError) as caught:
        decide(scene, review, "zoe", (f"{ALICE} group/ops", "keep"))
    assert "about yourself" in why(caught)


@pytest.mark.parametrize("change", ["policy", "group policy", "deleted", "made again", "key off"])
@apart
def test_what_changed_since_it_was_listed_is_stale(scene: Scene, change: str) -> None:
    iam = scene.aws("iam")
    hire(iam)
    review = begin(scene)
    key = iam.list_access_keys(UserName="alice")["AccessKeyMetadata"][0]["AccessKeyId"]
    if change == "policy":
        iam.put_user_policy(
            UserName="alice", PolicyName="new", PolicyDocument=json.dumps(allow("s3:Get*"))
        )
    elif change == "group policy":
        iam.put_group_policy(
            GroupName="ops", PolicyName="look", PolicyDocument=json.dumps(allow("ec2:*"))
        )
    elif change == "key off":
        iam.update_access_key(UserName="alice", AccessKeyId=key, Status="Inactive")
    else:
        gone(iam, key)
        if change == "made again":
            iam.create_user(UserName="alice")
    name = f"{ALICE} group/ops" if change == "group policy" else f"{ALICE} key/1"
    with pytest.raises(DecisionError) as caught:
        decide(scene, review, "frank", (name, "keep"))
    assert "gone" in why(caught) or "changed since" in why(caught)


def gone(iam: Any, key: str) -> None:
    arn = iam.list_attached_user_policies(UserName="alice")["AttachedPolicies"][0]["PolicyArn"]
    iam.detach_user_policy(UserName="alice", PolicyArn=arn)
    iam.remove_user_from_group(GroupName="ops", UserName="alice")
    iam.delete_access_key(UserName="alice", AccessKeyId=key)
    iam.delete_login_profile(UserName="alice")
    iam.delete_user(UserName="alice")


@apart
def test_a_choice_that_cannot_be_made_spoils_all_of_them(scene: Scene) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    with pytest.raises(DecisionError) as caught:
        decide(
            scene, review, "frank", (f"{ALICE} group/ops", "keep"), (f"{ALICE} group/ops", "rotate")
        )
    assert "'rotate' cannot be decided of group/ops" in why(caught)
    assert rows_of(scene, review)[f"{ALICE} group/ops"].decided is None


@pytest.mark.parametrize("reason", ["", "  ", "=1+1", "a\nb", "x" * 501])
@apart
def test_a_decision_needs_a_reason_that_is_one(scene: Scene, reason: str) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    row = rows_of(scene, review)[f"{ALICE} group/ops"]
    with pytest.raises(DecisionError) as caught:
        deciding.check([Choice(row.id, "keep", reason)], {row.id: row}, frozenset(), {})
    assert "reason" in why(caught)


@pytest.mark.parametrize("part", ["key", "digest", "review", "row", "token"])
@apart
def test_a_signature_holds_for_one_row_as_it_is_and_one_person(scene: Scene, part: str) -> None:
    hire(scene.aws("iam"))
    review = begin(scene)
    row = rows_of(scene, review)[f"{ALICE} group/ops"]
    scene.person("frank")
    by = deciding.reviewer("frank", scene.person("mallory" if part == "key" else "frank"), {})
    told = replace(row, digest="0" * 64) if part == "digest" else row
    told = replace(told, id="0" * 16) if part == "row" else told
    name = "REV-9999" if part == "review" else review.id
    token = deciding.sign(name, told, Choice(row.id, "keep", "r"), by, scene.parts.now())
    token = token[:-4] + "AAAA" if part == "token" else token
    record = Record("frank", scene.parts.now, scene.parts.random)
    known = people.known(scene.parts.settings)
    with pytest.raises(DecisionError):
        deciding.take(scene.store, record, review.id, [token], known, {})
    assert rows_of(scene, review)[f"{ALICE} group/ops"].decided is None


@apart
def test_many_decisions_are_one_act_and_each_stands_in_the_ledger(scene: Scene) -> None:
    review = begin(scene)
    rows = [
        ReviewRow(f"{i:016x}", f"1/aws-global/user/u{i}", "key/1", "", None, (), "d" * 64)
        for i in range(200)
    ]
    scene.store.commit(lambda conn: stored.add_rows(conn, review.id, rows))
    by = deciding.reviewer("frank", scene.person("frank"), {})
    reason = "\N{GRINNING FACE}" * 500
    tokens = [
        deciding.sign(review.id, r, Choice(r.id, "keep", reason), by, scene.parts.now())
        for r in rows
    ]
    record = Record("frank", scene.parts.now, scene.parts.random)
    known = people.known(scene.parts.settings)
    assert deciding.take(scene.store, record, review.id, tokens, known, {}) == 200
    noted = [
        e for e in scene.store.read(lambda c: entries(c, review.id)) if "decided" in e.leaf.kind
    ]
    assert 1 < len(noted) < 200
    told = {d["row"]: d["proof"] for e in noted for d in e.body["decisions"]}
    assert told == dict(zip((r.id for r in rows), tokens, strict=True))
