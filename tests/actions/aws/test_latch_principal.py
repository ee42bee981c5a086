"""The latch names whom it is told to, forgets nobody else, says its room, and gives all back."""

import json
from itertools import pairwise

import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from actions import engine
from actions.aws import latch
from actions.aws.clients import Aws
from actions.aws.latch_principal import LatchPrincipal
from actions.errors import ProviderError, TargetGoneError, UnfitError
from playbooks.drills.range.injectors import FailedCall, Throttle
from playbooks.drills.range.policy import Policies, Request, Verdict, decide
from tests.actions.aws.operating import Operator

ALLOW = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ALICE, BOB = (f"arn:aws:iam::111122223333:user/staff/{name}" for name in ("alice", "bob"))
X = "arn:aws:iam::444455556666:role/x"
# Any ARN that IAM can make: a path is of all characters from "!" on (CreateUser, Path).
ARNS = st.builds(
    "arn:aws:iam::{:012d}:{}/{}{}".format,
    st.integers(1, 10**12 - 1),
    st.sampled_from(["user", "role"]),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20).map(
        lambda path: f"{path}/" if path else ""
    ),
    st.text("abcXYZ019+=,.@_-", min_size=1, max_size=20),
)


def organised(world, content=None):
    """Make the account one of an organisation with a latch; return the latch's id."""
    org = world.client("organizations", world.admin)
    org.create_organization(FeatureSet="ALL")
    made = org.create_policy(
        Name="stanch-latch",
        Description="principals that may do nothing",
        Type="SERVICE_CONTROL_POLICY",
        Content=content or latch.packed(latch.document([])),
    )
    return made["Policy"]["PolicySummary"]["Id"]


def arrange(world, estate):
    return LatchPrincipal(world.account, organised(world), (ALICE, BOB))


def text(world, policy):
    found = world.client("organizations", world.admin).describe_policy(PolicyId=policy)
    return found["Policy"]["Content"]


def verdict(content, arn):
    request = Request("iam:GetRole", "*", {"aws:principalarn": (arn,)})
    return decide(request, Policies((ALLOW,), scps=((ALLOW, json.loads(content)),)))


@given(st.sets(ARNS, max_size=8), ARNS)
def test_the_document_denies_whom_it_names_and_nobody_else(named, other):
    content = latch.packed(latch.document(named))
    assert {verdict(content, arn) for arn in named} <= {Verdict.EXPLICIT_DENY}
    assert (verdict(content, other) is Verdict.ALLOW) == (other not in named)
    assert latch.latched(content) == tuple(sorted(named))


@given(st.sets(ARNS, max_size=6), ARNS, st.booleans())
def test_turning_one_leaves_every_other_and_the_list_is_never_empty(named, one, on):
    content = latch.turned(latch.packed(latch.document(named)), one, on=on)
    assert set(latch.latched(content)) == ({*named, one} if on else named - {one})
    [statement] = json.loads(content)["Statement"]
    assert statement["Condition"]["StringEquals"][latch.KEY] != []
    assert latch.turned(content, one, on=on) == content


@given(st.lists(st.tuples(ARNS, st.booleans()), max_size=8))
def test_the_order_of_turning_different_principals_does_not_matter(turns):
    once = dict(turns)
    one = other = latch.packed(latch.document([]))
    for arn, on in once.items():
        one = latch.turned(one, arn, on=on)
    for arn, on in reversed(once.items()):
        other = latch.turned(other, arn, on=on)
    assert one == other


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        json.dumps(ALLOW),
        latch.packed(latch.document([])).replace("Deny", "Allow"),
    ],
)
def test_what_is_no_latch_is_never_written(world, content):
    op = Operator(world)
    action = LatchPrincipal(world.account, organised(world, content), (ALICE,))
    with pytest.raises(UnfitError, match="stanch latch plan"):
        op.apply(action)
    assert text(world, action.policy) == content


def test_a_text_that_is_no_json_is_no_latch():
    with pytest.raises(UnfitError, match="not JSON"):
        latch.latched("no json")


def test_the_document_comes_back_as_it_was_with_other_incidents_still_in_it(world, op):
    before = latch.packed(latch.document([BOB]))
    action = LatchPrincipal(world.account, organised(world, before), (ALICE,))
    op.apply(action)
    assert latch.latched(text(world, action.policy)) == (ALICE, BOB)
    other = LatchPrincipal(world.account, action.policy, (X,))
    later = Operator(world)
    later.apply(other)
    op.undo(action)
    assert latch.latched(text(world, action.policy)) == (BOB, X)
    later.undo(other)
    assert text(world, action.policy) == before


def test_a_statement_of_somebody_elses_is_kept(world, op):
    mine = {"Sid": "Mine", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}
    whole = latch.document([])
    whole["Statement"].insert(0, mine)
    action = LatchPrincipal(world.account, organised(world, latch.packed(whole)), (ALICE,))
    op.apply(action)
    assert json.loads(text(world, action.policy))["Statement"][0] == mine
    op.undo(action)
    assert text(world, action.policy) == latch.packed(whole)


def test_a_full_latch_is_refused_beforehand_and_shows_its_room(world, op):
    held = [f"arn:aws:iam::111122223333:role/{n:04}" for n in range(3)]
    content = latch.packed(latch.document(held))
    policy = organised(world, content)
    action = LatchPrincipal(world.account, policy, (ALICE,), characters=len(content) + 10)
    with pytest.raises(UnfitError, match="names 3 principals and has room for 10 characters"):
        engine.plan(action, op.p)
    with pytest.raises(UnfitError):
        action.write(op.p, ALICE, True)
    assert text(world, policy) == content
    # One that is in it can be taken out, full or not.
    full = LatchPrincipal(world.account, policy, (held[0],), characters=10)
    full.write(op.p, held[0], None)
    assert latch.latched(text(world, policy)) == tuple(held[1:])


