"""The verdict on witnesses: a quorum named by the auditor, or the words why there is none."""

import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence import bag
from evidence.cosignature import cosign, cosigner_vkey, cosigning_key
from evidence.note import checkpoint_text, signer_of, unverified_checkpoint, vkey
from evidence.verify import verify_bundle
from tests.evidence.forgery import rebag, restate

AT = 1_790_000_000
WITNESSES = [
    cosigning_key(f"w{n}.example", Ed25519PrivateKey.from_private_bytes(bytes([n + 1] * 32)))
    for n in range(3)
]
KEYS = [cosigner_vkey(one.cosigner) for one in WITNESSES]
DEFINED = "".join(f"witness w{n} {key}\n" for n, key in enumerate(KEYS))
TWO_OF_THREE = f"{DEFINED}group all-of-them 2 w0 w1 w2\nquorum all-of-them\n"


def witnessed(original, tmp_path, chosen, change=lambda text: text):
    """Return a bundle whose checkpoint these cosigned, with everything else made to fit."""
    chamber, bundle = original
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    path = copy / bag.CHECKPOINT
    note = path.read_text()
    text = change(checkpoint_text(unverified_checkpoint(note)))
    path.write_text(note + "".join(cosign(text, WITNESSES[n], AT + n) for n in chosen))
    rebag(copy)
    restate(copy, chamber.signer)
    return copy


def judged(original, copy, policy=TWO_OF_THREE, keys=KEYS):
    return verify_bundle(copy, original[0].trust | {"witnesses": list(keys), "policy": policy})


@pytest.mark.parametrize("chosen", [(), (0,), (0, 1), (1, 2), (0, 1, 2)])
def test_a_quorum_and_nothing_less_makes_a_head_witnessed(original, tmp_path, chosen):
    verdict = judged(original, witnessed(original, tmp_path, chosen))
    assert verdict.problems == ()
    assert verdict.witnessed is (len(chosen) >= 2)
    assert ("unwitnessed" in verdict.status) is (len(chosen) < 2)
    if len(chosen) < 2:
        assert any("no quorum" in why and "w2.example" in why for why in verdict.lacking)


def test_without_witnesses_in_the_trust_input_cosignatures_are_worth_nothing(original, tmp_path):
    copy = witnessed(original, tmp_path, (0, 1, 2))
    verdict = verify_bundle(copy, original[0].trust)
    assert (verdict.exit_code, verdict.problems, verdict.witnessed) == (3, (), False)


def test_the_policy_of_the_bundle_is_worth_nothing(original, tmp_path):
    copy = witnessed(original, tmp_path, (0,))
    (copy / bag.POLICY).write_text(f"{DEFINED}quorum w0\n")
    rebag(copy)
    restate(copy, original[0].signer)
    verdict = judged(original, copy)
    assert (verdict.problems, verdict.witnessed) == ((), False)


def test_a_bundle_s_policy_that_is_none_is_named(original, tmp_path):
    copy = witnessed(original, tmp_path, ())
    (copy / bag.POLICY).write_text("quorum nobody\n")
    rebag(copy)
    restate(copy, original[0].signer)
    verdict = judged(original, copy)
    assert [problem.file for problem in verdict.problems] == [bag.POLICY]
    assert verdict.exit_code == 1


def test_a_cosignature_of_another_tree_spoils_the_bundle(original, tmp_path):
    copy = witnessed(original, tmp_path, (0, 1), lambda text: text.replace("\n", "\n1", 1))
    verdict = judged(original, copy)
    assert (verdict.exit_code, verdict.witnessed) == (1, False)
    assert any("w0.example" in p.what and "does not fit" in p.what for p in verdict.problems)


def test_a_policy_that_asks_for_nobody_never_makes_a_head_witnessed(original, tmp_path):
    copy = witnessed(original, tmp_path, (0, 1, 2))
    verdict = judged(original, copy, f"{DEFINED}quorum none\n")
    assert (verdict.exit_code, verdict.witnessed) == (3, False)
    assert any("asks for no witness" in why for why in verdict.lacking)


OTHER_LOG = signer_of("log.example/else", Ed25519PrivateKey.from_private_bytes(bytes(32)))


@pytest.mark.parametrize(
    ("policy", "keys"),
    [
        (TWO_OF_THREE, KEYS[:2]),
        (f"witness w0 {KEYS[0]}\nquorum w0\n", KEYS),
        ("quorum nobody\n", KEYS),
        (f"log {vkey(OTHER_LOG.verifier)}\n{TWO_OF_THREE}", KEYS),
        (7, KEYS),
        (TWO_OF_THREE, "w0"),
        (TWO_OF_THREE, [7]),
    ],
)
def test_trust_that_contradicts_itself_is_no_trust(original, tmp_path, policy, keys):
    copy = witnessed(original, tmp_path, (0, 1))
    assert judged(original, copy, policy, keys).exit_code == 4


@pytest.mark.parametrize("left", ["witnesses", "policy"])
def test_witnesses_and_policy_go_together(original, left):
    chamber, bundle = original
    trust = chamber.trust | {"witnesses": KEYS, "policy": TWO_OF_THREE}
    del trust[left]
    assert verify_bundle(bundle, trust).exit_code == 4


def test_a_policy_may_name_the_log(original, tmp_path):
    copy = witnessed(original, tmp_path, (0, 1))
    policy = f"log {vkey(original[0].log.verifier)}\n{TWO_OF_THREE}"
    assert judged(original, copy, policy).witnessed
