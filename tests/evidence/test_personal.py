"""Single values of entries are committed to apart: each can be withheld, none can be guessed."""

import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import bag, bundle, ledger
from evidence.custody.state import LOCKER
from evidence.errors import LedgerError
from evidence.ledger import Entry, append
from evidence.personal import OpenValue, at, committed, hidden, restored, value_commitment
from evidence.personal_kinds import PERSONAL, personal, plain
from evidence.strict_json import canonical_form
from evidence.withheld import Withheld
from tests.evidence.agreed import verify_bundle
from tests.evidence.chamber import CASE, Chamber
from tests.evidence.forgery import read_lines, rebag, restate, write_lines
from tests.evidence.test_redaction import DOCUMENTS, places

SEED = bytes(range(32))
MALLORY = "mallory@example.org"
SAID: dict[str, Any] = {"told": [MALLORY, "oscar"], "what": "opened", "facts": {"n": 1}}


@given(st.dictionaries(st.text("ab/~", max_size=3), DOCUMENTS, max_size=3), st.data())
def test_what_is_hidden_is_restored_in_its_place(body: dict[str, Any], data: st.DataObject) -> None:
    known = sorted(places(body))[1:]
    wanted = data.draw(st.sets(st.sampled_from(known), max_size=4)) if known else set()
    chosen = [p for p in wanted if not any(p.startswith(f"{o}/") for o in wanted)]
    chosen += data.draw(st.sampled_from([["actor"], []]))
    salt, actor, made, values = committed(SEED, "alice", body, chosen)
    assert hidden(actor, made) == {one.place: one.commitment for one in values}
    assert sorted(hidden(actor, made)) == sorted(chosen)
    assert restored(actor, made, values) == ("alice", body)
    for left_out in values:
        rest = [one for one in values if one is not left_out]
        told, form = restored(actor, made, rest)
        assert hidden(told, form) == {left_out.place: left_out.commitment}
    # No salt tells another, and the seed tells them all, so it is none of them.
    salts = {salt, *(one.salt for one in values)}
    assert len(salts) == 1 + len(values)
    assert (SEED in salts) is (not values)
    for known_salt in {salt} if values else ():
        derived = {hmac.digest(known_salt, b"value\x00" + p.encode(), "sha256") for p in chosen}
        assert derived.isdisjoint(salts)


@given(DOCUMENTS, DOCUMENTS)
def test_a_value_is_restored_only_where_it_is_committed_to(value: Any, other: Any) -> None:
    body = {"a": value, "b": other}
    _, actor, made, (first, second) = committed(SEED, "alice", body, ["/a", "/b"])
    swapped = OpenValue("/a", second.salt, second.value)
    for wrong in (swapped, OpenValue("/a", first.salt, canonical_form([value]))):
        with pytest.raises(LedgerError, match="not what its entry commits to"):
            restored(actor, made, [wrong])
    with pytest.raises(LedgerError, match="not what its entry commits to"):
        restored(actor, made, [OpenValue("/c", first.salt, first.value)])


@pytest.mark.parametrize("chamber", ["sqlite", "postgresql"], indirect=True)
def test_the_ledger_gives_back_what_it_hides(chamber: Chamber) -> None:
    chamber.say("approval.answered", {"approver": "mallory", "proof": "a.b.c", "state": "yes"})
    chamber.say("notification", SAID, actor="stanch")
    chamber.say("change", {"told": [MALLORY]})
    with chamber.begin() as conn:
        answered, told, other = ledger.entries(conn, CASE)
        stored = [
            row for (row,) in conn.exec_driver_sql("SELECT body FROM ledger_openings").fetchall()
        ]
    assert (answered.opening.actor, answered.body["approver"]) == ("alice@example.org", "mallory")
    assert (told.body, told.opening.actor) == (SAID, "stanch")
    assert [MALLORY.encode() in bytes(one) for one in stored] == [False, False, True]
    assert b"alice" not in answered.opening.committed_actor.encode()
    assert [one.place for one in answered.opening.values] == ["/approver", "/proof", "actor"]
    # What is not personal is written as before.
    assert other.opening.values == ()
    with chamber.begin() as conn:
        conn.exec_driver_sql("DELETE FROM ledger_values")
        answered, told, _ = ledger.entries(conn, CASE)
    assert told.body == SAID | {
        "told": {"commitment": at(json.loads(told.opening.body), "/told")["commitment"]}
    }
    assert "alice" not in answered.opening.actor


