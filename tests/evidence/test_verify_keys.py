"""A key counts for its place in the ledger: who has an old one, or stole it, gets no further."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from evidence import bag, keys, ledger
from evidence.cosignature import cosign, cosigner_vkey, cosigning_key
from evidence.custody.state import LOCKER
from evidence.errors import BundleError
from evidence.key_history import LOG, MANIFEST, Bounded, Bounds, read_history, write_history
from evidence.keys import ManifestKey, public_jwk, thumbprint
from evidence.note import NoteSigner, checkpoint_text, sign_note, signer_of, vkey
from evidence.note import unverified_checkpoint as head_of
from evidence.verify import Verdict
from evidence.verify_head import open_head
from evidence.verify_trust import read_trust
from tests.evidence.agreed import verify_bundle
from tests.evidence.chamber import ORIGIN, Chamber, describe, fill, make_chamber
from tests.evidence.custodians import KEYS, PEOPLE
from tests.evidence.forgery import rebag, restate
from tests.evidence.second.check import verify as second
from tests.evidence.stamping import Stamping, stamping
from tests.evidence.test_verify_custody import PINNED, Story

WITNESS = cosigning_key("w.example", Ed25519PrivateKey.from_private_bytes(bytes([3] * 32)))
WITNESSES = {
    "witnesses": [cosigner_vkey(WITNESS.cosigner)],
    "policy": f"witness w {cosigner_vkey(WITNESS.cosigner)}\nquorum w\n",
}
AT = 1_790_000_000
NONE = timedelta()


def new_manifest() -> ManifestKey:
    key = ec.generate_private_key(ec.SECP256R1())
    return ManifestKey(thumbprint(key.public_key()), key)


def new_log() -> NoteSigner:
    return signer_of(ORIGIN, Ed25519PrivateKey.generate())


@dataclass
class Change:
    """A deployment, the key that it had, and the size of the ledger where another followed."""

    chamber: Chamber
    old: Any
    size: int

    def trust(self, role: str, by: datetime | None = None, until: int | None = None) -> dict:
        """Return the new trust input, as it bounds the old key and the new one."""
        new = self.chamber.signer if role == MANIFEST else self.chamber.log
        bounds = Bounds(0, self.size if until is None else until, by)
        told = [(self.old, bounds), (new, Bounds(self.size))]
        history = [Bounded(role, told_of(role, key), bounds) for key, bounds in told]
        return self.chamber.trust | {"key_history": write_history(history)}


def told_of(role: str, key: Any) -> Any:
    return vkey(key.verifier) if role == LOG else public_jwk(key.key.public_key())


def size_of(chamber: Chamber) -> int:
    with chamber.begin() as conn:
        return ledger.latest_checkpoint(conn).checkpoint.size


def changed(chamber: Chamber, role: str) -> Change:
    """Record a case under one key, and go on under another."""
    fill(chamber)
    chamber.export("before")
    chamber.say("key.rotate", {"role": role}, "deployment")
    chamber.integrate()
    change = Change(chamber, chamber.signer if role == MANIFEST else chamber.log, size_of(chamber))
    if role == MANIFEST:
        chamber.signer = new_manifest()
    else:
        chamber.log = new_log()
    chamber.keep(describe(7))
    chamber.say("decision", {"go": "on"})
    chamber.integrate()
    chamber.export("after")
    return change


@pytest.fixture(scope="module", params=[MANIFEST, LOG])
def change(request, tmp_path_factory):
    made = changed(make_chamber(tmp_path_factory.mktemp("changed")), request.param)
    yield request.param, made
    made.chamber.engine.dispose()


@pytest.fixture
def manifest_change(chamber: Chamber) -> Change:
    return changed(chamber, MANIFEST)


def said(verdict: Verdict) -> str:
    return "\n".join(f"{p.file}: {p.what}" for p in verdict.problems)


@pytest.mark.parametrize("bundle", ["before", "after"])
def test_what_either_key_signed_in_its_time_counts(change, bundle):
    role, made = change
    verdict = verify_bundle(made.chamber.folder / bundle, made.trust(role))
    assert said(verdict) == ""
    assert any(c.name.startswith("keys at their place") and c.ok for c in verdict.checks)


def test_who_knows_only_the_old_key_is_told_which_one_is_not_known(change):
    role, made = change
    old = made.old if role == MANIFEST else made.chamber.signer
    log = made.old if role == LOG else made.chamber.log
    stale = keys.trust(log.verifier, [old.key.public_key()])
    assert said(verify_bundle(made.chamber.folder / "before", stale)) == ""
    verdict = verify_bundle(made.chamber.folder / "after", stale)
    assert verdict.exit_code == 1
    known = "no signature of a trusted key" if role == LOG else repr(made.chamber.signer.kid)
    assert known in said(verdict)


def test_who_stole_a_manifest_key_adds_nothing_after_its_bound(manifest_change):
    chamber, thief = manifest_change.chamber, manifest_change.old
    mine, chamber.signer = chamber.signer, thief
    # The thief writes to the database, too, and claims a time before the key was changed.
    now, chamber.now = chamber.now, datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    chamber.keep(describe(99))
    chamber.now, chamber.signer = now, mine
    chamber.integrate()
    bundle = chamber.export("robbed")
    verdict = verify_bundle(bundle, manifest_change.trust(MANIFEST))
    (problem,) = verdict.problems
    assert verdict.exit_code == 1
    assert problem.file.startswith(bag.MANIFESTS)
    for told in (thief.kid, f"sizes 0 to {manifest_change.size}", f"index {size_of(chamber) - 1}"):
        assert told in problem.what


def test_who_stole_a_manifest_key_states_no_later_bundle(manifest_change):
    chamber = manifest_change.chamber
    restate(chamber.folder / "after", manifest_change.old)
    verdict = verify_bundle(chamber.folder / "after", manifest_change.trust(MANIFEST))
    (problem,) = verdict.problems
    assert problem.file == bag.EXPORT
    assert manifest_change.old.kid in problem.what


def test_who_stole_a_manifest_key_hands_nothing_over_in_the_locker_s_name(chamber: Chamber):
    chamber.signer = ManifestKey(thumbprint(PEOPLE[LOCKER]), KEYS[LOCKER])
    story = Story(chamber)
    story.hand(LOCKER, "alice")
    chamber.integrate()
    made = Change(chamber, chamber.signer, size_of(chamber))
    chamber.signer = new_manifest()
    trust = made.trust(MANIFEST) | {"people": PINNED}
    assert said(verify_bundle(story.export("before"), trust)) == ""
    story.hand("alice", LOCKER)
    verdict = verify_bundle(story.export("after"), trust)
    (problem,) = verdict.problems
    assert f"the locker signed with the key {made.old.kid!r}" in problem.what
    assert f"sizes 0 to {made.size}" in problem.what


def forked(chamber: Chamber, folder: Path, log: NoteSigner, sizes: int) -> Path:
    """Return the bundle of another history that `log` signed, of so many entries more."""
    other = make_chamber(folder)
    other.signer, other.log = chamber.signer, log
    fill(other)
    for number in range(sizes):
        other.say("decision", {"other": number})
    other.integrate()
    path = other.export()
    other.engine.dispose()
    return path


def test_an_old_log_key_signs_no_larger_head(chamber, tmp_path):
    made = changed(chamber, LOG)
    within = verify_bundle(chamber.folder / "before", made.trust(LOG))
    assert said(within) == ""
    larger = forked(chamber, tmp_path / "other", made.old, 5)
    size = head_of((larger / bag.CHECKPOINT).read_text()).size
    assert size > made.size
    verdict = verify_bundle(larger, made.trust(LOG))
    assert verdict.exit_code == 1
    kid = made.old.verifier.key_id.hex()
    assert f"log key {kid}, which counts for sizes 0 to {made.size}" in said(verdict)
    assert f"this head is of size {size}" in said(verdict)
    # A line of the old key beside the new one's does neither harm nor good.
    path = chamber.folder / "after" / bag.CHECKPOINT
    note = path.read_text()
    line = sign_note(checkpoint_text(head_of(note)), made.old).rpartition("\n\n")[2]
    path.write_text(note + line)
    rebag(chamber.folder / "after")
    restate(chamber.folder / "after", chamber.signer)
    assert said(verify_bundle(chamber.folder / "after", made.trust(LOG))) == ""


def test_both_log_keys_sign_where_one_follows_the_other(chamber):
    made = changed(chamber, LOG)
    with chamber.begin() as conn:
        text = checkpoint_text(ledger.head_at(conn, ORIGIN, made.size))
    for log in (made.old, chamber.log):
        note = sign_note(text, log)
        assert open_head(note, read_trust(made.trust(LOG))).size == made.size


def witnessed(chamber: Chamber, bundle: Path) -> Path:
    path = bundle / bag.CHECKPOINT
    note = path.read_text()
    path.write_text(note + cosign(checkpoint_text(head_of(note)), WITNESS, AT))
    rebag(bundle)
    restate(bundle, chamber.signer)
    return bundle


BY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("role", [MANIFEST, LOG])
def test_what_a_revoked_key_signed_counts_only_where_others_saw_it(chamber, role):
    made = changed(chamber, role)
    trust = made.trust(role, BY)
    bundle = chamber.folder / ("after" if role == MANIFEST else "before")
    verdict = verify_bundle(bundle, trust | WITNESSES)
    assert verdict.exit_code == 2
    assert "was revoked, and nothing from outside shows" in said(verdict)
    assert BY.isoformat() in said(verdict)
    verdict = verify_bundle(witnessed(chamber, bundle), trust | WITNESSES)
    assert (said(verdict), verdict.witnessed) == ("", True)


def test_a_revoked_log_key_signs_no_other_history_of_a_size_that_counts(chamber, tmp_path):
    made = changed(chamber, LOG)
    other = forked(chamber, tmp_path / "other", made.old, 0)
    assert said(verify_bundle(other, made.trust(LOG))) == ""
    verdict = verify_bundle(other, made.trust(LOG, BY) | WITNESSES)
    assert verdict.exit_code == 2
    assert "the log key was revoked" in said(verdict)


@pytest.fixture(scope="module")
def stamped(tmp_path_factory):
    site: Stamping = stamping(tmp_path_factory.mktemp("stamped"), NONE, NONE)
    site.chamber.say("case.open", {"finding": "x"})
    site.chamber.keep(describe(1))
    good = site.stamp()
    by = site.chamber.now
    old, site.chamber.signer = site.chamber.signer, new_manifest()
    site.chamber.now += timedelta(hours=3)
    site.chamber.keep(describe(2))
    site.stamp()
    site.export()
    yield site, Change(site.chamber, old, good), by
    site.chamber.engine.dispose()


@pytest.mark.parametrize(("late", "code"), [(NONE, 3), (timedelta(hours=-1), 1)])
def test_timestamps_show_that_a_revoked_key_signed_in_time(stamped, late, code):
    site, made, by = stamped
    verdict = verify_bundle(
        site.chamber.folder / "bundle", site.trust | made.trust(MANIFEST, by + late)
    )
    assert verdict.exit_code == code, said(verdict)
    if code == 1:
        assert "was revoked, and timestamps show ledger entry" in said(verdict)
        assert made.old.kid in said(verdict)


def test_a_bound_below_an_artifact_takes_it_away(stamped):
    site, made, by = stamped
    verdict = verify_bundle(
        site.chamber.folder / "bundle", site.trust | made.trust(MANIFEST, by, until=1)
    )
    assert verdict.exit_code == 1
    assert "counts for sizes 0 to 1 of the ledger; the entry that names it has index 1" in said(
        verdict
    )


SIZES = st.integers(0, 9)


@given(SIZES, SIZES, SIZES)
def test_each_entry_is_of_one_key_and_the_head_between_them_of_both(until, index, size):
    old, new = Bounds(0, until), Bounds(until)
    assert old.entry(index) is not new.entry(index)
    assert old.head(size) or new.head(size)
    assert (old.head(size) and new.head(size)) is (size == until)


@given(SIZES, st.none() | SIZES, st.none() | st.just(BY))
def test_bounds_are_read_as_they_are_written(since, more, by):
    until = None if more is None else since + more
    bounds = Bounds(since, until, by if until is not None else None)
    one = Bounded(MANIFEST, {"kid": "k"}, bounds)
    assert read_history({"key_history": write_history([one])}) == [one]


OTHER = signer_of("other/log", Ed25519PrivateKey.from_private_bytes(bytes([5] * 32)))
KEY = public_jwk(ec.derive_private_key(7, ec.SECP256R1()).public_key())


@pytest.mark.parametrize(
    "history",
    [
        7,
        [7],
        [{"role": "wrap", "jwk": KEY}],
        [{"role": "manifest", "vkey": "x"}],
        [{"role": "manifest", "jwk": KEY, "until": 7}],
        [{"role": "manifest", "jwk": KEY, "valid_from": -1}],
        [{"role": "manifest", "jwk": KEY, "valid_until": True}],
        [{"role": "manifest", "jwk": KEY, "valid_until": "7"}],
        [{"role": "manifest", "jwk": KEY, "valid_from": 8, "valid_until": 7}],
        [{"role": "manifest", "jwk": KEY, "anchored_by": "2026-11-23T12:00:00.000000Z"}],
        [{"role": "manifest", "jwk": KEY, "valid_until": 7, "anchored_by": "noon"}],
        [{"role": "manifest", "jwk": KEY}, {"role": "manifest", "jwk": KEY}],
        [{"role": "manifest", "jwk": {k: v for k, v in KEY.items() if k != "kid"}}],
        [{"role": "manifest", "jwk": KEY | {"d": "AA"}}],
        [{"role": "manifest", "jwk": "x"}],
        [{"role": "log", "vkey": 7}],
        [
            {
                "role": "log",
                "vkey": vkey(signer_of("other/log", Ed25519PrivateKey.generate()).verifier),
            }
        ],
    ],
    ids=[str(n) for n in range(17)],
)
def test_a_history_that_is_malformed_is_no_trust(original, history):
    chamber, bundle = original
    verdict = verify_bundle(bundle, chamber.trust | {"key_history": history})
    assert verdict.exit_code == 4
    assert "key_history" in said(verdict)


def test_two_keys_of_one_kid_are_no_trust(original):
    chamber, bundle = original
    history = [{"role": "manifest", "jwk": KEY | {"kid": chamber.signer.kid}}]
    assert verify_bundle(bundle, chamber.trust | {"key_history": history}).exit_code == 4


def test_a_history_is_a_list_of_keys():
    with pytest.raises(BundleError, match="no list"):
        read_history({"key_history": {}})
    assert read_history({}) == []


@pytest.mark.parametrize("role", [MANIFEST, LOG])
def test_a_second_verifier_judges_keys_alike(chamber: Chamber, tmp_path: Path, role: str):
    made = changed(chamber, role)
    old = made.old if role == MANIFEST else chamber.signer
    log = made.old if role == LOG else chamber.log
    stale = keys.trust(log.verifier, [old.key.public_key()])
    trusts = {
        "bounded": made.trust(role),
        "narrow": made.trust(role, until=1),
        "revoked": made.trust(role, BY) | WITNESSES,
        "stale": stale,
    }
    larger = forked(chamber, tmp_path / "other", log, 5)
    for bundle in (chamber.folder / "before", chamber.folder / "after", larger):
        for name, trust in trusts.items():
            codes = int(verify_bundle(bundle, trust).exit_code), second(bundle, trust).code
            assert codes[0] == codes[1], (bundle.name, name, codes)
