"""A verifier written from the document alone agrees with the shipped one, bundle by bundle."""

import ast
import base64
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from evidence import bag, manifest
from evidence.canonical import canonical
from evidence.cosignature import cosign, cosigner_vkey, cosigning_key
from evidence.note import checkpoint_text, unverified_checkpoint
from evidence.verify import verify_bundle
from tests.evidence import mutations, second
from tests.evidence.chamber import ORIGIN, Chamber, fill
from tests.evidence.forgery import read_lines, rebag, restate, write_lines
from tests.evidence.second.check import verify
from tests.evidence.test_verify_witnesses import DEFINED, KEYS, TWO_OF_THREE, witnessed

REFUSED = {1, 2}
SECOND = cosigning_key(ORIGIN, MLDSA44PrivateKey.from_seed_bytes(bytes(32)))
WITNESS = cosigning_key("w9.example", MLDSA44PrivateKey.from_seed_bytes(bytes([9] * 32)))
# What is refused when it is missing; another verifier may find, too, what no longer agrees.
HOLDS_TOGETHER = {bag.MANIFEST, bag.TAG_MANIFEST, bag.ENTRIES}


def both(bundle: Path, trust: object) -> tuple[int, int]:
    return int(verify_bundle(bundle, trust).exit_code), verify(bundle, trust).code


def test_it_imports_nothing_of_the_product():
    allowed = {*sys.stdlib_module_names, "cryptography"}
    files = sorted(Path(second.__file__).parent.glob("*.py"))
    assert len(files) > 5
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [str(node.module)]
            for name in names:
                inside = name.startswith("tests.evidence.second.")
                assert inside or name.partition(".")[0] in allowed, f"{file.name}: {name}"


def test_both_find_nothing_wrong_with_a_good_bundle(original):
    chamber, bundle = original
    assert both(bundle, chamber.trust) == (3, 3)
    assert both(bundle, None) == (4, 4)
    found = verify(bundle, chamber.trust)
    assert (found.wrong, found.lacking, found.no_trust) == ([], [], [])


def test_both_allow_for_what_was_erased(chamber):
    fill(chamber)
    for number, expected in ((4, (3, 3)), (3, (2, 2))):
        with chamber.begin() as conn:
            conn.exec_driver_sql(f"DELETE FROM ledger_openings WHERE entry_id = {number}")
        assert both(chamber.export(f"without-{number}"), chamber.trust) == expected


def test_both_tell_a_later_form_of_manifests_from_a_forgery(chamber, monkeypatch):
    with monkeypatch.context() as then:
        then.setattr(manifest, "SCHEMA", "urn:stanch:manifest:2")
        fill(chamber)
        bundle = chamber.export()
    assert both(bundle, chamber.trust) == (2, 2)
    later = sorted(path.name for path in (bundle / bag.MANIFESTS).iterdir())
    told = [p.file for p in verify_bundle(bundle, chamber.trust).problems]
    assert told == [*(bag.MANIFESTS + name for name in later), bag.CASE, bag.REPORT]
    assert verify(bundle, chamber.trust).wrong == []


def test_both_allow_for_a_case_without_artifacts(chamber):
    chamber.say("case.open", {"finding": "none"})
    chamber.integrate()
    assert both(chamber.export(), chamber.trust) == (3, 3)


@pytest.mark.parametrize(
    "policy", [TWO_OF_THREE, f"{DEFINED}quorum w0\n", f"{DEFINED}quorum none\n"]
)
@pytest.mark.parametrize("chosen", [(), (0,), (1, 2), (0, 1, 2)])
def test_both_count_the_same_witnesses(original, tmp_path, chosen, policy):
    trust = original[0].trust | {"witnesses": KEYS, "policy": policy}
    bundle = witnessed(original, tmp_path, chosen)
    assert both(bundle, trust) == (3, 3)
    assert verify_bundle(bundle, trust).witnessed is verify(bundle, trust).witnessed


@pytest.mark.parametrize(
    ("signers", "code"),
    [((), 2), ((SECOND,), 3), ((SECOND, WITNESS), 3), ((WITNESS,), 2)],
)
def test_both_ask_for_the_second_key_and_count_a_witness_with_such_a_key(
    original, copy, signers, code
):
    chamber, _ = original
    key = cosigner_vkey(WITNESS.cosigner)
    trust = chamber.trust | {"log_second_vkey": cosigner_vkey(SECOND.cosigner)}
    trust |= {"witnesses": [key], "policy": f"witness w {key}\nquorum w\n"}
    path = copy / bag.CHECKPOINT
    note = path.read_text()
    text = checkpoint_text(unverified_checkpoint(note))
    path.write_text(note + "".join(cosign(text, one, 1_790_000_000) for one in signers))
    rebag(copy)
    restate(copy, chamber.signer)
    assert both(copy, trust) == (code, code)
    if code == 3:
        assert verify_bundle(copy, trust).witnessed is (WITNESS in signers)
        assert verify(copy, trust).witnessed is (WITNESS in signers)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "else.example"},
        {"log_vkey": "x"},
        {"log_second_vkey": KEYS[0]},
        {"manifest_keys": [{"kid": "a", "kty": "RSA"}]},
        {"witnesses": KEYS},
        {"policy": TWO_OF_THREE},
        {"witnesses": KEYS[:2], "policy": TWO_OF_THREE},
        {"witnesses": KEYS, "policy": TWO_OF_THREE.removesuffix("\n")},
    ],
    ids=str,
)
def test_both_refuse_a_malformed_trust_input(original, change):
    assert both(original[1], original[0].trust | change) == (4, 4)


