"""More rows of the threat model: clocks, authorities, forks, rollbacks, omissions, old keys."""

import shutil
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from evidence import bag
from evidence import verify as ours
from evidence.cosignature import cosign, cosigner_vkey, cosigning_key
from evidence.errors import BehindError
from evidence.note import checkpoint_text, sign_note, unverified_checkpoint
from evidence.witness_client import ask
from tests.evidence.agreed import verify_bundle
from tests.evidence.chamber import ORIGIN, make_chamber
from tests.evidence.forgery import edit_entries, read_lines
from tests.evidence.growing_log import GrowingLog
from tests.evidence.stamping import BEGIN, stamper, stamping
from tests.evidence.test_signer import checkpoint
from tests.evidence.test_verify_hostile import deep, link, list_path, pipe, sparse
from tests.evidence.test_witness_client import witness
from tests.evidence.whole import AT, seal, told

DAY = timedelta(days=1)


@pytest.mark.parametrize("lie", [-2 * DAY, 2 * DAY], ids=["back", "forth"])
def test_clock_manipulator(tmp_path, lie):
    site, turned = stamping(tmp_path), [timedelta()]
    for letter in "ab":
        clock = lambda: site.chamber.now - turned[0]  # noqa: E731
        one = stamper(tmp_path / letter, f"tsa-{letter}", clock, begin=BEGIN - 9 * DAY)
        site.stampers.append(one)
    for turned[0] in (timedelta(), lie):
        site.chamber.now += turned[0] + timedelta(hours=1)
        site.chamber.say("change", {"at": str(turned[0])})
        site.stamp()
    verdict = verify_bundle(site.export(), site.trust)
    assert verdict.exit_code == 1
    assert "but a timestamp proves that it was" in verdict.problems[0].what
    site.chamber.engine.dispose()


def test_rogue_authority(tmp_path):
    site = stamping(tmp_path, timedelta(), -2 * DAY)
    site.chamber.say("change", {"n": 1})
    site.stamp()
    verdict = verify_bundle(site.export(), site.trust)
    assert verdict.exit_code == 1
    assert "one of their clocks was false" in verdict.problems[0].what
    # One alone, whatever it says, is no quorum of two.
    alone = site.trust | {"timestamp_authorities": site.trust["timestamp_authorities"][1:]}
    assert verify_bundle(tmp_path / "bundle", alone | {"timestamp_quorum": 1}).timestamped
    assert not verify_bundle(tmp_path / "bundle", alone).timestamped
    site.chamber.engine.dispose()


def test_fork_that_is_shown_to_one_party_only(made, tmp_path):
    """What a witness said of the head that it saw does not fit the other head."""
    copy = Path(shutil.copytree(made.bundle, tmp_path / "copy"))
    note = (copy / bag.CHECKPOINT).read_text()
    lines = note.splitlines(keepends=True)
    cosignature = next(line for line in lines if line.startswith("\N{EM DASH} w.example "))
    head = replace(unverified_checkpoint(note), root=bytes(32))
    (copy / bag.CHECKPOINT).write_text(
        sign_note(checkpoint_text(head), made.chamber.log) + cosignature
    )
    code, said = told(made, seal(made.chamber, copy))
    assert code == 1
    assert "the cosignature of w.example does not fit the note" in said


def test_rollback_to_an_old_backup(tmp_path):
    """The log's signer remembers; so does every witness."""
    chamber = make_chamber(tmp_path)
    chamber.say("change", {"n": 1})
    checkpoint(chamber)
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.execute("VACUUM INTO ?", (str(tmp_path / "old.db"),))
    chamber.say("change", {"inconvenient": 2})
    checkpoint(chamber)
    chamber.engine.dispose()
    for left in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (tmp_path / left).unlink(missing_ok=True)
    shutil.move(tmp_path / "old.db", tmp_path / "ledger.db")
    with pytest.raises(BehindError, match="1 entries but 2 were signed"):
        checkpoint(chamber)
    chamber.engine.dispose()
    log = GrowingLog().grow(9)
    with witness(tmp_path / "w") as (cosigner, post):
        ask(cosigner, post, log.note(), log.prove, 0)
        with pytest.raises(BehindError, match="9 entries, the ledger has 6"):
            ask(cosigner, post, log.note(6), lambda old, new: log.prove(old, new), 9)


def test_selective_disclosure_is_refused_though_the_operator_seals_it(made, tmp_path):
    """The ledger's own count stands in the bundle; without it the case is open-ended."""
    copy = Path(shutil.copytree(made.bundle, tmp_path / "copy"))
    last = read_lines(copy, bag.ENTRIES)[-1]["index"]
    edit_entries(lambda entries: entries[:-1])(copy)
    (copy / f"{bag.PROOF_FILES}{last}.tlog-proof").unlink()
    code, said = told(made, seal(made.chamber, copy))
    assert (code, "entries at the end of the case were left out" in said) == (1, True)
    other = Path(shutil.copytree(made.bundle, tmp_path / "other"))
    (other / bag.HEADS).unlink()
    code, said = told(made, seal(made.chamber, other))
    assert (code, "open-ended: nothing (data/custody/heads.jsonl) shows" in said) == (1, True)


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (link, "is a symbolic link"),
        (pipe, "is no plain file"),
        (deep, "nested too deep"),
        (sparse, "states a payload of"),
        (list_path("data/../../x"), "names an unsafe path"),
    ],
    ids=["link", "pipe", "deep", "sparse", "upward"],
)
def test_malicious_bundle(made, tmp_path, plant, said):
    copy = Path(shutil.copytree(made.bundle, tmp_path / "copy"))
    plant(copy)
    verdict = ours.verify_bundle(copy, made.trust)
    assert verdict.exit_code == 1
    assert any(said in problem.what for problem in verdict.problems)


def test_future_quantum_forger_of_the_first_signature_lacks_the_second(made, tmp_path):
    """Whoever forges Ed25519 gets no further where the log signs with ML-DSA-44, too."""
    second = cosigning_key(ORIGIN, MLDSA44PrivateKey.from_seed_bytes(bytes(32)))
    pinned = {"log_second_vkey": cosigner_vkey(second.cosigner)}
    code, said = told(made, made.bundle, **pinned)
    assert (code, "lacks the ML-DSA-44 signature" in said) == (2, True)
    copy = Path(shutil.copytree(made.bundle, tmp_path / "copy"))
    note = (copy / bag.CHECKPOINT).read_text()
    line = cosign(checkpoint_text(unverified_checkpoint(note)), second, AT)
    (copy / bag.CHECKPOINT).write_text(note + line)
    assert told(made, seal(made.chamber, copy), **pinned) == (0, "")
