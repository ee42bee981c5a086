"""A bundle with redacted copies: checked against originals, or given in their place."""

from pathlib import Path

import pytest

from evidence import bag, bundle, ledger
from evidence.errors import BundleError
from evidence.redaction.originals import redacted_originals
from evidence.verify import verify_bundle
from evidence.withheld import SCHEMA, Withheld, check_withheld
from tests.evidence.chamber import CASE, Chamber, describe
from tests.evidence.forgery import rebag, restate
from tests.evidence.reviewing import FACTS, LOG, SEALED, WANTED, WHY, artifact, forged, review
from tests.evidence.second import check as second


@pytest.fixture
def kept(chamber: Chamber) -> Chamber:
    chamber.say("case.open", {"finding": "x"})
    for item in (LOG, SEALED, FACTS, describe(1)):
        chamber.keep(item)
    return chamber


def export(chamber: Chamber, name: str, withheld: Withheld | None = None) -> Path:
    chamber.integrate()
    with chamber.begin() as conn:
        if withheld is None:
            withheld = Withheld(redacted_originals(ledger.entries(conn, CASE)))
        return bundle.export(
            conn, chamber.locker, CASE, chamber.signer, chamber.folder / name, withheld=withheld
        ).path


def verdict(chamber: Chamber, path: Path) -> tuple[int, str]:
    """What both verifiers say, and why ours does."""
    found = verify_bundle(path, chamber.trust)
    assert second.verify(path, chamber.trust).code == found.exit_code
    return found.exit_code, " ".join(f"{p.file} {p.what}" for p in found.problems)


def test_copies_are_checked_with_their_originals_and_without(kept: Chamber) -> None:
    copies = [review(kept, one.name) for one in (LOG, SEALED, FACTS)]
    whole = export(kept, "whole", Withheld())
    assert verdict(kept, whole) == (3, "")
    assert verify_bundle(whole, kept.trust).withheld == ()
    given = export(kept, "given")
    assert verdict(kept, given) == (3, "")
    told = verify_bundle(given, kept.trust).withheld
    assert len(told) == 3
    for item, made in zip((LOG, SEALED, FACTS), copies, strict=True):
        stored, copy = artifact(kept, item.name).stored_sha256, made.copy["stored_sha256"]
        assert (whole / bag.ARTIFACTS / stored).exists()
        assert not (given / bag.ARTIFACTS / stored).exists()
        assert any(stored in one and f"copy given: {copy}" in one for one in told)
        content = (given / bag.ARTIFACTS / copy).read_bytes()
        assert b"redacted" in content or b"XXX" in content
    everything = b"".join(p.read_bytes() for p in given.rglob("*") if p.is_file())
    for secret in (b"mallory", b"192.0.2.7", b"4000 0000", b'"eve"'):
        assert secret not in everything
    counted = {check.name: (check.ok, check.count) for check in verify_bundle(whole, None).checks}
    assert counted["redacted copies and their maps"] == (True, 3)


def test_a_copy_that_was_redacted_on_stands_for_both(kept: Chamber) -> None:
    review(kept, FACTS.name)
    artifacts = export(kept, "once")
    first = artifact(kept, f"{FACTS.name}.redacted")
    WANTED[first.name] = ("json", [{"pointer": "/key"} | WHY])
    review(kept, first.name)
    path = export(kept, "twice")
    assert verdict(kept, artifacts) == verdict(kept, path) == (3, "")
    assert len(verify_bundle(path, kept.trust).withheld) == 2
    assert not (path / bag.ARTIFACTS / first.stored_sha256).exists()


def test_an_artifact_that_was_deleted_is_missing_and_not_withheld(kept: Chamber) -> None:
    review(kept, LOG.name)
    path = export(kept, "whole", Withheld())
    gone = f"{bag.ARTIFACTS}{artifact(kept, LOG.name).stored_sha256}"
    (path / gone).unlink()
    rebag(path)
    code, told = verdict(kept, path)
    assert (code, f"{gone} is named by" in told) == (1, True)
    # Even with a statement that fits the bag anew, it is not said to be withheld.
    restate(path, kept.signer)
    code, told = verdict(kept, path)
    assert (code, f"{gone} is named by" in told, "missing" in told) == (2, True, True)


