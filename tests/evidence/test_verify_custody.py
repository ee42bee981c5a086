"""The verifier judges custody: who signed, what follows, and what may rightly be gone."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from evidence import bag, jws, ledger
from evidence.canonical import canonical
from evidence.custody.statement import DISPOSED, HOLD, RELEASE, RETAIN, TRANSFER
from evidence.jws_token import take_apart
from evidence.keys import public_jwk
from evidence.leaf import stamp
from evidence.manifest import TYP
from evidence.verify import verify_bundle
from tests.evidence.chamber import CASE, USER_DATA, Chamber, describe
from tests.evidence.custodians import KEYS, PEOPLE, Desk
from tests.evidence.forgery import rebag, restate
from tests.evidence.second.check import verify

PINNED = {name: public_jwk(key) for name, key in PEOPLE.items()}
STAYS = ("artifact_id", "stored_sha256", "manifest_sha256", "size")


class Story:
    """A case with an artifact in the clear and a sealed one, whatever people sign about them."""

    def __init__(self, chamber: Chamber) -> None:
        self.chamber = chamber
        chamber.say("case.open", {"finding": "x"})
        self.plain, self.sealed = chamber.keep(describe(1)), chamber.keep(USER_DATA)
        with chamber.begin() as conn:
            self.desk = Desk(ledger.pseudonym(conn, CASE))

    def body(self, kind: str, *signers: str, **more: Any) -> dict[str, Any]:
        return self.desk.body(kind, self.chamber.now, *signers, **more)

    def sign(self, kind: str, *signers: str, **more: Any) -> int:
        """Record what they sign, whether it follows or not, and return its place in the case."""
        return self.chamber.say(kind, self.body(kind, *signers, **more)).case_seq

    def hold(self, name: str = "H-1", *signers: str, of: list[str] | None = None) -> int:
        return self.sign(HOLD, *(signers or ("alice",)), hold=name, artifacts=of)

    def dispose(self, of: dict[str, Any], *signers: str) -> int:
        kept = [{name: of[name] for name in STAYS}]
        return self.sign(DISPOSED, *(signers or ("alice", "bob")), kept=kept)

    def hand(self, giver: str, taker: str, *signers: str) -> int:
        of = [self.plain["artifact_id"]]
        said = {"artifacts": of, "from": giver, "to": taker, "place": "Room 2"}
        return self.sign(TRANSFER, *(signers or (giver, taker)), **said)

    def export(self, name: str = "bundle") -> Path:
        self.chamber.integrate()
        return self.chamber.export(name)

    def trust(self, people: object = PINNED) -> dict[str, Any]:
        return self.chamber.trust | {"people": people}

    def codes(self, people: object = PINNED) -> tuple[int, int]:
        bundle = self.export()
        trust = self.trust(people)
        return int(verify_bundle(bundle, trust).exit_code), verify(bundle, trust).code


@pytest.fixture
def story(chamber: Chamber) -> Story:
    return Story(chamber)


def a_whole_life(story: Story) -> None:
    story.hold()
    story.hand("stanch", "alice")
    story.hand("alice", "carol")
    until = stamp(story.chamber.now + timedelta(seconds=3))
    story.sign(RETAIN, "bob", until=until, artifacts=[story.sealed["artifact_id"]])
    story.sign(RELEASE, "bob", "carol", hold="H-1")
    read = {"artifact_id": story.plain["artifact_id"], "reason": "triage"}
    story.chamber.say("access.read", read)
    found = {name: story.plain[name] for name in ("artifact_id", "stored_sha256")}
    story.chamber.say("verify.result", {"checked": [found | {"found": "intact"}]})
    story.chamber.now += timedelta(minutes=1)
    story.dispose(story.sealed)
    story.hold("H-2")


def test_a_custody_that_keeps_the_rules_is_told_in_one_line(story):
    a_whole_life(story)
    assert story.codes() == (3, 3)
    verdict = verify_bundle(story.chamber.folder / "bundle", story.trust())
    assert verdict.custody.signers == ("alice", "bob", "carol", "stanch")
    said = (
        "custody: 7 statements signed by alice, bob, carol, stanch; 1 holds in force, 1 artifacts"
    )
    assert str(verdict.custody) == f"{said} disposed of"
    assert ("custody", True, 7) in [(c.name, c.ok, c.count) for c in verdict.checks]
    assert "unpinned" not in verdict.status


def test_the_command_tells_it(story):
    story.hold()
    bundle, path = story.export(), story.chamber.folder / "trust.json"
    path.write_text(json.dumps(story.trust({"bob": PINNED["bob"]})))
    command = [sys.executable, "-m", "evidence", "verify", str(bundle), "--trust", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "custody: 1 statements signed by alice; 1 holds in force, 0 artifacts" in done.stdout
    assert "unpinned: the keys of these" in done.stdout
    assert "from the operator: alice. Get their keys" in done.stdout


@pytest.mark.parametrize(
    ("people", "unpinned"),
    [
        ({}, ("alice", "bob", "stanch")),
        ({"alice": PINNED["alice"]}, ("bob", "stanch")),
        (PINNED, ()),
    ],
    ids=["nobody", "one", "all"],
)
def test_keys_that_only_the_ledger_names_keep_a_bundle_from_being_valid(story, people, unpinned):
    story.hold()
    story.hand("stanch", "bob")
    bundle = story.export()
    verdict = verify_bundle(bundle, story.trust(people))
    assert verdict.exit_code == verify(bundle, story.trust(people)).code == 3
    assert verdict.custody.unpinned == unpinned
    assert ("unpinned" in verdict.status) is bool(unpinned)


def test_the_locker_is_known_by_the_manifest_key(story, monkeypatch):
    monkeypatch.setitem(KEYS, "stanch", story.chamber.signer.key)
    story.hand("stanch", "bob")
    verdict = verify_bundle(story.export(), story.trust({"bob": PINNED["bob"]}))
    assert (verdict.exit_code, verdict.custody.unpinned) == (3, ())


def test_a_signature_with_another_key_than_the_pinned_one_is_caught(story):
    place = story.hold()
    bundle = story.export()
    trust = story.trust({"alice": PINNED["bob"]})
    verdict = verify_bundle(bundle, trust)
    assert (verdict.exit_code, verify(bundle, trust).code) == (1, 1)
    (problem,) = verdict.problems
    assert f"ledger entry {place}: breaks a rule of custody: is signed as alice" in problem.what


@pytest.mark.parametrize(
    "people",
    [[], {"alice": 1}, {"alice": {}}, {"alice": PINNED["bob"], "bob": PINNED["bob"]}],
    ids=["a list", "a number", "no key", "one key of two"],
)
def test_malformed_people_are_a_malformed_trust_input(story, people):
    assert story.codes(people) == (4, 4)


def forge(story: Story, kind: str, change: Callable[[dict[str, Any]], object], **more: Any) -> None:
    body = story.body(kind, "alice", **more)
    change(body)
    story.chamber.say(kind, body)


def steal(body: dict[str, Any]) -> None:
    body["statement"]["reason"] = "something else"


def retain_twice(story: Story) -> None:
    for seconds in (900, 600):
        until = stamp(story.chamber.now + timedelta(seconds=seconds))
        story.sign(RETAIN, "bob", until=until, artifacts=None)


def under_retention(story: Story) -> None:
    until = stamp(story.chamber.now + timedelta(days=30))
    story.sign(RETAIN, "bob", until=until, artifacts=None)
    story.dispose(story.sealed)


def read_without_reason(story: Story) -> None:
    story.chamber.say("access.read", {"artifact_id": story.plain["artifact_id"], "reason": " "})


def check_another(story: Story) -> None:
    one = {"artifact_id": story.plain["artifact_id"], "stored_sha256": "ab" * 32, "found": "intact"}
    story.chamber.say("verify.result", {"checked": [one]})


def late(story: Story) -> None:
    body = story.body(HOLD, "alice", hold="H-1", artifacts=None)
    story.chamber.now += timedelta(days=8)
    story.chamber.say(HOLD, body)


def again(story: Story) -> None:
    body = story.body(RETAIN, "alice", until="2030-01-01T00:00:00.000000Z", artifacts=None)
    story.chamber.say(RETAIN, body)
    story.chamber.say(RETAIN, body)


def two_manifests(story: Story) -> None:
    chamber, said = story.chamber, story.plain
    token = chamber.locker.read(said["manifest_sha256"]).decode()
    payload = json.loads(take_apart(token, TYP).payload) | {"name": "another"}
    other = jws.sign(canonical(payload), chamber.signer.key, chamber.signer.kid, TYP)
    stored = chamber.locker.put(other.encode())
    chamber.say("artifact.stored", said | {"name": "another", "manifest_sha256": stored.sha256})


BROKEN: dict[str, tuple[Callable[[Story], object], str]] = {
    "release by one": (
        lambda s: (s.hold(), s.sign(RELEASE, "bob", hold="H-1")),
        "hold.release has 1 signatures; expected 2 of different people",
    ),
    "release by the same twice": (
        lambda s: (s.hold(), s.sign(RELEASE, "bob", "bob", hold="H-1")),
        "hold.release: bob signed twice",
    ),
    "release of no hold": (
        lambda s: s.sign(RELEASE, "bob", "carol", hold="H-9"),
        "hold H-9 is not in force",
    ),
    "a hold set twice": (lambda s: (s.hold(), s.hold()), "hold H-1 was set before"),
    "a hold on nothing": (lambda s: s.hold(of=["ab" * 16]), "is none of this case"),
    "disposed under hold": (
        lambda s: (s.hold(), s.dispose(s.sealed)),
        "is under hold H-1",
    ),
    "disposed by one": (lambda s: s.dispose(s.sealed, "alice"), "disposed has 1 signatures"),
    "disposed in the clear": (lambda s: s.dispose(s.plain), "lies in the clear"),
    "disposed with other hashes": (
        lambda s: s.dispose(s.sealed | {"size": "1"}),
        "has other hashes than were signed",
    ),
    "disposed before its time": (under_retention, "must be kept until"),
    "disposed after a broken rule": (
        lambda s: (s.sign(RELEASE, "bob", "carol", hold="H-9"), s.dispose(s.sealed)),
        "the case has 1 entries about custody that do not follow",
    ),
    "held after it was disposed of": (
        lambda s: (s.dispose(s.sealed), s.hold(of=[s.sealed["artifact_id"]])),
        "was disposed of at",
    ),
    "retention cut short": (retain_twice, "retention only extends"),
    "handed over by who has it not": (
        lambda s: s.hand("alice", "bob"),
        "is held by stanch, so alice cannot hand it over",
    ),
    "handed over by others": (
        lambda s: s.hand("stanch", "bob", "alice", "bob"),
        "custody.transfer is signed by alice and bob; expected who gives",
    ),
    "a statement changed": (
        lambda s: forge(s, HOLD, steal, hold="H-1", artifacts=None),
        "signature of alice is over another statement",
    ),
    "another's name": (
        lambda s: forge(
            s, HOLD, lambda b: b["signatures"][0].update(name="bob"), hold="H", artifacts=None
        ),
        "token of key 'alice', which is not trusted",
    ),
    "no signatures": (
        lambda s: forge(s, HOLD, lambda b: b["signatures"].clear(), hold="H", artifacts=None),
        "hold.set has 0 signatures",
    ),
    "signed too long ago": (late, "expected within 7 days"),
    "signed once, used twice": (again, "took effect before"),
    "of another kind": (
        lambda s: s.chamber.say(RETAIN, s.body(HOLD, "alice", hold="H-1", artifacts=None)),
        "was signed as hold.set",
    ),
    "of another case": (
        lambda s: (setattr(s, "desk", Desk("cd" * 16)), s.hold()),
        "for case cdcd",
    ),
    "read for no reason": (read_without_reason, "nobody reads evidence without a reason"),
    "checked against another hash": (check_another, "was checked against another hash"),
    "two manifests of one artifact": (two_manifests, "was stored before"),
}


@pytest.mark.parametrize(("break_", "said"), BROKEN.values(), ids=BROKEN)
def test_whoever_can_write_the_ledger_cannot_break_a_rule_unseen(story, break_, said):
    """The operator's own ledger and keys say what no custodian may do: both verifiers see it."""
    break_(story)
    bundle = story.export()
    verdict = verify_bundle(bundle, story.trust())
    told = "\n".join(problem.what for problem in verdict.problems)
    assert "breaks a rule of custody: " in told
    assert said in told
    assert (verdict.exit_code, verify(bundle, story.trust()).code) == (1, 1)