@pytest.mark.parametrize("change", [{"alg": "ES384"}, {"use": "enc"}, {"d": "x"}, {"key_ops": []}])
def test_both_refuse_a_key_that_is_not_for_this(original, change):
    trust = original[0].trust
    key = trust["manifest_keys"][0] | change
    assert both(original[1], trust | {"manifest_keys": [key]}) == (4, 4)


def mutate(chamber: Chamber, bundle: Path, seed: int) -> str:
    """Change a bundle as this seed says: with no key, with new hashes, or with the manifest key."""
    chance = random.Random(seed)
    if seed % 11 == 10:
        return mutations.resign(bundle, chamber.signer, chance)
    how = chance.choice(["as it is", "bagged", "sealed", "sealed", "sealed"])
    said = mutations.OUTSIDE[seed % 11](bundle, chance, how != "as it is")
    if how != "as it is":
        mutations.reseal(bundle, chamber.signer if how == "sealed" else None)
    return f"{said}, {how}"


@pytest.mark.parametrize("kind", ["plain", "whole"])
def test_both_refuse_whatever_was_changed_and_for_a_reason_of_the_same_class(
    original, made, tmp_path, kind
):
    """A hundred changes, each by its seed, of a bundle and of one with all that one can hold."""
    chamber, bundle = original if kind == "plain" else (made.chamber, made.bundle)
    trust = chamber.trust if kind == "plain" else without_timestamps(made.trust)
    seen, seed = set(), 0
    classes = []
    while len(classes) < 100:
        copy = Path(shutil.copytree(bundle, tmp_path / str(seed)))
        said = mutate(chamber, copy, seed)
        seed += 1
        if said in seen:
            continue
        seen.add(said)
        shipped, other = both(copy, trust)
        # Who may seal a bundle may say that anybody was asked to witness, and leave out the count,
        # of which only the page tells then, on whose hash the second verifier relies.
        if "sealed" in said and (bag.POLICY in said or f"{bag.HEADS} removed" in said):
            continue
        assert {shipped, other} <= REFUSED, f"seed {seed - 1}: {said}: {shipped} and {other}"
        if not ("removed" in said and said.partition(" ")[0] in HOLDS_TOGETHER):
            assert shipped == other, f"seed {seed - 1}: {said}"
        classes.append(shipped)
    assert {*classes} == REFUSED


def without_timestamps(trust: dict) -> dict:
    """Return the trust without authorities, whom the second verifier does not judge."""
    return {name: value for name, value in trust.items() if not name.startswith("timestamp")}


def add_file(bundle: Path) -> None:
    (bundle / "data" / "x").write_bytes(b"x")


def swap_proofs(bundle: Path) -> None:
    first, other, *rest = read_lines(bundle, bag.PROOFS)
    write_lines(bundle, bag.PROOFS, [other, first, *rest])


def tell_more(bundle: Path) -> None:
    write_lines(bundle, bag.PROOFS, [line | {"more": 1} for line in read_lines(bundle, bag.PROOFS)])


def drop_statement(bundle: Path) -> None:
    write_lines(bundle, bag.STATEMENTS, read_lines(bundle, bag.STATEMENTS)[:-1])


def state_a_later_form(bundle: Path) -> None:
    """Leave a statement that is signed when the bundle is sealed."""
    stated = mutations.payload_of(bundle / bag.EXPORT) | {"schema": "urn:stanch:export:9"}
    payload = base64.urlsafe_b64encode(canonical(stated)).rstrip(b"=").decode()
    (bundle / bag.EXPORT).write_text(f"head.{payload}.signature")


def name_another_log(bundle: Path) -> None:
    path = bundle / bag.INFO
    path.write_text(path.read_text().replace("Identifier: log.", "Identifier: lag."))


def name_no_tool(bundle: Path) -> None:
    path = bundle / bag.INFO
    path.write_text(path.read_text().replace("Bag-Software-Agent: stanch\n", ""))


def shout_hex(bundle: Path) -> None:
    first, *rest = read_lines(bundle, bag.PROOFS)
    steps = [step.upper() for step in first["path"]]
    write_lines(bundle, bag.PROOFS, [first | {"path": steps}, *rest])


def shout_salt(bundle: Path) -> None:
    first, *rest = read_lines(bundle, bag.ENTRIES)
    opening = first["opening"] | {"salt": first["opening"]["salt"].upper()}
    write_lines(bundle, bag.ENTRIES, [first | {"opening": opening}, *rest])


@pytest.mark.parametrize(
    ("change", "class_"),
    [
        (add_file, 1),
        (swap_proofs, 1),
        (tell_more, 1),
        (name_another_log, 1),
        (name_no_tool, 1),
        (shout_hex, 1),
        (shout_salt, 1),
        (drop_statement, 2),
        (state_a_later_form, 2),
    ],
)
def test_both_say_what_is_documented(original, copy, change: Callable[[Path], None], class_):
    change(copy)
    mutations.reseal(copy, original[0].signer)
    assert both(copy, original[0].trust) == (class_, class_)


@pytest.mark.parametrize(
    "verifier",
    [
        lambda bundle, trust: verify_bundle(bundle, trust).exit_code,
        lambda bundle, trust: verify(bundle, trust).code,
    ],
    ids=["shipped", "second"],
)
def test_a_kid_that_is_no_text_is_a_malformed_trust_input(original, verifier):
    key = original[0].trust["manifest_keys"][0] | {"kid": 1}
    assert verifier(original[1], original[0].trust | {"manifest_keys": [key]}) == 4


def test_what_the_tests_seal_is_a_good_bundle_again(original, copy):
    rebag(copy)
    restate(copy, original[0].signer)
    assert both(copy, original[0].trust) == (3, 3)
