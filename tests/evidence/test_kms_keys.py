"""Keys in KMS: over HTTP against moto where that has them, and against botocore's own model."""

import hashlib
import random
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey

from evidence import jws, keys
from evidence.errors import KeyMaterialError, KeyServiceError, LockerError
from evidence.keys import load_log, load_manifest, load_wrap, public_half
from evidence.note import open_note, sign_note
from evidence.sealed import bound_to, data_key_of, fresh
from evidence.signing.aws_kms import MAX_RAW, kms_key
from evidence.signing.place import Clients
from tests.evidence.cloud import ACCOUNT, REGION, client, moto_server

ORIGIN = "log.example/one"
ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
URI = f"awskms:{ARN}"


@pytest.fixture(scope="module")
def kms() -> Iterator[Any]:
    with moto_server() as endpoint:
        made = client("kms", endpoint)
        yield made
        made.close()


@pytest.fixture
def clients(kms: Any) -> Clients:
    def of(account: str, region: str) -> Any:
        assert (account, region) == (ACCOUNT, REGION)
        return kms

    return Clients(lambda name: None, of)


def made(kms: Any, spec: str, usage: str, **more: Any) -> str:
    found = kms.create_key(KeySpec=spec, KeyUsage=usage, **more)["KeyMetadata"]
    return f"awskms:{found['Arn']}"


def signing(kms: Any) -> str:
    return made(kms, "ECC_NIST_P256", "SIGN_VERIFY")