def without_opening(chamber: Chamber, case_seq: int) -> None:
    with chamber.begin() as conn:
        conn.exec_driver_sql(f"DELETE FROM ledger_openings WHERE entry_id = {case_seq + 1}")


def test_what_an_erased_statement_did_nobody_can_tell(story):
    place = story.hold()
    story.sign(RELEASE, "bob", "carol", hold="H-1")
    without_opening(story.chamber, place)
    assert story.codes() == (2, 2)
    verdict = verify_bundle(story.chamber.folder / "bundle", story.trust())
    assert [p.code for p in verdict.problems] == [2, 2]


def test_after_an_erased_statement_a_forged_one_is_still_caught(story):
    place = story.hold()
    forge(story, HOLD, steal, hold="H-2", artifacts=None)
    without_opening(story.chamber, place)
    assert story.codes() == (1, 1)


def test_an_erased_read_is_allowed_for(story):
    read = {"artifact_id": story.plain["artifact_id"], "reason": "triage"}
    place = story.chamber.say("access.read", read).case_seq
    without_opening(story.chamber, place)
    assert story.codes() == (3, 3)


def leave_out(bundle: Path, chamber: Chamber, body: dict[str, Any]) -> None:
    (bundle / bag.ARTIFACTS / body["stored_sha256"]).unlink()
    rebag(bundle)
    restate(bundle, chamber.signer)


def test_an_artifact_may_be_missing_exactly_when_it_was_disposed_of(story):
    story.dispose(story.sealed)
    chamber, bundle = story.chamber, story.export()
    leave_out(bundle, chamber, story.sealed)
    trust = story.trust()
    assert (verify_bundle(bundle, trust).exit_code, verify(bundle, trust).code) == (3, 3)
    leave_out(bundle, chamber, story.plain)
    assert (verify_bundle(bundle, trust).exit_code, verify(bundle, trust).code) == (2, 2)
    told = [problem.what for problem in verify_bundle(bundle, trust).problems]
    assert any("but missing" in one for one in told)


def test_no_person_of_custodians_is_left_out():
    assert set(PINNED) == set(KEYS)
