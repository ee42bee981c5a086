"""Checks find what became of each artifact, and take turns; reading gives all of it or nothing."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.custody import fixity
from evidence.custody.disposal import erase, refuse_unerasable
from evidence.custody.follow import CHECKED, INTACT, follow
from evidence.custody.opening import content
from evidence.custody.record import view
from evidence.custody.state import Artifact, CaseCustody, Event
from evidence.errors import CustodyError, EvidenceError, LockerError
from evidence.leaf import MAX_BODY
from evidence.strict_json import canonical_form
from tests.evidence.chamber import CASE, USER_DATA, describe


def kept(chamber):
    with chamber.begin() as conn:
        return list(view(conn, CASE).artifacts.values())


def path(chamber, sha256):
    return chamber.locker.root / chamber.locker.path_of(sha256)


def rewrite(place, data):
    place.chmod(0o600)
    place.write_bytes(data)


def test_what_is_as_it_was_stored_is_intact(filled):
    assert [fixity.check(filled.locker, one).found for one in kept(filled)] == [INTACT] * 3


@pytest.mark.parametrize("member", ["stored_sha256", "manifest_sha256"])
@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (lambda p: rewrite(p, p.read_bytes()[:-1] + b"!"), "altered"),
        (lambda p: rewrite(p, b""), "altered"),
        (lambda p: rewrite(p, p.read_bytes() + b"\n"), "altered"),
        (os.unlink, "missing"),
        (lambda p: (p.unlink(), p.symlink_to("/etc/hostname")), "unreadable"),
        (lambda p: (p.unlink(), p.mkdir()), "unreadable"),
    ],
    ids=["byte", "emptied", "longer", "removed", "link", "folder"],
)
def test_harm_to_an_artifact_or_its_manifest_is_found_and_named(
    filled, member, number, harm, found
):
    artifact = kept(filled)[number]
    harm(path(filled, getattr(artifact, member)))
    checked = fixity.check(filled.locker, artifact)
    assert checked.found == found
    assert getattr(artifact, member) in checked.why
    with pytest.raises(EvidenceError):
        b"".join(content(filled.locker, artifact, filled.wrap))


def test_a_sealed_artifact_without_its_key_is_keyless(filled):
    artifact = kept(filled)[2]
    filled.locker.keys.erase(artifact.stored_sha256)
    assert fixity.check(filled.locker, artifact).found == "keyless"


def test_content_is_what_was_deposited(filled):
    read = [b"".join(content(filled.locker, one, filled.wrap)) for one in kept(filled)]
    assert read == [describe(1).data, describe(2).data, USER_DATA.data]


def test_the_manifest_of_another_artifact_does_not_stand_in(filled):
    one, two, _ = kept(filled)
    mixed = Artifact(
        **{n: getattr(one, n) for n in Artifact.__slots__}
        | {"manifest_sha256": two.manifest_sha256}
    )
    assert fixity.check(filled.locker, mixed).found == "altered"
    with pytest.raises(CustodyError, match="of another artifact"):
        next(content(filled.locker, mixed, filled.wrap))


def test_one_case_cannot_erase_what_is_anothers(filled):
    """An entry in a case that is under no hold may name an artifact that a held case has."""
    artifact = kept(filled)[2]
    other = CaseCustody("cd" * 16, {artifact.artifact_id: artifact})
    with pytest.raises(CustodyError, match="another case's"):
        refuse_unerasable(other, artifact, filled.locker)


def test_only_what_is_sealed_under_a_key_of_its_own_is_erased(filled):
    with filled.begin() as conn:
        state = view(conn, CASE)
    plain, _, sealed = state.artifacts.values()
    with pytest.raises(CustodyError, match="lies in the clear"):
        refuse_unerasable(state, plain, filled.locker)
    refuse_unerasable(state, sealed, filled.locker)
    assert erase(state, filled.locker) == []
    assert filled.locker.keys.there(sealed.stored_sha256)


def artifacts(times):
    return [
        Artifact(f"{n:032x}", "x", "1", False, "0" * 64, "0" * 64, "2026", "2026", last_checked=t)
        for n, t in enumerate(times)
    ]


@given(st.lists(st.none() | st.sampled_from(["2027", "2028"]), max_size=30), st.integers(1, 9))
def test_everything_has_its_turn_and_the_oldest_proof_comes_first(times, count):
    state = CaseCustody("ab" * 16, {a.artifact_id: a for a in artifacts(times)})
    turns = 0
    while any((a.last_checked or "") < "2029" for a in state.artifacts.values()):
        chosen = fixity.due(state.artifacts.values(), count)
        rest = [a for a in state.artifacts.values() if a not in chosen]
        assert max((a.last_checked or "2026" for a in chosen), default="") <= min(
            (a.last_checked or "2026" for a in rest), default="9"
        )
        for body in fixity.bodies([fixity.Checked(a, INTACT) for a in chosen], len(times)):
            follow(state, Event(CHECKED, 0, "stanch", f"{2029 + turns}", body))
        turns += 1
    assert turns == -(-len(times) // count)


def test_results_fit_ledger_entries_however_bad_they_are():
    found = [fixity.Checked(a, "unreadable", "\x01" * 900) for a in artifacts([None] * 250)]
    written = list(fixity.bodies(found, 300))
    assert sum(len(body["checked"]) for body in written) == 250
    assert all(len(canonical_form(body)) <= MAX_BODY for body in written)
    assert {(body["read"], body["of"]) for body in written} == {(250, 300)}


def test_an_artifact_altered_while_it_is_read_gives_an_error_at_the_end(filled):
    plain = kept(filled)[0]
    rewrite(path(filled, plain.stored_sha256), b"forged")
    with pytest.raises(LockerError, match="was altered on disk"):
        list(content(filled.locker, plain, filled.wrap))
