"""Quorum policies: who counts, how often, and what no policy may say."""

import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from evidence.cosignature import Cosigner, cosigner_vkey, cosigning_key
from evidence.errors import PolicyError
from evidence.note import signer_of, vkey
from evidence.policy import parse_policy

LOG = vkey(signer_of("log.example/one", Ed25519PrivateKey.from_private_bytes(bytes(32))).verifier)


def witness(number: int) -> Cosigner:
    key = Ed25519PrivateKey.from_private_bytes(bytes([number + 1] * 32))
    return cosigning_key(f"w{number}.example", key).cosigner


WITNESSES = [witness(number) for number in range(6)]
KEYS = [cosigner_vkey(one) for one in WITNESSES]
DEFINED = "".join(f"witness w{n} {key}\n" for n, key in enumerate(KEYS))
NESTED = (
    f"log {LOG}\n{DEFINED}group x 2 w0 w1 w2\ngroup y any w3 w4 w5\ngroup both all x y\n"
    "quorum both\n"
)


def test_a_nested_policy_counts_each_witness_in_its_group():
    policy = parse_policy(NESTED)
    assert [log.name for log in policy.logs] == ["log.example/one"]
    for chosen in itertools.chain.from_iterable(
        itertools.combinations(range(6), count) for count in range(7)
    ):
        enough = sum(n < 3 for n in chosen) >= 2 and any(n >= 3 for n in chosen)
        assert policy.met(WITNESSES[n] for n in chosen) is enough


@given(st.integers(1, 6), st.sets(st.integers(0, 5)))
def test_k_of_n(needed, chosen):
    names = " ".join(f"w{n}" for n in range(6))
    policy = parse_policy(f"{DEFINED}group g {needed} {names}\nquorum g\n")
    assert policy.met(WITNESSES[n] for n in chosen) is (len(chosen) >= needed)


@given(st.sets(st.integers(0, 5)), st.integers(0, 5))
def test_no_further_cosigner_takes_a_quorum_away(chosen, more):
    policy = parse_policy(NESTED)
    if policy.met(WITNESSES[n] for n in chosen):
        assert policy.met(WITNESSES[n] for n in chosen | {more})


def test_a_single_witness_may_be_the_quorum():
    policy = parse_policy(f"{DEFINED}quorum w2\n")
    assert policy.met([WITNESSES[2]])
    assert not policy.met(WITNESSES[:2])


def test_none_asks_for_nobody():
    policy = parse_policy("# nobody yet\n\n  quorum\tnone  \n")
    assert policy.met([])
    assert not policy.asks


def test_a_stranger_counts_for_nothing():
    policy = parse_policy(f"witness w {KEYS[0]}\nquorum w\n")
    assert not policy.met(WITNESSES[1:])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "newline"),
        ("quorum none", "newline"),
        ("\n", "without a quorum"),
        ("quorum none\nquorum none\n", "second quorum"),
        ("quorum w\n", "not defined"),
        (f"quorum w\nwitness w {KEYS[0]}\n", "not defined"),
        (f"witness none {KEYS[0]}\nquorum none\n", "defined already"),
        (f"{DEFINED}witness w0 {KEYS[0]}\nquorum none\n", "line 7.*defined already"),
        (f"{DEFINED}witness again {KEYS[0]}\nquorum none\n", "key a second time"),
        (f"log {LOG}\nlog {LOG}\nquorum none\n", "key a second time"),
        (f"{DEFINED}group g 1 w0 w0\nquorum g\n", "count twice"),
        (f"{DEFINED}group g 1 w0\ngroup h 1 w0\nquorum h\n", "count twice"),
        (f"{DEFINED}group g 1 g\nquorum g\n", "not defined"),
        (f"{DEFINED}group g 1 none\nquorum g\n", "not defined"),
        (f"{DEFINED}group w0 1 w1\nquorum w0\n", "defined already"),
        (f"{DEFINED}group g 0 w0\nquorum g\n", "expected 1 to 1"),
        (f"{DEFINED}group g 2 w0\nquorum g\n", "expected 1 to 1"),
        (f"{DEFINED}group g 01 w0\nquorum g\n", "expected 1 to 1"),
        (f"{DEFINED}group g +1 w0\nquorum g\n", "expected 1 to 1"),
        (f"{DEFINED}group g \N{ARABIC-INDIC DIGIT ONE} w0\nquorum g\n", "expected 1 to 1"),
        (f"{DEFINED}group g all\nquorum g\n", "line 7: not"),
        (f"witness w {LOG}\nquorum w\n", "0x04"),
        (f"log {KEYS[0]}\nquorum none\n", "0x01"),
        ("Quorum none\n", "line 1: not"),
        ("quorum none none\n", "line 1: not"),
        ("quorum none\r\n", "control"),
        ("quorum\x0bnone\n", "control"),
        ("quorum\N{NO-BREAK SPACE}none\n", "line 1: not"),
        ("#\n" * 2000 + "quorum none\n", "lines"),
    ],
)
def test_what_no_policy_may_say(text, why):
    with pytest.raises(PolicyError, match=why):
        parse_policy(text)


@given(st.text())
def test_any_text_is_a_policy_or_an_error(text):
    try:
        parse_policy(text)
    except PolicyError:
        pass