@pytest.mark.parametrize("place", ["/a~2b/0", "/a/00", "/a/\u0660", "/a/-1", "/a/1", "/b"])
def test_a_place_is_named_in_one_way(place: str) -> None:
    assert at({"a": ["x"], "a~2b": ["y"]}, place) is None
    assert at({"a": ["x"], "a~2b": ["y"]}, "/a~02b/0") == "y"


def test_nothing_that_looks_like_a_commitment_is_taken_for_a_value(chamber: Chamber) -> None:
    now = chamber.tick()
    for body, actor in (({"a": [{"commitment": "ab" * 32}]}, "al"), ({}, '{"commitment":"x"}')):
        with chamber.begin() as conn, pytest.raises(LedgerError, match="stands for a value"):
            append(conn, Entry("k", CASE, body, actor, now), record_time=now, salt=SEED)
    chamber.say("k", {"a": '{"commitment":"ab"}'})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mallory@example.org", True),
        ("Mallory <mallory@example.org>", True),
        ("two: @ x, and mallory@example.org too", True),
        ("@example.org, mallory@example", False),
        ("192.0.2.7", True),
        ("192.0.2.7/32", True),
        ("2001:db8::7", True),
        ("arn:aws:iam::111122223333:user/mallory", True),
        ("arn:aws-us-gov:sts::111122223333:assumed-role/r/mallory", True),
        ("arn:aws:ec2:eu-west-1:111122223333:instance/i-0a", False),
        ("arn:aws:iam::111122223333:role/web", False),
        ("10.0.0.0/16", False),
        ("eu-west-1", False),
        ("12:30", False),
        ("", False),
    ],
)
def test_texts_that_look_personal_are(text: str, found: bool) -> None:
    body = {"a/b": [{"c": text}], "n": 1}
    assert personal("case.open", LOCKER, body) == (["/a~1b/0/c"] if found else [])
    assert personal("artifact.stored", "alice", body) == []


def test_no_place_lies_within_another() -> None:
    body = {"decisions": [{"row": "r", "proof": "p", "reason": "x"}], "review": "REV-1"}
    expected = ["/decisions/0/proof", "/decisions/0/row", "actor"]
    assert personal("review.decided", "carol", body) == expected
    assert personal("notification", "stanch", {"told": [MALLORY]}) == ["/told"]
    assert personal("notification", "stanch", {}) == []
    assert not {"artifact.stored", "export", "heads", "tsa.token", "disposed"} & PERSONAL.keys()


def test_what_a_machine_does_costs_nothing() -> None:
    assert plain("freeze.set", LOCKER)
    assert plain("change", "alice")
    assert not plain("freeze.set", "alice")
    assert not plain("case.open", LOCKER)
    assert personal("duty.sent", "alice", {"proof": "a.b.c", "to": MALLORY, "number": 1}) == [
        "/proof",
        "/to",
        "actor",
    ]


@pytest.fixture
def told(chamber: Chamber) -> Chamber:
    chamber.say("case.open", {"finding": "x", "by": "192.0.2.7"}, actor="stanch")
    chamber.say("notification", SAID, actor="stanch")
    chamber.say("approval.answered", {"approver": "mallory", "proof": "a.b.c"}, actor="mallory")
    chamber.say("change", {"n": 1}, actor="stanch")
    chamber.integrate()
    return chamber


def export(chamber: Chamber, name: str, *values: str) -> Path:
    with chamber.begin() as conn:
        left_out = Withheld(values=tuple(sorted(values)))
        out = chamber.folder / name
        return bundle.export(
            conn, chamber.locker, CASE, chamber.signer, out, withheld=left_out
        ).path


