"""Whoever changes a bundle is caught, and the message names what was changed."""

import hashlib
import json
import random
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence import bag, jws
from evidence.keys import ManifestKey, thumbprint
from evidence.manifest import TYP
from evidence.note import checkpoint_text, parse_checkpoint, sign_note, signer_of
from evidence.verify import verify_bundle
from tests.evidence.chamber import ORIGIN, Chamber, fill, make_chamber
from tests.evidence.forgery import (
    edit_entries,
    payload,
    read_lines,
    rebag,
    restate,
    write_lines,
)

CAUGHT = (1, 2)


def told(chamber: Chamber, bundle: Path) -> tuple[int, str]:
    verdict = verify_bundle(bundle, chamber.trust)
    return verdict.exit_code, "\n".join(f"{p.file}: {p.what}" for p in verdict.problems)


def test_the_bundle_nobody_touched_is_valid(original):
    chamber, bundle = original
    assert told(chamber, bundle) == (3, "")
    assert len([p for p in bundle.rglob("*") if p.is_file()]) == 26


def test_a_flipped_byte_anywhere_is_caught_and_its_file_named(original, copy):
    chamber, _ = original
    chance = random.Random(20261123)
    for path in sorted(p for p in copy.rglob("*") if p.is_file()):
        good = path.read_bytes()
        name = path.relative_to(copy).as_posix()
        places = {0, len(good) - 1, *(chance.randrange(len(good)) for _ in range(6))}
        for at in sorted(places):
            flip = 1 << chance.randrange(8)
            path.write_bytes(good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :])
            code, said = told(chamber, copy)
            assert code in CAUGHT, (name, at, flip)
            assert name in said or name == bag.TAG_MANIFEST, (name, at, flip, said)
        path.write_bytes(good)
    assert told(chamber, copy) == (3, "")


def test_a_file_that_is_dropped_emptied_or_added_is_caught_and_named(original, copy):
    chamber, _ = original
    for path in sorted(p for p in copy.rglob("*") if p.is_file()):
        good = path.read_bytes()
        name = path.relative_to(copy).as_posix()
        path.unlink()
        code, said = told(chamber, copy)
        assert code in CAUGHT, name
        assert f"{name}: is " in said, said
        path.write_bytes(b"")
        code, said = told(chamber, copy)
        assert code in CAUGHT, name
        assert name in said, said
        path.write_bytes(good)
        more = path.with_name("more")
        more.write_bytes(good)
        code, said = told(chamber, copy)
        assert code == 1, name
        assert f"{more.relative_to(copy)}: is not listed" in said, said
        more.unlink()
    assert told(chamber, copy) == (3, "")


# Each forgery: what it does to a bundle, and what the verdict must say to the one who holds the
# manifest key and signs a new export statement over it.


def swap(items, a, b):
    items[a], items[b] = items[b], items[a]
    return items


def edit_opening(number, member, value):
    def change(entries):
        entries[number]["opening"][member] = value
        return entries

    return change


def edit_leaf(number, member, value):
    def change(entries):
        leaf = json.loads(entries[number]["leaf"])
        leaf[member] = value
        entries[number]["leaf"] = json.dumps(leaf, sort_keys=True, separators=(",", ":"))
        return entries

    return change


def reindex(number, index):
    def change(entries):
        entries[number]["index"] = index
        return entries

    return change


def artifacts(bundle):
    return [path for name, path in payload(bundle).items() if name.startswith(bag.ARTIFACTS)]


def manifests(bundle):
    return [path for name, path in payload(bundle).items() if name.startswith(bag.MANIFESTS)]


def swap_contents(paths):
    one, two = paths[:2]
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)


def flip_artifact(bundle):
    path = artifacts(bundle)[0]
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def edit_timeline(bundle):
    path = bundle / bag.TIMELINE
    path.write_bytes(path.read_bytes().replace(b"sg-q", b"sg-x"))


def edit_proofs(change):
    def forge(bundle):
        write_lines(bundle, bag.PROOFS, change(read_lines(bundle, bag.PROOFS)))

    return forge


def edit_step(proofs):
    proofs[3]["path"][0] = "00" * 32
    return proofs


def forge_head(bundle):
    path = bundle / bag.CHECKPOINT
    head = parse_checkpoint(path.read_text().rpartition("\n\n")[0] + "\n")
    mine = signer_of(ORIGIN, Ed25519PrivateKey.generate())
    path.write_text(sign_note(checkpoint_text(head), mine))


