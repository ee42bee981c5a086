"""Who held evidence can be withheld from an export, but is not erased."""

from pathlib import Path

import pytest

from evidence import bag, bundle, ledger
from evidence.custody.record import view
from evidence.custody.state import LOCKER
from evidence.custody.statement import HOLD, RELEASE, TRANSFER
from evidence.erasing import erase_values, naming
from evidence.errors import CustodyError
from evidence.withheld import Withheld
from tests.evidence.agreed import verify_bundle
from tests.evidence.chamber import CASE, Chamber, describe
from tests.evidence.custodians import Desk
from tests.evidence.test_verify_custody import Story


@pytest.fixture
def handed(chamber: Chamber) -> Chamber:
    chamber.say("case.open", {"finding": "x"}, actor="stanch")
    artifact = chamber.keep(describe(1))["artifact_id"]
    with chamber.begin() as conn:
        desk = Desk(ledger.pseudonym(conn, CASE))

    def say(kind: str, *signers: str, **said: object) -> None:
        body = desk.body(kind, chamber.now, *signers, **said)
        chamber.say(kind, body, actor=signers[-1])

    say(HOLD, "carol", hold="H-1", artifacts=[artifact])
    for giver, taker in ((LOCKER, "bob"), ("bob", "alice")):
        way = {"from": giver, "to": taker, "place": "room 6"}
        say(TRANSFER, giver, taker, artifacts=[artifact], **way)
    say(RELEASE, "carol", "alice", hold="H-1")
    chamber.integrate()
    return chamber


def export(chamber: Chamber, name: str, *values: str) -> Path:
    with chamber.begin() as conn:
        out, left_out = chamber.folder / name, Withheld(values=tuple(sorted(values)))
        return bundle.export(
            conn, chamber.locker, CASE, chamber.signer, out, withheld=left_out
        ).path


def everything(path: Path) -> bytes:
    return b"".join(one.read_bytes() for one in path.rglob("*") if one.is_file())


def test_names_of_custodians_are_given_or_withheld(handed: Chamber) -> None:
    whole = export(handed, "whole")
    verdict = verify_bundle(whole, handed.trust)
    assert (verdict.exit_code, verdict.problems, verdict.withheld) == (3, (), ())
    assert verdict.custody is not None
    assert verdict.custody.statements == 4
    for name in (b'"carol"', b'"bob"'):
        assert name in everything(whole).replace(b"\\", b"")
    none = export(handed, "none", "*")
    verdict = verify_bundle(none, handed.trust)
    assert (verdict.exit_code, verdict.problems) == (3, ())
    assert len(verdict.withheld) == 4
    for name in (b"carol", b"bob"):
        assert name not in everything(none)
    assert "who signed it is not open here" in (none / bag.REPORT).read_text()


def test_what_follows_from_what_is_withheld_cannot_be_judged(handed: Chamber) -> None:
    verdict = verify_bundle(export(handed, "some", HOLD), handed.trust)
    assert verdict.exit_code == 2
    assert "or it follows from an entry that is not open" in verdict.problems[0].what
    assert verify_bundle(export(handed, "rest", HOLD, RELEASE), handed.trust).exit_code == 3


def test_a_hold_that_is_withheld_hides_no_disposal_under_it(chamber: Chamber) -> None:
    story = Story(chamber)
    story.hold()
    story.dispose(story.sealed)
    chamber.integrate()
    trust = story.trust()
    assert verify_bundle(export(chamber, "whole"), trust).exit_code == 1
    verdict = verify_bundle(export(chamber, "some", HOLD), trust)
    assert verdict.exit_code == 2
    assert "or it follows from an entry that is not open" in verdict.problems[0].what


def test_who_held_evidence_is_not_erased(handed: Chamber) -> None:
    with handed.begin() as conn:
        assert naming(conn, CASE, "carol") == []
        signed = next(e for e in ledger.entries(conn, CASE) if e.leaf.kind == HOLD)
        commitments = [one.commitment for one in signed.opening.values]
        assert len(commitments) == 2
    with handed.begin() as conn, pytest.raises(CustodyError, match="that may go"):
        erase_values(conn, CASE, commitments)


def test_a_signature_that_was_deleted_counts_for_none(handed: Chamber) -> None:
    with handed.begin() as conn:
        assert view(conn, CASE).problems == []
        conn.exec_driver_sql("DELETE FROM ledger_values WHERE place = '/signatures'")
        found = view(conn, CASE)
    assert (found.holds, len(found.problems)) == ({}, 4)
    assert "who signed it is not open here" in found.problems[0]
