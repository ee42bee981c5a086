"""Whatever people try, in whatever order: the laws of custody hold over what took effect."""

import copy
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.custody.follow import CHECKED, FOUND, READ, STORED, follow, replay, what_stays
from evidence.custody.state import LOCKER, CaseCustody, Event
from evidence.custody.statement import DISPOSED, HOLD, RELEASE, RETAIN, TRANSFER
from evidence.errors import CustodyError
from evidence.leaf import stamp
from tests.evidence.custodians import CASE, START, Desk

DESK = Desk()
NAMES = ("alice", "bob", "carol", LOCKER)
ARTIFACTS = [f"{n:032x}" for n in range(3)]
SOME = st.lists(st.sampled_from(NAMES), min_size=1, max_size=2)
# Mostly as many as are wanted, else nearly nothing would take effect.
ONE, TWO = st.just(["alice"]) | SOME, st.just(["alice", "bob"]) | SOME
WHICH = st.lists(st.sampled_from(ARTIFACTS), min_size=1, max_size=3, unique=True).map(sorted)
FEW = st.lists(st.sampled_from(ARTIFACTS[:2]), min_size=1, max_size=1)
HOLDS = st.sampled_from(["H-1", "H-2"])
NAME = st.sampled_from(NAMES)
TRIES = st.one_of(
    st.tuples(st.just(STORED), st.sampled_from(ARTIFACTS)),
    st.tuples(st.just(HOLD), HOLDS, st.none() | FEW | WHICH, ONE),
    st.tuples(st.just(RELEASE), HOLDS, TWO),
    st.tuples(st.just(RETAIN), st.integers(-5, 60), st.none() | FEW | WHICH, ONE),
    # A giver of None is who holds the first of them; signers of None are giver and taker.
    st.tuples(st.just(TRANSFER), st.none() | NAME, NAME, FEW | WHICH, st.none() | SOME),
    st.tuples(st.just(DISPOSED), FEW | WHICH, TWO),
    st.tuples(st.just(READ), st.sampled_from(ARTIFACTS)),
    st.tuples(st.just(CHECKED), st.sampled_from(ARTIFACTS), st.sampled_from(FOUND)),
)
STORIES = st.lists(st.tuples(TRIES, st.integers(0, 20)), max_size=25)


# Most stories would have nothing to be about, did they not begin with two artifacts.
BEGINNING = [((STORED, ARTIFACTS[0]), 0), ((STORED, ARTIFACTS[1]), 0)]


@dataclass
class Told:
    """A story as far as it went: the state, what took effect, and what did not."""

    state: CaseCustody = field(default_factory=lambda: CaseCustody(CASE))
    taken: list[Event] = field(default_factory=list)
    refused: list[Event] = field(default_factory=list)


def stored(artifact_id):
    names = ("stored_sha256", "manifest_sha256")
    hashes = {name: name[:1].encode().hex() * 16 + artifact_id for name in names}
    return {"artifact_id": artifact_id, "name": "x", "size": "1", "sensitive": True} | hashes


def body_of(state, kind, args, at):
    if kind == STORED:
        return stored(*args)
    if kind == READ:
        return {"artifact_id": args[0], "reason": "triage"}
    if kind == CHECKED:
        sha256 = stored(args[0])["stored_sha256"]
        one = {"artifact_id": args[0], "stored_sha256": sha256, "found": args[1]}
        return {"checked": [one]}
    more, signers = said(state, kind, args, at)
    return DESK.body(kind, at, *signers, **more)


def said(state, kind, args, at):
    if kind == HOLD:
        return {"hold": args[0], "artifacts": args[1]}, args[2]
    if kind == RELEASE:
        return {"hold": args[0]}, args[1]
    if kind == RETAIN:
        return {"until": stamp(at + timedelta(days=args[0])), "artifacts": args[1]}, args[2]
    if kind == DISPOSED:
        kept = [what_stays(state.artifacts[a]) for a in args[0] if a in state.artifacts]
        kept = kept or [{n: v for n, v in stored(args[0][0]).items() if n in KEPT}]
        return {"kept": kept}, args[1]
    giver, taker, which, signers = args
    if giver is None:
        first = state.artifacts.get(which[0])
        giver = first.holder if first else LOCKER
    more = {"artifacts": which, "from": giver, "to": taker, "place": "room 4"}
    return more, [giver, taker] if signers is None else signers


