"""Manifests as in-toto statements in DSSE: others' tools believe them, and no byte may change."""

import base64
import hashlib
import json
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from evidence import bag, dsse
from evidence.errors import TokenError
from evidence.keys import thumbprint
from evidence.statement import PAYLOAD_TYPE, PREDICATE, STATEMENT
from evidence.verify import verify_bundle
from tests.evidence.forgery import rebag, restate

KEY = ec.generate_private_key(ec.SECP256R1())
KID = thumbprint(KEY.public_key())
KEYS = {KID: KEY.public_key()}


def lines(bundle):
    return (bundle / bag.STATEMENTS).read_bytes().splitlines()


def foreign(key, kid):
    return SSlibKey.from_crypto(key, keyid=kid, scheme="ecdsa-sha2-nistp256")


@given(st.binary(max_size=500), st.text(st.characters(codec="utf-8"), max_size=40))
def test_another_implementation_signs_the_same_bytes_and_believes_the_envelope(payload, kind):
    assert dsse.pae(kind, payload) == Envelope(payload, kind, {}).pae()
    data = dsse.sign(payload, kind, KEY, KID)
    assert data == dsse.sign(payload, kind, KEY, KID)
    assert dsse.open_envelope(data, kind, KEYS) == payload
    assert Envelope.from_dict(json.loads(data)).verify([foreign(KEY.public_key(), KID)], 1)


@given(st.data())
def test_an_envelope_with_any_byte_changed_is_refused(data):
    good = dsse.sign(b'{"a":"b"}', PAYLOAD_TYPE, KEY, KID)
    at = data.draw(st.integers(0, len(good) - 1))
    flip = data.draw(st.integers(1, 255))
    with pytest.raises(TokenError):
        dsse.open_envelope(
            good[:at] + bytes([good[at] ^ flip]) + good[at + 1 :], PAYLOAD_TYPE, KEYS
        )


def test_each_manifest_of_a_bundle_is_told_once_and_another_implementation_believes_it(original):
    chamber, bundle = original
    key = foreign(chamber.signer.key.public_key(), chamber.signer.kid)
    other = foreign(KEY.public_key(), chamber.signer.kid)
    told = {}
    for line in lines(bundle):
        envelope = Envelope.from_dict(json.loads(line))
        assert envelope.payload_type == PAYLOAD_TYPE
        assert envelope.verify([key], 1)
        with pytest.raises(VerificationError):
            envelope.verify([other], 1)
        said = json.loads(envelope.payload)
        assert (said["_type"], said["predicateType"]) == (STATEMENT, PREDICATE)
        told[said["predicate"]["manifest_sha256"]] = said
    manifests = {path.stem: path.read_text() for path in (bundle / bag.MANIFESTS).iterdir()}
    assert list(told) == sorted(manifests)
    for digest, token in manifests.items():
        payload = token.split(".")[1]
        members = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        assert told[digest]["predicate"]["manifest"] == members
        (subject,) = told[digest]["subject"]
        held = (bundle / subject["name"]).read_bytes()
        assert subject["digest"] == {"sha256": hashlib.sha256(held).hexdigest()}


def resign(line, signer, change, kind=PAYLOAD_TYPE):
    said = json.loads(base64.b64decode(json.loads(line)["payload"]))
    change(said)
    payload = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    return dsse.sign(payload, kind, signer.key, signer.kid)


def forged(path):
    def change(said):
        for name in path[:-1]:
            said = said[name]
        said[path[-1]] = "ab" * 32

    return lambda told, signer: [resign(told[0], signer, change), *told[1:]]


# What the holder of the manifest key may try, and what the verdict says.
FORGERIES = {
    "another digest": (
        forged(["predicate", "manifest_sha256"]),
        "line 1: is not what a manifest of the bundle says",
    ),
    "another subject": (forged(["subject", 0, "digest", "sha256"]), "line 1: is not what "),
    "another fact": (forged(["predicate", "manifest", "name"]), "line 1: is not what "),
    "more": (forged(["more"]), "line 1: is not what "),
    "one twice": (lambda told, _: [*told, told[0]], "line 4: is not in the order"),
    "two swapped": (lambda told, _: [told[1], told[0], told[2]], "line 2: is not in the order"),
    "another type": (
        lambda told, signer: [resign(told[0], signer, lambda said: None, "text/plain"), *told[1:]],
        "line 1: envelope is of type 'text/plain'",
    ),
    "another's key": (
        lambda told, _: [dsse.sign(b"{}", PAYLOAD_TYPE, KEY, KID), *told[1:]],
        "line 1: envelope of key '.*', which is not trusted",
    ),
    "another's key under our name": (
        lambda told, signer: [dsse.sign(b"{}", PAYLOAD_TYPE, KEY, signer.kid), *told[1:]],
        "line 1: signature of key '.*' does not fit the envelope",
    ),
    "spaces": (lambda told, _: [told[0] + b" ", *told[1:]], "line 1: envelope: JSON is not in can"),
    "no signature": (
        lambda told, _: [re.sub(rb'"signatures":\[.*\]', b'"signatures":[]', told[0]), *told[1:]],
        "line 1: envelope has not the form of DSSE",
    ),
}


@pytest.mark.parametrize(("forge", "said"), FORGERIES.values(), ids=FORGERIES)
def test_the_holder_of_the_manifest_key_cannot_tell_otherwise(original, copy, forge, said):
    signer = original[0].signer
    told = forge(lines(copy), signer)
    (copy / bag.STATEMENTS).write_bytes(b"".join(line + b"\n" for line in told))
    rebag(copy)
    restate(copy, signer)
    verdict = verify_bundle(copy, original[0].trust)
    assert verdict.exit_code == 1
    assert {problem.file for problem in verdict.problems} == {bag.STATEMENTS}
    assert re.search(said, verdict.problems[0].what), verdict.problems


def test_a_bundle_without_one_of_its_statements_is_incomplete(original, copy):
    (copy / bag.STATEMENTS).write_bytes(b"".join(line + b"\n" for line in lines(copy)[1:]))
    rebag(copy)
    restate(copy, original[0].signer)
    verdict = verify_bundle(copy, original[0].trust)
    assert verdict.exit_code == 2
    first = min(path.name for path in (copy / bag.MANIFESTS).iterdir())
    said = f"has no statement of {bag.MANIFESTS}{first}"
    assert [(p.file, p.what) for p in verdict.problems] == [(bag.STATEMENTS, said)]


def test_a_bundle_without_its_statements_is_incomplete(original, copy):
    (copy / bag.STATEMENTS).unlink()
    rebag(copy)
    restate(copy, original[0].signer)
    verdict = verify_bundle(copy, original[0].trust)
    assert verdict.exit_code == 2
    assert (bag.STATEMENTS, "is missing") in [(p.file, p.what) for p in verdict.problems]