def everything(path: Path) -> bytes:
    return b"".join(one.read_bytes() for one in path.rglob("*") if one.is_file())


def verdict(chamber: Chamber, path: Path) -> tuple[int, str]:
    found = verify_bundle(path, chamber.trust)
    return found.exit_code, " ".join(f"{p.file} {p.what}" for p in found.problems)


def test_an_export_gives_every_value_or_withholds_what_it_says(told: Chamber) -> None:
    whole = export(told, "whole")
    assert verdict(told, whole) == (3, "")
    assert b"mallory" in everything(whole)
    assert verify_bundle(whole, told.trust).withheld == ()
    none = export(told, "none", "*")
    assert verdict(told, none) == (3, "")
    for secret in (b"mallory", b"oscar", b"192.0.2.7", b"a.b.c"):
        assert secret not in everything(none)
    assert verify_bundle(none, told.trust).withheld == (
        "ledger entry 0: /by is withheld; its proof holds",
        "ledger entry 1: /told is withheld; its proof holds",
        "ledger entry 2: /approver, /proof, actor is withheld; its proof holds",
    )
    some = export(told, "some", "notification", "/approver")
    assert verdict(told, some) == (3, "")
    assert b"oscar" not in everything(some)
    assert b"192.0.2.7" in everything(some)
    assert len(verify_bundle(some, told.trust).withheld) == 2


FORGED = {
    "another value": ({"value": '["nobody"]'}, 1, "not what its entry commits to"),
    "another salt": ({"salt": "00" * 32}, 1, "not what its entry commits to"),
    "another place": ({"place": "/what"}, 1, "not what its entry commits to"),
    "no place": ({"place": ""}, 1, "in no place"),
    "short salt": ({"salt": "00"}, 1, "salt of 1 bytes"),
    "not canonical": ({"value": '[ "x"]'}, 1, "canonical"),
    "within": ({"value": '{"commitment":"x"}'}, 1, "value within a value"),
    "more": ({"more": 1}, 1, "exactly place, salt and value"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_value_that_was_changed_is_found(told: Chamber, name: str) -> None:
    change, code, why = FORGED[name]
    path = export(told, "bundle")
    lines = read_lines(path, bag.ENTRIES)
    lines[1]["opening"]["values"][0] |= change
    write_lines(path, bag.ENTRIES, lines)
    rebag(path)
    restate(path, told.signer)
    found, said = verdict(told, path)
    assert (found, why in said) == (code, True), said


def test_a_value_that_was_left_out_by_others_is_missing(told: Chamber) -> None:
    path = export(told, "bundle")
    lines = read_lines(path, bag.ENTRIES)
    del lines[1]["opening"]["values"]
    write_lines(path, bag.ENTRIES, lines)
    rebag(path)
    code, said = verdict(told, path)
    assert code == 1
    assert "the opening of /told is missing" in said


def test_values_stand_sorted_and_once(told: Chamber) -> None:
    for change in (lambda v: v[::-1], lambda v: [*v, v[-1]], lambda v: []):
        path = export(told, f"bundle-{told.tick().timestamp()}")
        lines = read_lines(path, bag.ENTRIES)
        lines[2]["opening"]["values"] = change(lines[2]["opening"]["values"])
        write_lines(path, bag.ENTRIES, lines)
        rebag(path)
        restate(path, told.signer)
        code, said = verdict(told, path)
        assert (code, "values that are" in said) == (1, True), said


def test_a_guess_is_confirmed_by_nothing_that_is_given(told: Chamber) -> None:
    path = export(told, "none", "*")
    lines = read_lines(path, bag.ENTRIES)
    given = {value for line in lines for value in _texts(line)}
    commitments = {text for text in given if len(text) == 64}
    guess = canonical_form(SAID["told"])
    for text in commitments:
        assert value_commitment(bytes.fromhex(text), guess) not in commitments


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        try:
            inner = json.loads(value) if value.startswith("{") else None
        except ValueError:
            inner = None
        return [value, *_texts(inner)]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for one in inside for text in _texts(one)]