KEPT = ("artifact_id", "stored_sha256", "manifest_sha256", "size")


def tell(story):
    """Yield the story after each try, with the state before it."""
    told, at = Told(), START
    for seq, ((kind, *args), days) in enumerate([*BEGINNING, *story]):
        at += timedelta(days=days, seconds=1)
        event = Event(kind, seq, "alice", stamp(at), body_of(told.state, kind, args, at))
        before = copy.deepcopy(told.state)
        try:
            follow(told.state, event)
        except CustodyError:
            told.refused.append(event)
        else:
            told.taken.append(event)
        yield before, event, told


def disposed(event):
    return {one["artifact_id"] for one in event.body["statement"]["kept"]}


def hold_by_hand(taken, artifact_id):
    """Say without the rules' own code whether a hold is in force on an artifact."""
    on = {}
    for event in taken:
        if event.kind == HOLD:
            on[event.body["statement"]["hold"]] = event.body["statement"]["artifacts"]
        if event.kind == RELEASE:
            del on[event.body["statement"]["hold"]]
    return any(which is None or artifact_id in which for which in on.values())


def kept_by_hand(taken, artifact_id):
    said = [e.body["statement"] for e in taken if e.kind == RETAIN]
    return max(
        (s["until"] for s in said if s["artifacts"] is None or artifact_id in s["artifacts"]),
        default="",
    )


@given(STORIES)
@settings(max_examples=80, deadline=None)
def test_nothing_is_disposed_of_under_a_hold_or_before_its_time_or_by_one(story):
    for _, event, told in tell(story):
        if event.kind == DISPOSED and event in told.taken:
            for one in disposed(event):
                assert not hold_by_hand(told.taken[:-1], one)
                assert kept_by_hand(told.taken[:-1], one) <= event.time
            assert len({s["name"] for s in event.body["signatures"]}) == 2


@given(STORIES)
@settings(max_examples=80, deadline=None)
def test_retention_never_shrinks_and_holds_are_what_was_set_and_not_released(story):
    for before, _, told in tell(story):
        for one, artifact in told.state.artifacts.items():
            now = told.state.retained_until(one) or ""
            assert now == kept_by_hand(told.taken, one)
            if one in before.artifacts:
                assert now >= (before.retained_until(one) or "")
            held = bool(told.state.holds_on(one))
            assert held == (hold_by_hand(told.taken, one) and not artifact.disposed)


@given(STORIES)
@settings(max_examples=80, deadline=None)
def test_a_chain_of_handovers_is_unbroken_and_begins_at_the_locker(story):
    for _, _, told in tell(story):
        for artifact in told.state.artifacts.values():
            hands = [LOCKER, *(t.taker for t in artifact.transfers)]
            assert [t.giver for t in artifact.transfers] == hands[:-1]
            assert artifact.holder == hands[-1]
            times = [artifact.stored_at, *(t.at for t in artifact.transfers)]
            assert times == sorted(times)
            assert all(t.giver != t.taker for t in artifact.transfers)


@given(STORIES)
@settings(max_examples=80, deadline=None)
def test_a_refused_entry_changes_nothing_and_nothing_follows_a_disposal(story):
    for before, event, told in tell(story):
        if event in told.refused:
            assert told.state == before
        for one, artifact in before.artifacts.items():
            if artifact.disposed and event.kind != CHECKED:
                assert told.state.artifacts[one] == artifact


@given(STORIES)
@settings(max_examples=60, deadline=None)
def test_a_replay_tells_what_took_effect_and_names_what_did_not(story):
    *_, (_, _, told) = tell(story)
    assert replay(CASE, told.taken) == told.state
    everything = replay(CASE, sorted([*told.taken, *told.refused], key=lambda e: e.seq))
    assert bool(everything.problems) == bool(told.refused)
    # What does not follow stops disposals, and so can only keep more than there was.
    for one, artifact in everything.artifacts.items():
        if artifact.disposed:
            assert told.state.artifacts[one].disposed


@given(STORIES)
@settings(max_examples=60, deadline=None)
def test_last_intact_is_the_newest_time_that_its_hash_was_seen(story):
    *_, (_, _, told) = tell(story)
    for one, artifact in told.state.artifacts.items():
        seen = [e.time for e in told.taken if e.kind == STORED and e.body["artifact_id"] == one]
        for event in told.taken:
            if event.kind == CHECKED:
                [member] = event.body["checked"]
                if member["artifact_id"] == one and member["found"] == "intact":
                    seen.append(event.time)
        assert artifact.last_intact == max(seen)