FORGERIES = {
    "body edited": (
        edit_entries(edit_opening(2, "body", '{"action":"none"}')),
        r"ledger entry 3: its body is not the one the leaf commits to",
    ),
    "actor edited": (
        edit_entries(edit_opening(2, "actor", "mallory")),
        r"ledger entry 3: its actor is not the one the leaf commits to",
    ),
    "salt edited": (
        edit_entries(edit_opening(2, "salt", "00" * 32)),
        r"ledger entry 3: its body is not the one",
    ),
    "kind edited": (
        edit_entries(edit_leaf(6, "kind", "refusal")),
        r"ledger entry 8: inclusion proof of leaf 8 leads to root",
    ),
    "time edited": (
        edit_entries(edit_leaf(2, "event_time", "2026-11-22T00:00:00.000000Z")),
        r"ledger entry 3: inclusion proof of leaf 3 leads to root",
    ),
    "entry dropped": (
        edit_entries(lambda entries: entries[:3] + entries[4:]),
        r"ledger entry 6: is number 4 of its case where 3 was expected; entries were dropped",
    ),
    "first entry dropped": (
        edit_entries(lambda entries: entries[1:]),
        r"ledger entry 2: is number 1 of its case where 0 was expected",
    ),
    "entry added": (
        edit_entries(lambda entries: [*entries[:4], entries[3], *entries[4:]]),
        r"ledger entry 4: is number 3 of its case where 4 was expected; entries were dropped, add",
    ),
    "entries reordered": (
        edit_entries(lambda entries: swap(entries, 5, 6)),
        r"ledger entry 8: is number 6 of its case where 5 was expected",
    ),
    "entry moved": (
        edit_entries(reindex(2, 5)),
        r"ledger entry 5: (has no inclusion proof|inclusion proof of leaf 5)",
    ),
    "entry closed": (
        edit_entries(edit_opening(2, "salt", 1)),
        r"ledger entry 3: has an opening that is not text",
    ),
    "entry renumbered to fit": (
        edit_entries(lambda e: edit_leaf(3, "case_seq", 3)([*e[:3], *e[4:]])),
        r"ledger entry 6: does not follow from the entry before it",
    ),
    "proof edited": (edit_proofs(edit_step), r"ledger entry 4: inclusion proof of leaf 4"),
    "proof dropped": (
        edit_proofs(lambda proofs: proofs[1:]),
        r"ledger entry 0: has no inclusion proof",
    ),
    "proofs swapped": (
        edit_proofs(
            lambda p: [
                {"index": p[0]["index"], "path": p[1]["path"]},
                {"index": p[1]["index"], "path": p[0]["path"]},
                *p[2:],
            ]
        ),
        r"ledger entry 0: inclusion proof",
    ),
    "proof added": (
        edit_proofs(lambda proofs: [*proofs, {"index": 1, "path": []}]),
        r"proofs\.jsonl: proves entry 1, which the bundle does not hold",
    ),
    "proof twice": (edit_proofs(lambda p: [*p, p[0]]), r"line 8: proves entry 0 again"),
    "head signed by another key": (forge_head, r"checkpoint: no signature of a trusted key"),
    "timeline edited": (edit_timeline, r"timeline\.json: is not what the ledger entries say"),
    "artifact edited": (
        flip_artifact,
        r"artifacts/[0-9a-f]{64}: is listed with another SHA-256 than its manifest and name say",
    ),
    "artifacts swapped": (
        lambda bundle: swap_contents(artifacts(bundle)),
        r"artifacts/[0-9a-f]{64}: is listed with another SHA-256",
    ),
    "artifact dropped": (
        lambda bundle: artifacts(bundle)[0].unlink(),
        r"artifacts/[0-9a-f]{64}: is named by data/custody/manifests/[0-9a-f]{64}\.jws but missing",
    ),
    "artifact added": (
        lambda bundle: (bundle / bag.ARTIFACTS / ("ab" * 32)).write_bytes(b"planted"),
        r"artifacts/(ab){32}: is an artifact that no manifest names",
    ),
    "manifests swapped": (
        lambda bundle: swap_contents(manifests(bundle)),
        r"manifests/[0-9a-f]{64}\.jws: its name is not its SHA-256",
    ),
    "manifest dropped": (
        lambda bundle: manifests(bundle)[0].unlink(),
        r"manifests/[0-9a-f]{64}\.jws: is named by ledger entry \d but missing",
    ),
}


