"""Each row of the threat model: the attacker acts, and the detector that is named finds it.

Where nothing can find it, the report or the verdict says so in its own words. Each test is short;
the laws behind it stand in the files of the part that is attacked.
"""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from evidence import bag, jws, ledger
from evidence.canonical import canonical
from evidence.custody import fixity
from evidence.errors import (
    EvidenceError,
    ForkError,
    LedgerCorruptError,
    LockerError,
    TokenError,
)
from evidence.keys import ManifestKey, thumbprint
from evidence.note import checkpoint_text, sign_note, unverified_checkpoint
from evidence.sources.item import Item
from evidence.witness_client import ask
from tests.evidence.agreed import verify_bundle
from tests.evidence.chamber import USER_DATA, describe, fill
from tests.evidence.growing_log import GrowingLog
from tests.evidence.mutations import name_anew, payload_of
from tests.evidence.reviewing import artifact
from tests.evidence.test_witness_client import witness
from tests.evidence.whole import seal, told

TYP = "evidence-manifest+jws"
DAY = timedelta(days=1)


def test_outsider_who_forges_tokens(chamber):
    key = ec.generate_private_key(ec.SECP256R1())
    known = {chamber.signer.kid: chamber.signer.key.public_key()}
    good = jws.sign(b"{}", chamber.signer.key, chamber.signer.kid, TYP)
    none = jws.sign(b"{}", key, chamber.signer.kid, TYP).rpartition(".")[0] + "."
    for token in (
        jws.sign(b"{}", key, chamber.signer.kid, TYP),
        jws.sign(b"{}", key, "another", TYP),
        none,
        good + "=",
        good + "A" * (1 << 20),
        jws.sign(b"{}", chamber.signer.key, chamber.signer.kid, "other+jws"),
    ):
        with pytest.raises(TokenError):
            jws.verify(token, known, TYP)


def test_outsider_who_puts_a_path_into_a_name(chamber):
    chamber.say("case.open", {"finding": "x"})
    chamber.keep(Item("../../<script>etc/passwd", "text/plain", b"x", False, "x.y"))
    chamber.integrate()
    bundle = chamber.export()
    assert verify_bundle(bundle, chamber.trust).problems == ()
    assert all(bag.is_plain(p.relative_to(bundle).as_posix()) for p in bundle.rglob("*"))
    assert "<script>" not in (bundle / bag.REPORT).read_text()


def test_collector_host_that_lies_before_it_hashes_is_a_residual_that_the_report_states(made):
    page = (made.bundle / bag.REPORT).read_text()
    residual = page[page.index("What is not proven") :]
    assert "Whether a source told the truth when it was read." in residual


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE ledger_entries SET leaf = replace(leaf, 'change', 'chance') WHERE idx = 3", "3"),
        ("DELETE FROM ledger_entries WHERE idx = 3", "3 is missing"),
        ("DELETE FROM ledger_entries WHERE idx >= 7", "7 entries, its newest checkpoint 9"),
        ("DELETE FROM ledger_checkpoints", "signed last"),
    ],
    ids=["edited", "deleted", "truncated", "heads"],
)
def test_insider_who_writes_to_the_database(filled, statement, what):
    with filled.begin() as conn:
        conn.exec_driver_sql("COMMIT")
        conn.exec_driver_sql("PRAGMA foreign_keys = OFF")
        conn.exec_driver_sql("BEGIN IMMEDIATE")
        conn.exec_driver_sql(statement)
    with filled.begin() as conn, pytest.raises(LedgerCorruptError, match=what):
        ledger.replay(conn)


def test_insider_who_edits_what_an_entry_says_exports_a_bundle_that_is_refused(filled):
    with filled.begin() as conn:
        edited = "CAST(replace(CAST(body AS TEXT), 'sg-q', 'sg-x') AS BLOB)"
        conn.exec_driver_sql(f"UPDATE ledger_openings SET body = {edited} WHERE entry_id = 4")
    verdict = verify_bundle(filled.export(), filled.trust)
    assert verdict.exit_code == 1
    assert "its body is not the one the leaf commits to" in verdict.problems[0].what


def test_insider_who_has_the_log_key_too_and_signs_another_history(tmp_path):
    log = GrowingLog().grow(9)
    with witness(tmp_path / "w") as (cosigner, post):
        ask(cosigner, post, log.note(), log.prove, 0)
        fork = log.fork(4, 7)
        with pytest.raises(ForkError):
            ask(cosigner, post, fork.note(), fork.prove, 9)


def test_insider_s_other_history_has_no_cosignature_and_is_called_unwitnessed(made, tmp_path):
    copy = Path(shutil.copytree(made.bundle, tmp_path / "copy"))
    note = (copy / bag.CHECKPOINT).read_text()
    stripped = sign_note(checkpoint_text(unverified_checkpoint(note)), made.chamber.log)
    (copy / bag.CHECKPOINT).write_text(stripped)
    for proof in (copy / bag.PROOF_FILES).iterdir():
        head = proof.read_text().partition("\n\n")[0]
        proof.write_text(f"{head}\n\n{stripped}")
    code, said = told(made, seal(made.chamber, copy))
    assert (code, "no quorum" in said) == (3, True)


def test_holder_of_a_manifest_key_who_signs_a_manifest_later(made, tmp_path):
    copy = Path(shutil.copytree(made.bundle, tmp_path / "copy"))
    chamber = made.chamber
    said = payload_of(next((copy / bag.MANIFESTS).iterdir())) | {"name": "planted"}
    token = jws.sign(canonical(said), chamber.signer.key, chamber.signer.kid, TYP)
    (copy / bag.MANIFESTS / "new").write_text(token)
    name_anew(copy / bag.MANIFESTS / "new")
    code, said = told(made, seal(chamber, copy))
    assert (code, "is a manifest that no ledger entry names" in said) == (1, True)


def test_holder_of_a_manifest_key_is_bounded_by_the_ledger_s_size(chamber):
    fill(chamber)
    trust, old = chamber.trust, chamber.signer
    key = ec.generate_private_key(ec.SECP256R1())
    chamber.signer = ManifestKey(thumbprint(key.public_key()), key)
    history = [{"role": "manifest", "jwk": trust["manifest_keys"][0], "valid_until": 1}]
    verdict = verify_bundle(chamber.export(), chamber.trust | {"key_history": history})
    assert verdict.exit_code == 1
    assert all(repr(old.kid) in p.what for p in verdict.problems if "counts for" in p.what)
    assert any("counts for sizes 0 to 1" in p.what for p in verdict.problems)


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (lambda path: (path.chmod(0o600), path.write_bytes(b"replaced")), "altered"),
        (lambda path: path.unlink(), "missing"),
    ],
    ids=["replaced", "deleted"],
)
def test_storage_admin(filled, harm, found):
    kept = artifact(filled, describe(1).name)
    harm(filled.locker.root / filled.locker.path_of(kept.stored_sha256))
    assert fixity.check(filled.locker, kept).found == found
    with pytest.raises(EvidenceError, match=kept.stored_sha256):
        filled.export()


def test_storage_and_key_admin_who_destroys_a_key_leaves_an_evident_loss(filled):
    kept = artifact(filled, USER_DATA.name)
    filled.locker.keys.erase(kept.stored_sha256)
    assert fixity.check(filled.locker, kept).found == "keyless"
    with pytest.raises(LockerError):
        filled.locker.keys.get(kept.stored_sha256)
    # What was recorded of it is proven as before.
    assert verify_bundle(filled.export(), filled.trust).problems == ()