def test_the_plan_says_whom_a_role_stands_for_and_what_room_is_left(world, op):
    arn = "arn:aws:iam::111122223333:role/deploy"
    action = LatchPrincipal(world.account, organised(world), (arn, ALICE))
    whole, own, left = engine.plan(action, op.p).blast
    assert "every session of the role" in whole
    assert "federation tokens not" in own
    after = latch.packed(latch.document([arn, ALICE]))
    assert f"{latch.ROOM - len(after)} characters" in left


def test_the_room_in_principals_holds_that_many_usual_ones(world):
    content = latch.packed(latch.document([ALICE]))
    room = latch.room(content)
    assert room.characters + len(content) == latch.ROOM
    for n in range(room.principals):
        content = latch.turned(content, f"arn:aws:iam::111122223333:role/{n:039}", on=True)
    assert len(content) <= latch.ROOM
    assert latch.room(content, 10) == latch.Room(0, 0)


def test_a_document_that_another_writer_sends_between_write_and_look_is_not_believed(world, op):
    """The other had read before our write: its document lacks our principal."""
    action = LatchPrincipal(world.account, organised(world), (ALICE,))
    stale = latch.turned(text(world, action.policy), BOB, on=True)
    late = [stale, stale]

    def overwrite(**_):
        if late:
            world.client("organizations", world.admin).update_policy(
                PolicyId=action.policy, Content=late.pop()
            )

    op.p.organizations.meta.events.register("after-call.organizations.UpdatePolicy", overwrite)
    applied = op.apply(action)
    assert applied.verdict == "verified"
    assert late == []
    assert latch.latched(text(world, action.policy)) == (ALICE, BOB)


def test_a_principal_that_another_writer_drops_is_put_back(world, op):
    """Ours is the document that lacks theirs: what we saw before must be there after."""
    policy = organised(world, latch.packed(latch.document([BOB])))
    action = LatchPrincipal(world.account, policy, (ALICE,))

    def drop(**_):
        org = world.client("organizations", world.admin)
        org.update_policy(PolicyId=policy, Content=latch.packed(latch.document([ALICE])))

    op.p.organizations.meta.events.register("after-call.organizations.UpdatePolicy", drop)
    with pytest.raises(ProviderError, match="another writer") as caught:
        action.write(op.p, ALICE, True)
    assert caught.value.passing


def between(world, event, nth=1):
    """Let two incidents latch at once: the second does all it has to do at the first's event.

    Returns the second's action.
    """
    policy = organised(world)
    one, two = (LatchPrincipal(world.account, policy, (arn,)) for arn in (ALICE, BOB))
    first, second = Operator(world), Operator(world)
    seen = []

    def meanwhile(**_):
        seen.append(1)
        if len(seen) == nth:
            second.apply(two)

    first.p.organizations.meta.events.register(event, meanwhile)
    first.apply(one)
    assert len(seen) >= nth
    return two


@pytest.mark.parametrize("nth", [1, 2, 3, 5, 6])
def test_of_two_writers_neither_loses_its_principal(world, nth):
    """Before each look of the first: planning, twice; entering; after its write; verifying."""
    other = between(world, "before-call.organizations.DescribePolicy", nth)
    assert latch.latched(text(world, other.policy)) == (ALICE, BOB)


@pytest.mark.parametrize("fault", [Throttle(), FailedCall(), FailedCall(applied=True)])
def test_no_update_is_sent_again_without_a_look_in_between(world, fault, monkeypatch):
    """A client that retries by itself would send what it read before another writer came."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    retrying = Config(retries={"mode": "standard", "total_max_attempts": 4})
    op = Operator(world)
    client = world.session(world.admin).client("organizations", config=retrying)
    op.p = Aws(world.account, world.region, lambda service: client)
    action = LatchPrincipal(world.account, organised(world), (ALICE, BOB))
    start = len(world.calls)
    world.inject(fault, "UpdatePolicy", times=2)
    op.apply(action)
    calls = [c.operation for c in world.calls[start:]]
    assert calls.count("UpdatePolicy") >= 4
    assert not any(pair == ("UpdatePolicy", "UpdatePolicy") for pair in pairwise(calls))
    assert latch.latched(text(world, action.policy)) == (ALICE, BOB)


def test_a_writer_that_stalls_between_look_and_write_drops_what_was_verified_meanwhile(world):
    """The gap that AWS leaves, and how it is closed: whoever was dropped latches again."""
    other = between(world, "before-call.organizations.UpdatePolicy")
    assert latch.latched(text(world, other.policy)) == (ALICE,)
    Operator(world).apply(other)
    assert latch.latched(text(world, other.policy)) == (ALICE, BOB)


def test_a_principal_that_somebody_took_out_since_is_not_put_back_by_a_rollback(world, op):
    action = LatchPrincipal(world.account, organised(world), (ALICE, BOB))
    op.apply(action)
    content = latch.turned(text(world, action.policy), ALICE, on=False)
    world.client("organizations", world.admin).update_policy(
        PolicyId=action.policy, Content=content
    )
    assert op.undo(action).verdict == "verified"
    assert latch.latched(text(world, action.policy)) == ()


def test_a_policy_that_is_gone_says_so(world, op):
    organised(world)
    gone = LatchPrincipal(world.account, "p-0123456789", (ALICE,))
    with pytest.raises(TargetGoneError, match="stanch latch check"):
        engine.plan(gone, op.p)