@pytest.mark.parametrize(("forge", "said"), FORGERIES.values(), ids=FORGERIES)
class TestForgery:
    def test_by_an_outsider(self, original, copy, forge, said):
        forge(copy)
        code, found = told(original[0], copy)
        assert code in CAUGHT
        assert re.search(r"was altered|missing|not listed", found)

    def test_by_an_outsider_who_recomputes_every_bag_manifest(self, original, copy, forge, said):
        forge(copy)
        rebag(copy)
        code, found = told(original[0], copy)
        assert code in CAUGHT
        assert "export.jws: states tagmanifest_sha256" in found
        assert re.search(said, found), found

    def test_by_an_outsider_who_also_signs_with_a_key_of_their_own(
        self, original, copy, forge, said
    ):
        forge(copy)
        rebag(copy)
        key = ec.generate_private_key(ec.SECP256R1())
        restate(copy, ManifestKey(thumbprint(key.public_key()), key))
        code, found = told(original[0], copy)
        assert code in CAUGHT
        assert re.search(r"export\.jws: token of key '.*', which is not trusted", found)
        restate(copy, ManifestKey(original[0].signer.kid, key))
        code, found = told(original[0], copy)
        assert code in CAUGHT
        assert re.search(r"export\.jws: signature of key '.*' does not fit", found)

    def test_by_the_holder_of_the_manifest_key(self, original, copy, forge, said):
        forge(copy)
        rebag(copy)
        restate(copy, original[0].signer)
        code, found = told(original[0], copy)
        assert code in CAUGHT
        assert "export.jws: token" not in found
        assert "export.jws: signature" not in found
        assert re.search(said, found), found


def test_a_truncated_ledger_is_caught(original, copy):
    chamber, _ = original
    edit_entries(lambda entries: entries[:-2])(copy)
    code, said = told(chamber, copy)
    assert code == 1
    assert "entries.jsonl: was altered" in said
    rebag(copy)
    code, said = told(chamber, copy)
    assert code == 1
    assert "export.jws: states entries 7; the bundle has 5" in said


def test_entries_cut_in_the_middle_of_a_line_are_caught(original, copy):
    path = copy / bag.ENTRIES
    path.write_bytes(path.read_bytes()[:-40])
    rebag(copy)
    code, said = told(original[0], copy)
    assert code == 1
    assert "entries.jsonl: was cut off" in said


def test_a_manifest_rewritten_and_signed_by_the_manifest_key_is_caught(original, copy):
    chamber, _ = original
    path = manifests(copy)[0]
    public = {chamber.signer.kid: chamber.signer.key.public_key()}
    content = json.loads(jws.verify(path.read_text(), public, TYP))
    content["name"] = "something else"
    text = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    token = jws.sign(text, chamber.signer.key, chamber.signer.kid, TYP)
    path.unlink()
    path.with_name(hashlib.sha256(token.encode()).hexdigest() + ".jws").write_text(token)
    rebag(copy)
    restate(copy, chamber.signer)
    code, said = told(chamber, copy)
    assert code == 1
    assert "is a manifest that no ledger entry names" in said
    assert f"{path.name}: is named by ledger entry" in said


def test_a_manifest_does_not_pass_for_an_export_statement_nor_the_other_way(original, copy):
    chamber, _ = original
    (copy / bag.EXPORT).write_bytes(manifests(copy)[0].read_bytes())
    code, said = told(chamber, copy)
    assert code == 1
    assert "export.jws: token typ is 'evidence-manifest+jws'" in said


def test_the_bundle_of_another_deployment_is_caught(original, tmp_path):
    chamber, bundle = original
    other = make_chamber(tmp_path)
    fill(other)
    code, said = told(chamber, other.export())
    other.engine.dispose()
    assert code == 1
    assert "checkpoint: no signature of a trusted key" in said
    code, said = told(other, bundle)
    assert code == 1
    assert "export.jws: token of key" in said


def test_an_older_head_of_the_same_log_does_not_prove_later_entries(original, copy):
    chamber, _ = original
    with chamber.begin() as conn:
        query = "SELECT note FROM ledger_checkpoints ORDER BY size LIMIT 1"
        note = conn.exec_driver_sql(query).scalar_one()
    (copy / bag.CHECKPOINT).write_text(note)
    rebag(copy)
    restate(copy, chamber.signer)
    code, said = told(chamber, copy)
    assert code == 1
    assert "ledger entry 6: no leaf 6 in a tree of 6" in said
