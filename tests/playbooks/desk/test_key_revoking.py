"""`stanch key revoke`: two people take a stolen key back, up to what others saw of the ledger."""

import json
from pathlib import Path

import pytest

from evidence import bag, key_signing, keys, ledger, timestamp_store
from evidence.errors import KeyStatementError
from evidence.key_history import LOG, MANIFEST
from evidence.key_statement import REVOKE, ROTATE
from evidence.sources.item import Item
from playbooks.case import key_changing
from playbooks.case.record import DEPLOYMENT, Record
from playbooks.case.sealing import anchor
from playbooks.case.store import Store
from tests.playbooks.desk.console import Ran, stanch
from tests.playbooks.desk.keyed import Home, own_key, said


def sizes(home: Home) -> int:
    parts = home.parts()
    with parts.engine.connect() as conn:
        return ledger.latest_checkpoint(conn).checkpoint.size


def seen_size(home: Home) -> int:
    """Return the newest size that was stamped."""
    parts = home.parts()
    with parts.engine.connect() as conn:
        return min(timestamp_store.last_sizes(conn).values())


def revoke(name: str, size: int, *more: str) -> Ran:
    return stanch(
        *("key", "revoke", name, "--last-good", str(size), "--reason", "laptop stolen"),
        *("--key", "alice.key", "-o", "paper.json", *more),
    )


def test_two_people_revoke_a_stolen_manifest_key_up_to_what_others_saw(stamped: Home) -> None:
    thief = stamped.parts().keys.manifest
    assert said(stamped.verdict("before")) == ""
    # Of the head of a bundle others see only at the next: it holds the entries of their stamps.
    stamped.verdict("seen")
    good = seen_size(stamped)
    stamped.keep(Item("ec2.false", "text/plain", b"made up", False, "ec2.false"), signer=thief)
    early = revoke(f"manifest:{thief.kid}", good)
    assert (early.status, "no former key" in early.err) == (1, True)
    stamped.rotate(MANIFEST)
    assert said(stamped.verdict("robbed")) == ""

    unseen = revoke(f"manifest:{thief.kid}", good + 1)
    assert unseen.status == 1
    assert f"newest one before is of {good} entries, seen by timestamps" in unseen.err
    used = revoke(f"manifest:{stamped.parts().keys.manifest.kid}", good)
    assert (used.status, "stanch key rotate manifest" in used.err) == (1, True)

    assert revoke(f"manifest:{thief.kid}", good).status == 0
    assert stamped.kinds() == [ROTATE]
    alone = stanch("key", "sign", "paper.json", "--key", "alice.key", "--yes")
    assert (alone.status, "alice signed twice" in alone.err) == (1, True)
    unread = stanch("key", "sign", "paper.json", "--key", "bob.key")
    assert (unread.status, "add --yes" in unread.err) == (1, True)
    done = stanch("key", "sign", "paper.json", "--key", "bob.key", "--yes")
    assert (done.status, done.err) == (0, "")
    assert stamped.kinds() == [ROTATE, REVOKE]

    (old, new) = stanch("key", "show", "--json").json
    assert (old["valid_until"], "anchored_by" in old, "valid_until" in new) == (good, True, False)
    verdict = stamped.verdict("robbed")
    assert verdict.exit_code == 1
    assert f"signed by the key {thief.kid!r}, which counts for sizes 0 to {good}" in said(verdict)
    # What the key signed before, and others saw, still counts.
    (problem,) = {p.file for p in verdict.problems}
    assert problem.startswith(bag.MANIFESTS)
    assert said(stamped.verdict("before")) == ""


def test_a_paper_about_a_key_that_was_changed_on_its_way_is_refused(stamped: Home) -> None:
    thief = stamped.parts().keys.manifest
    stamped.verdict("before")
    good = seen_size(stamped)
    stamped.rotate(MANIFEST)
    assert revoke(f"manifest:{thief.kid}", good).status == 0
    paper = json.loads(Path("paper.json").read_text())
    for change, why in (
        ({"last_good": good - 1}, "signature of alice is over another statement"),
        ({"role": "log"}, "signature of alice is over another statement"),
        ({"more": 1}, "has exactly"),
        ({"proven_at": "noon"}, "proven_at is malformed"),
    ):
        changed = paper | {"statement": paper["statement"] | change}
        Path("changed.json").write_text(json.dumps(changed))
        ran = stanch("key", "sign", "changed.json", "--key", "bob.key", "--yes")
        assert (ran.status, why in ran.err) == (1, True), (change, ran.err)
    assert stamped.kinds() == [ROTATE]


def test_a_revocation_by_somebody_unknown_counts_for_none(stamped: Home) -> None:
    thief = stamped.parts().keys.manifest
    stamped.verdict("before")
    good = seen_size(stamped)
    stamped.rotate(MANIFEST)
    assert revoke(f"manifest:{thief.kid}", good).status == 0
    paper = json.loads(Path("paper.json").read_text())
    parts = stamped.parts()
    stranger = keys.load_manifest(own_key(stamped.folder)).key
    paper["signatures"].append(key_signing.sign(paper["statement"], "bob", stranger))
    with pytest.raises(KeyStatementError, match="not known as bob's here"):
        key_changing.revoke(Store(parts.engine), parts, paper, "bob")
    # Nor where it was written past us, into the database.
    record = Record("bob", parts.now, parts.random)
    Store(parts.engine).commit(lambda conn: record.note(conn, DEPLOYMENT, REVOKE, paper))
    anchor(Store(parts.engine), parts)
    ran = stanch("trust")
    assert (ran.status, "not known as bob's here" in ran.err) == (1, True)


def test_without_anybody_outside_no_key_is_revoked(keyed: Home) -> None:
    old = keyed.parts().keys.log.verifier.key_id.hex()
    keyed.rotate(LOG)
    ran = revoke(f"log:{old}", sizes(keyed))
    assert ran.status == 1
    assert "no quorum of witnesses or timestamp authorities saw a head" in ran.err
    assert "docs/operations/witness.md" in ran.err


def test_a_revoked_log_key_counts_for_what_others_saw(stamped: Home) -> None:
    old = stamped.parts().keys.log.verifier.key_id.hex()
    assert stamped.verdict("before").timestamped
    good = seen_size(stamped)
    stamped.rotate(LOG)
    assert revoke(f"log:{old}", good).status == 0
    assert stanch("key", "sign", "paper.json", "--key", "bob.key", "--yes").status == 0
    assert stamped.trust["key_history"][0]["valid_until"] == good
    verdict = stamped.verdict("after")
    assert (said(verdict), verdict.timestamped) == ("", True)
    # Its head was of more entries than those that were stamped: those of the stamps themselves.
    assert f"log key {old}, which counts for sizes 0 to {good}" in said(stamped.verdict("before"))