def wrapping(kms: Any) -> str:
    return made(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")


def test_a_token_that_kms_signed_verifies_with_ours_and_with_joserfc(
    kms: Any, clients: Clients
) -> None:
    key = load_manifest(signing(kms), clients)
    token = jws.sign(b'{"a":1}', key.key, key.kid, "test+jws")
    assert jws.verify(token, {key.kid: key.public}, "test+jws") == b'{"a":1}'
    known = ECKey.import_key(keys.public_jwk(key.public))
    assert joserfc_jws.deserialize_compact(token, known, algorithms=["ES256"]).payload == b'{"a":1}'


def test_what_kms_wraps_it_opens_for_the_same_artifact_only(kms: Any, clients: Clients) -> None:
    wrap = load_wrap(wrapping(kms), clients)
    made_of = fresh(wrap, random.Random(1).randbytes, bound_to("a" * 32, "case"))
    encryption = made_of.encryption
    assert encryption.wrap == "A256KW+awskms"
    assert ACCOUNT not in encryption.key
    opened = data_key_of(encryption, wrap, lambda: made_of.erasable, bound_to("a" * 32, "case"))
    assert opened == made_of.data_key
    for other in (bound_to("b" * 32, "case"), bound_to("a" * 32, "other"), {}):
        with pytest.raises(LockerError, match="does not decrypt"):
            data_key_of(encryption, wrap, lambda: made_of.erasable, other)
    # What the service saw opens nothing without the artifact's own key.
    assert made_of.data_key not in wrap.unwrap(
        bytes.fromhex(encryption.wrapped_key), bound_to("a" * 32, "case")
    )


def test_a_key_that_is_not_fit_is_refused(kms: Any, clients: Clients) -> None:
    rsa = made(kms, "RSA_2048", "SIGN_VERIFY")
    outside = made(kms, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", Origin="EXTERNAL")
    stopped = signing(kms)
    kms.disable_key(KeyId=stopped.rpartition("/")[2])
    for uri, use, said in (
        (rsa, "manifest", "is RSA_2048 for SIGN_VERIFY; the manifest key must be ECC_NIST_P256"),
        (signing(kms), "wrap", "the wrap key must be SYMMETRIC_DEFAULT for ENCRYPT_DECRYPT"),
        (wrapping(kms), "log", "the log key must be ECC_NIST_EDWARDS25519 for SIGN_VERIFY"),
        (outside, "wrap", "its bytes exist outside of KMS"),
        (stopped, "manifest", "is Disabled, not Enabled"),
    ):
        with pytest.raises(KeyMaterialError, match=said):
            public_half(uri, use, clients)


def test_a_key_that_is_gone_and_a_service_that_is_away_are_told(kms: Any, clients: Clients) -> None:
    with pytest.raises(KeyServiceError, match="NotFoundException"):
        public_half(URI, "manifest", clients)
    nowhere = boto3.client(
        "kms",
        region_name=REGION,
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="not-a-secret",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=1),
    )
    away = Clients(lambda name: None, lambda account, region: nowhere)
    with pytest.raises(KeyServiceError, match="was not reached for DescribeKey"):
        public_half(URI, "manifest", away)


def test_a_signature_over_something_else_is_thrown_away(kms: Any, clients: Clients) -> None:
    # moto hashes a digest once more (getmoto/moto, pull request 10202), so for a message that is
    # too long to be sent whole it signs what nobody asked for.
    key = load_manifest(signing(kms), clients)
    assert key.key.sign(b"x" * MAX_RAW)
    with pytest.raises(KeyServiceError, match="does not fit the public key that was pinned"):
        key.key.sign(b"x" * (MAX_RAW + 1))


@pytest.fixture
def modelled() -> Iterator[tuple[Any, Stubber]]:
    """A client that answers what a test says, and holds both to botocore's model of KMS."""
    made = boto3.client(
        "kms",
        region_name=REGION,
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="not-a-secret",
    )
    with Stubber(made) as stub:
        yield made, stub
        stub.assert_no_pending_responses()


def of(made: Any) -> Clients:
    return Clients(lambda name: None, lambda account, region: made)


def test_the_log_key_in_kms_as_its_model_has_it(modelled: tuple[Any, Stubber]) -> None:
    # moto has no Ed25519: that KMS signs so is proven against botocore's model only.
    made, stub = modelled
    key = Ed25519PrivateKey.generate()
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    about = {"KeyId": ARN, "Arn": ARN, "Origin": "AWS_KMS", "KeyState": "Enabled"}
    about |= {"KeySpec": "ECC_NIST_EDWARDS25519", "KeyUsage": "SIGN_VERIFY"}
    stub.add_response("describe_key", {"KeyMetadata": about}, {"KeyId": ARN})
    stub.add_response("get_public_key", {"KeyId": ARN, "PublicKey": spki}, {"KeyId": ARN})
    log = load_log(URI, ORIGIN, of(made))
    asked = {"KeyId": ARN, "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}
    for message in (b"one\n", b"two\n"):
        answer = {"KeyId": ARN, "Signature": key.sign(b"one\n")}
        stub.add_response("sign", answer, asked | {"Message": message})
    assert open_note(sign_note("one\n", log), [log.verifier]) == "one\n"
    with pytest.raises(KeyServiceError, match="does not fit the public key that was pinned"):
        sign_note("two\n", log)
    with pytest.raises(KeyServiceError, match="at most 4096 bytes"):
        log.sign(b"x" * (MAX_RAW + 1))


def test_a_long_message_goes_as_its_digest(modelled: tuple[Any, Stubber]) -> None:
    made, stub = modelled
    key = ec.generate_private_key(ec.SECP256R1())
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    message = b"x" * (MAX_RAW + 1)
    asked = {"KeyId": ARN, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    answer = {"KeyId": ARN, "Signature": key.sign(message, ec.ECDSA(hashes.SHA256()))}
    stub.add_response("sign", answer, asked | {"Message": hashlib.sha256(message).digest()})
    assert len(load_manifest(URI, of(made), spki).key.sign(message)) == 64


@pytest.mark.parametrize("code", ["DisabledException", "AccessDeniedException"])
def test_a_refusal_says_what_to_look_at(modelled: tuple[Any, Stubber], code: str) -> None:
    # moto signs with a disabled key.
    made, stub = modelled
    stub.add_client_error("sign", code)
    with pytest.raises(KeyServiceError, match=f"{code}. `stanch permissions` prints"):
        kms_key(URI, of(made)).sign("manifest", b"m")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"KeyId": ARN},
        {"KeyId": ARN.replace("1234", "9999", 1), "Signature": b"s" * 70},
        {"KeyId": ARN, "Signature": b"not DER"},
    ],
    ids=["empty", "no-signature", "another-key", "not-der"],
)
def test_an_odd_answer_is_none(modelled: tuple[Any, Stubber], answer: dict[str, Any]) -> None:
    made, stub = modelled
    stub.add_response("sign", answer)
    with pytest.raises(KeyServiceError, match="what is no such answer"):
        kms_key(URI, of(made)).sign("manifest", b"m")