SIGNED = [
    (HOLD, {"hold": "H-9", "artifacts": [ARTIFACTS[0]]}, ["alice"]),
    (RETAIN, {"until": stamp(START + timedelta(days=9)), "artifacts": None}, ["bob"]),
    (RELEASE, {"hold": "H-1"}, ["alice", "bob"]),
    (
        TRANSFER,
        {"artifacts": ARTIFACTS[:1], "from": LOCKER, "to": "bob", "place": "room 4"},
        [LOCKER, "bob"],
    ),
    (
        DISPOSED,
        {"kept": [{n: v for n, v in stored(ARTIFACTS[1]).items() if n in KEPT}]},
        ["bob", "carol"],
    ),
]
OTHER = {
    "hold": "H-2",
    "artifacts": ARTIFACTS[2:],
    "until": stamp(START + timedelta(days=99)),
    "from": "carol",
    "to": "carol",
    "place": "elsewhere",
    "reason": "another",
    "at": stamp(START),
    "case": "cd" * 16,
    "kept": [{n: v for n, v in stored(ARTIFACTS[2]).items() if n in KEPT}],
}


def prepared():
    """Return a state in which each of `SIGNED` may take effect."""
    state = CaseCustody(CASE)
    for one in ARTIFACTS:
        follow(state, Event(STORED, 0, "stanch", stamp(START), stored(one)))
    for name in ("H-1", "H-2"):
        body = DESK.body(HOLD, START, "carol", hold=name, artifacts=ARTIFACTS[2:])
        follow(state, Event(HOLD, 1, "carol", stamp(START), body))
    return state


@pytest.mark.parametrize(("kind", "more", "signers"), SIGNED, ids=lambda v: v if v in FOUND else "")
def test_a_changed_member_a_missing_or_another_signature_is_refused(kind, more, signers):
    at = START + timedelta(seconds=9)

    def take(body):
        follow(prepared(), Event(kind, 9, "alice", stamp(at), body))

    whole = DESK.body(kind, at, *signers, **more)
    take(whole)
    for name in whole["statement"].keys() - {"schema", "kind"}:
        body = copy.deepcopy(whole)
        body["statement"][name] = OTHER[name]
        assert body["statement"] != whole["statement"]
        with pytest.raises(CustodyError, match="over another statement"):
            take(body)
    for number in range(len(signers)):
        body = copy.deepcopy(whole)
        del body["signatures"][number]
        with pytest.raises(CustodyError, match="signatures; expected"):
            take(body)
        body = copy.deepcopy(whole)
        token = body["signatures"][number]["token"]
        flipped = "A" if token[-9] != "A" else "B"
        body["signatures"][number]["token"] = token[:-9] + flipped + token[-8:]
        with pytest.raises(CustodyError, match="does not fit the token"):
            take(body)
        body = copy.deepcopy(whole)
        body["signatures"].append(body["signatures"][number])
        with pytest.raises(CustodyError, match="signed twice"):
            take(body)
    for member in ("statement", "signatures"):
        with pytest.raises(CustodyError):
            take({name: value for name, value in whole.items() if name != member})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
        max_leaves=8,
    ),
    st.sampled_from([STORED, READ, CHECKED, HOLD, RELEASE, RETAIN, TRANSFER, DISPOSED]),
    st.sampled_from(["statement", "signatures", "checked", "artifact_id", "reason", "all"]),
)
def test_a_hostile_body_is_refused_and_breaks_no_replay(value, kind, member):
    whole = DESK.body(HOLD, START, "alice", hold="H", artifacts=None) | stored(ARTIFACTS[0])
    body = value if member == "all" and isinstance(value, dict) else whole | {member: value}
    if kind not in (STORED, READ, CHECKED):
        body = {k: v for k, v in body.items() if k in ("statement", "signatures", member)}
    replay(CASE, [Event(kind, 0, "alice", stamp(START), body)])


def test_an_erased_body_is_told_and_not_taken_for_nothing():
    state = replay(CASE, [Event(HOLD, 4, "", stamp(START), None)])
    assert state.problems == [
        "entry 4 (hold.set): its body was erased, so what it did cannot be said"
    ]