def test_what_has_no_redacted_copy_cannot_be_withheld(kept: Chamber) -> None:
    review(kept, LOG.name)
    other = artifact(kept, FACTS.name).stored_sha256
    code, told = verdict(kept, export(kept, "other", Withheld((other,))))
    assert (code, "no redacted copy of it is given" in told) == (1, True)
    code, told = verdict(kept, export(kept, "nothing", Withheld(("ab" * 32,))))
    assert (code, "which no manifest names" in told) == (1, True)
    mine = artifact(kept, LOG.name).stored_sha256
    path = export(kept, "mine")
    copied = kept.locker.read(mine)
    (path / bag.ARTIFACTS / mine).write_bytes(copied)
    rebag(path)
    restate(path, kept.signer)
    code, told = verdict(kept, path)
    assert (code, "although the export says that it is withheld" in told) == (1, True)


GOOD = b"login of [redacted] from XXXXXXXXX\n"
BAD = {
    "outside": (GOOD.replace(b"login", b"logon"), "from byte 3"),
    "hidden range": (GOOD.replace(b"[redacted]", b"mallory!!!"), "in redaction 0"),
    "kept range": (GOOD.replace(b"XXXXXXXXX", b"192.0.2.7"), "in redaction 1"),
    "longer": (GOOD + b"mallory", "by its map it has"),
    "shorter": (GOOD[:-1], "by its map it has"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_copy_that_its_map_does_not_make_is_found(kept: Chamber, name: str) -> None:
    content, why = BAD[name]
    forged(kept, LOG.name, content)
    code, told = verdict(kept, export(kept, "whole", Withheld()))
    assert (code, why in told) == (1, True), told
    code, told = verdict(kept, export(kept, "given"))
    # Without the original nobody can say what else stood outside the ranges.
    assert (code, why in told) == ((3, False) if name == "outside" else (1, True)), told


BAD_JSON = {
    "other value": (b'{"key":"AKIA2","name":"[redacted]"}', "value for value"),
    "left in": (b'{"key":"AKIA1","name":"eve"}', "another value than"),
    "written otherwise": (b'{"key": "AKIA1", "name": "[redacted]"}', "canonical"),
    "said twice": (b'{"key":"AKIA1","name":"eve","name":"[redacted]"}', "stands twice"),
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_a_copy_of_json_that_its_map_does_not_make_is_found(kept: Chamber, name: str) -> None:
    content, why = BAD_JSON[name]
    forged(kept, FACTS.name, content)
    code, told = verdict(kept, export(kept, "whole", Withheld()))
    assert (code, why in told) == (1, True), told


def test_a_copy_is_derived_from_its_original_and_signed_for(kept: Chamber) -> None:
    forged(kept, LOG.name, GOOD, derived=False)
    code, told = verdict(kept, export(kept, "underived"))
    assert (code, "not derived from this original by this map" in told) == (1, True)


def test_a_copy_whose_redaction_is_erased_cannot_be_judged(kept: Chamber) -> None:
    review(kept, LOG.name)
    with kept.begin() as conn:
        conn.exec_driver_sql(
            "DELETE FROM ledger_openings WHERE entry_id = (SELECT max(id) FROM ledger_entries)"
        )
    code, told = verdict(kept, export(kept, "whole", Withheld()))
    assert (code, "whose redaction entry is not open" in told) == (2, True)


def test_a_sealed_copy_is_checked_by_sizes_and_hashes(kept: Chamber) -> None:
    review(kept, LOG.name, sealed=True)
    assert verdict(kept, export(kept, "given")) == (3, "")


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"artifacts": [], "values": [], "more": 1},
        {"artifacts": ["ab"], "values": []},
        {"artifacts": ["cd" * 32, "ab" * 32], "values": []},
        {"artifacts": ["ab" * 32] * 2, "values": []},
        {"artifacts": [], "values": ["?"]},
        {"artifacts": [], "values": 1},
    ],
    ids=["none", "more", "short", "unsorted", "twice", "value", "number"],
)
def test_a_statement_of_what_is_withheld_has_one_form(members: dict) -> None:
    with pytest.raises(BundleError, match="withheld"):
        check_withheld(members)
    assert SCHEMA == "urn:stanch:export:2"
