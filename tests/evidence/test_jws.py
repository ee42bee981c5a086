import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from jose.backends.base import Key

from evidence import jws, jws_offline
from evidence.errors import TokenError
from evidence.jws_token import MAX_TOKEN, base64url, key_from_jwk
from evidence.keys import public_jwk

VECTORS = (
    Path(__file__).resolve().parents[2]
    / "../shared/vectors/wycheproof_json_web_signature_test.json"
)
VERIFIERS = pytest.mark.parametrize("verify", [jws.verify, jws_offline.verify])

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = {"k1": KEY.public_key()}
PAYLOAD = b'{"a":1}'
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def wycheproof() -> list[tuple[Mapping, Mapping]]:
    if not VECTORS.exists():
        return []
    groups = json.loads(VECTORS.read_text())["testGroups"]
    return [
        (group.get("public", group.get("private")), t) for group in groups for t in group["tests"]
    ]


def accepts(verify, jwk: Mapping, token: str) -> bool:
    try:
        verify(token, {jwk.get("kid", ""): key_from_jwk(jwk)})
    except TokenError:
        return False
    return True


@VERIFIERS
def test_of_all_wycheproof_vectors_only_the_valid_es256_ones_pass(verify):
    vectors = wycheproof()
    if not vectors:
        pytest.skip(f"no Wycheproof vectors at {VECTORS.name}; put json_web_signature_test there")
    assert sum(test["result"] == "invalid" for _, test in vectors) == 355
    passed = {test["tcId"] for jwk, test in vectors if accepts(verify, jwk, test["jws"])}
    assert passed == {18, 378}


def raw(r: int, s: int) -> str:
    return base64url(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def token_with(header: bytes | None = None, signature: str | None = None) -> str:
    """A token that is right but for what is given, signed over whatever header it has."""
    head = header if header is not None else b'{"alg":"ES256","kid":"k1"}'
    signed = f"{base64url(head)}.{base64url(PAYLOAD)}"
    if signature is None:
        signature = raw(*decode_dss_signature(KEY.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))))
    return f"{signed}.{signature}"


@VERIFIERS
def test_the_token_that_the_forgeries_are_made_from_passes(verify):
    assert verify(token_with(), PUBLIC) == PAYLOAD


@VERIFIERS
@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"none","kid":"k1"}',
        b'{"alg":"HS256","kid":"k1"}',
        b'{"alg":"ES384","kid":"k1"}',
        b'{"alg":"es256","kid":"k1"}',
        b'{"alg":["ES256"],"kid":"k1"}',
        b'{"alg":"ES256"}',
        b'{"kid":"k1"}',
        b'{"alg":"ES256","kid":"k2"}',
        b'{"alg":"ES256","kid":""}',
        b'{"alg":"ES256","kid":1}',
        b'{"alg":"ES256","kid":"k1","typ":"JWT"}',
        b'{"alg":"ES256","kid":"k1","crit":["b64"],"b64":false}',
        b'{"alg":"ES256","kid":"k1","crit":[]}',
        b'{"alg":"ES256","kid":"k1","jwk":{}}',
        b'{"alg":"ES256","kid":"k1","jku":"https://example.org"}',
        b'{"alg":"ES256","kid":"k1","x5u":"https://example.org"}',
        b'{"alg":"ES256","kid":"k1","zip":"DEF"}',
        b'{"alg":"none","alg":"ES256","kid":"k1"}',
        b'{"alg":"ES256","kid":"k0","kid":"k1"}',
        b'{"alg":"ES256","\\u006bid":"k0","kid":"k1"}',
        b'["alg","kid"]',
        b"not json",
        b"\xff",
        b"[" * 5000,
    ],
    ids=lambda header: header[:60].decode("latin1"),
)
def test_a_header_of_any_other_shape_is_refused_though_well_signed(verify, header):
    with pytest.raises(TokenError):
        verify(token_with(header), PUBLIC)


@VERIFIERS
@pytest.mark.parametrize(
    "signature",
    [raw(r, s) for r in (0, 1, ORDER - 1, ORDER) for s in (0, 1, ORDER - 1, ORDER)]
    + ["", "AA", base64url(bytes(63)), base64url(bytes(65)), base64url(b"\xff" * 64)],
)
def test_special_and_misshapen_signatures_are_refused(verify, signature):
    with pytest.raises(TokenError):
        verify(token_with(signature=signature), PUBLIC)


@VERIFIERS
def test_integers_too_large_by_the_order_are_refused(verify):
    good = token_with()
    signature = base64.urlsafe_b64decode(good.split(".")[2] + "==")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    for large in ((r + ORDER).to_bytes(33, "big") + s.to_bytes(33, "big"), signature + b"\x00\x00"):
        with pytest.raises(TokenError):
            verify(token_with(signature=base64url(large)), PUBLIC)


