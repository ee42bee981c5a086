"""A store that locks objects is told what the ledger says, and asked whether it did."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from evidence.custody.follow import STORED, follow
from evidence.custody.locks import settle
from evidence.custody.state import CaseCustody, Event
from evidence.custody.statement import HOLD, RELEASE, RETAIN
from evidence.errors import LockerError
from evidence.leaf import stamp
from tests.evidence.custodians import CASE, START, Desk
from tests.evidence.test_custody_laws import ARTIFACTS, stored

DESK = Desk()


@dataclass
class Shelf:
    """A store with the locks that S3 Object Lock has: retention there only extends, too."""

    held: set[str] = field(default_factory=set)
    until: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    deaf: bool = False

    def set_hold(self, sha256, on):
        self.calls += 1
        if not self.deaf:
            (self.held.add if on else self.held.discard)(sha256)

    def hold(self, sha256):
        return sha256 in self.held

    def retain(self, sha256, until):
        self.calls += 1
        assert until > self.until.get(sha256, "")
        if not self.deaf:
            self.until[sha256] = until

    def retained(self, sha256):
        return self.until.get(sha256)


@pytest.fixture
def state():
    made = CaseCustody(CASE)
    for one in ARTIFACTS:
        follow(made, Event(STORED, 0, "stanch", stamp(START), stored(one)))
    return made


def take(state, kind, *signers, **more):
    follow(state, Event(kind, 9, "a", stamp(START), DESK.body(kind, START, *signers, **more)))


def hashes(*artifacts):
    """The objects of these artifacts: what is stored, and their manifests."""
    bodies = [stored(one) for one in artifacts]
    return {body[member] for body in bodies for member in ("stored_sha256", "manifest_sha256")}


def test_a_store_follows_the_ledger_and_is_told_only_what_differs(state):
    shelf = Shelf()
    until = stamp(START + timedelta(days=9))
    take(state, HOLD, "alice", hold="H-1", artifacts=ARTIFACTS[:1])
    take(state, RETAIN, "alice", until=until, artifacts=None)
    assert settle(state, shelf) == []
    assert shelf.held == hashes(ARTIFACTS[0])
    assert shelf.until == dict.fromkeys(hashes(*ARTIFACTS), until)
    before = shelf.calls
    assert settle(state, shelf) == []
    assert shelf.calls == before
    take(state, RELEASE, "alice", "bob", hold="H-1")
    assert settle(state, shelf) == []
    assert shelf.held == set()


def test_what_is_under_two_holds_stays_held_until_both_are_released(state):
    shelf = Shelf()
    for name in ("H-1", "H-2"):
        take(state, HOLD, "alice", hold=name, artifacts=ARTIFACTS[:1])
    for name, held in (("H-1", hashes(ARTIFACTS[0])), ("H-2", set())):
        take(state, RELEASE, "alice", "bob", hold=name)
        assert settle(state, shelf) == []
        assert shelf.held == held


def test_a_store_that_does_not_do_as_told_is_named(state):
    take(state, HOLD, "alice", hold="H-1", artifacts=ARTIFACTS[:1])
    until = stamp(START + timedelta(days=9))
    take(state, RETAIN, "alice", until=until, artifacts=ARTIFACTS[1:2])
    found = settle(state, Shelf(deaf=True))
    assert [(one.artifact_id, one.what) for one in found] == [
        (ARTIFACTS[0], "what is stored is to be under hold"),
        (ARTIFACTS[0], "its manifest is to be under hold"),
        (ARTIFACTS[1], f"what is stored is to be kept until {until}"),
        (ARTIFACTS[1], f"its manifest is to be kept until {until}"),
    ]


def test_what_a_crash_kept_from_the_store_is_made_good_by_settling_again(state):
    """The entry was committed, the store never told; a hold that was released is taken off."""
    shelf = Shelf(held=hashes(ARTIFACTS[2]))
    take(state, HOLD, "alice", hold="H-1", artifacts=ARTIFACTS[:1])
    take(state, HOLD, "alice", hold="H-2", artifacts=None)
    take(state, RELEASE, "alice", "bob", hold="H-2")
    assert settle(state, shelf) == []
    assert shelf.held == hashes(ARTIFACTS[0])
    longer = stamp(START + timedelta(days=99))
    shelf.until = dict.fromkeys(hashes(*ARTIFACTS), longer)
    take(state, RETAIN, "alice", until=stamp(START + timedelta(days=9)), artifacts=None)
    assert settle(state, shelf) == []
    assert set(shelf.until.values()) == {longer}


def test_a_hold_that_somebody_set_in_the_store_itself_is_named_and_stays(state):
    shelf = Shelf(held=hashes(ARTIFACTS[2]))
    take(state, HOLD, "alice", hold="H-1", artifacts=ARTIFACTS[:1])
    take(state, RELEASE, "alice", "bob", hold="H-1")
    assert [(one.artifact_id, one.what) for one in settle(state, shelf)] == [
        (ARTIFACTS[2], f"{what} is under a hold that no entry set")
        for what in ("what is stored", "its manifest")
    ]
    assert shelf.held == hashes(ARTIFACTS[2])


def test_what_is_not_in_the_store_is_named_and_keeps_no_other_from_being_locked(state):
    class Lacking(Shelf):
        def hold(self, sha256):
            if sha256 in hashes(ARTIFACTS[0]):
                raise LockerError("is not in the bucket")
            return super().hold(sha256)

    shelf = Lacking()
    take(state, HOLD, "alice", hold="H-1", artifacts=None)
    assert [(one.artifact_id, one.what) for one in settle(state, shelf)] == [
        (ARTIFACTS[0], f"{what} cannot be locked: is not in the bucket")
        for what in ("what is stored", "its manifest")
    ]
    assert shelf.held == hashes(*ARTIFACTS[1:])


def test_bytes_that_are_evidence_in_another_case_too_stay_held_for_it(state):
    other = CaseCustody("cd" * 16)
    follow(other, Event(STORED, 0, "stanch", stamp(START), stored(ARTIFACTS[0])))
    said = {"hold": "H-9", "artifacts": None}
    body = Desk("cd" * 16).body(HOLD, START, "alice", **said)
    follow(other, Event(HOLD, 1, "a", stamp(START), body))
    shelf = Shelf(held=hashes(ARTIFACTS[0]))
    take(state, HOLD, "alice", hold="H-1", artifacts=ARTIFACTS[:1])
    take(state, RELEASE, "alice", "bob", hold="H-1")
    assert settle(state, shelf, lambda: [state, other]) == []
    assert shelf.held == hashes(ARTIFACTS[0])
    body = Desk("cd" * 16).body(RELEASE, START, "alice", "bob", hold="H-9")
    follow(other, Event(RELEASE, 2, "a", stamp(START), body))
    assert settle(other, shelf, lambda: [state, other]) == []
    assert shelf.held == set()