@VERIFIERS
def test_every_changed_character_is_caught(verify):
    good = token_with()
    alphabet = "ABCDwxyz0189-_"
    for at in range(len(good)):
        for new in (
            alphabet[at % len(alphabet)],
            ".",
            "=",
            "+",
            " ",
            "\n",
            "\N{CYRILLIC SMALL LETTER A}",
        ):
            changed = good[:at] + new + good[at + 1 :]
            if changed == good:
                continue
            with pytest.raises(TokenError):
                verify(changed, PUBLIC)


@VERIFIERS
def test_one_signature_has_one_token_text(verify):
    good = token_with()
    header, payload, signature = good.split(".")
    # 64 bytes leave four spare bits in the last of 86 characters.
    sloppy = signature[:-1] + chr(ord(signature[-1]) + 1)
    for text in (good + "=", good + "==", good + "\n", f" {good}", f"{header}.{payload}.{sloppy}"):
        with pytest.raises(TokenError):
            verify(text, PUBLIC)


@VERIFIERS
@pytest.mark.parametrize(
    "token", ["", ".", "..", "...", "a.b", "a.b.c.d", "A.A.A", "x" * (MAX_TOKEN + 1)]
)
def test_what_is_no_token_is_refused(verify, token):
    with pytest.raises(TokenError):
        verify(token, PUBLIC)


@VERIFIERS
def test_a_typ_that_is_asked_for_is_required_and_one_that_is_not_is_refused(verify):
    typed = jws.sign(PAYLOAD, KEY, "k1", "one+jws")
    assert verify(typed, PUBLIC, "one+jws") == PAYLOAD
    plain = jws.sign(PAYLOAD, KEY, "k1")
    assert verify(plain, PUBLIC) == PAYLOAD
    for token, typ in ((typed, None), (typed, "two+jws"), (plain, "one+jws")):
        with pytest.raises(TokenError):
            verify(token, PUBLIC, typ)


@VERIFIERS
def test_only_the_key_that_the_kid_names_is_tried(verify):
    other = ec.generate_private_key(ec.SECP256R1())
    token = jws.sign(PAYLOAD, other, "k1")
    with pytest.raises(TokenError, match="does not fit"):
        verify(token, PUBLIC | {"k2": other.public_key()})
    with pytest.raises(TokenError, match="P-256"):
        verify(token, {"k1": ec.generate_private_key(ec.SECP384R1()).public_key()})


def test_the_header_holds_exactly_what_it_must():
    for typ, expected in ((None, {"alg", "kid"}), ("t", {"alg", "kid", "typ"})):
        header = jws.sign(PAYLOAD, KEY, "k1", typ).split(".")[0]
        assert json.loads(base64.urlsafe_b64decode(header + "==")).keys() == expected


def test_a_key_that_lives_elsewhere_can_sign():
    class Elsewhere(Key):
        def __init__(self) -> None:
            super().__init__(None, "ES256")

        def sign(self, msg: bytes) -> bytes:
            r, s = decode_dss_signature(KEY.sign(msg, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    assert jws.verify(jws.sign(PAYLOAD, Elsewhere(), "k1"), PUBLIC) == PAYLOAD


@pytest.mark.parametrize(
    ("payload", "key", "kid"),
    [
        (PAYLOAD, ec.generate_private_key(ec.SECP384R1()), "k1"),
        (PAYLOAD, rsa.generate_private_key(65537, 2048), "k1"),
        (PAYLOAD, KEY.public_key(), "k1"),
        (PAYLOAD, KEY, ""),
        (PAYLOAD, KEY, "k" * 300),
        (b"", KEY, "k1"),
        (b"x" * MAX_TOKEN, KEY, "k1"),
    ],
    ids=["P-384", "RSA", "public", "no kid", "long kid", "empty", "large"],
)
def test_nothing_is_signed_that_would_not_verify(payload, key, kid):
    with pytest.raises(TokenError):
        jws.sign(payload, key, kid)


JWK = public_jwk(KEY.public_key())


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"use": "enc"},
        {"key_ops": []},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"alg": "ES384"},
        {"d": "AA"},
        {"x": "AA"},
        {"x": None},
        {"y": JWK["x"]},
        {"y": JWK["y"] + "="},
    ],
    # Not the values: a key made anew for each process would name each test anew.
    ids=lambda member: "-".join(member),
)
def test_a_key_not_meant_for_verifying_es256_is_refused(change):
    assert key_from_jwk(JWK) == KEY.public_key()
    with pytest.raises(TokenError):
        key_from_jwk(JWK | change)


def test_without_its_cryptography_backend_python_jose_is_refused():
    code = (
        "import jose.backends, jose.backends.ecdsa_backend as e\n"
        "jose.backends.ECKey = e.ECDSAECKey\n"
        "import evidence.jws\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "lacks its cryptography backend" in done.stderr
