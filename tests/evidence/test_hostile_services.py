"""Whatever a keys' service answers: our own errors, and no signature that does not verify."""

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

import boto3
import hvac
import pytest
import requests
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.errors import KeyMaterialError, KeyServiceError
from evidence.keys import load_log, load_manifest, load_wrap, public_half
from evidence.signing.place import Clients
from tests.evidence.cloud import ACCOUNT, REGION
from tests.evidence.serving import served

URI = "vault-transit://prod/keys/key?version=1"
ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
KMS = f"awskms:{ARN}"
USES = ("log", "manifest", "wrap")
SPKI = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
PINNED = {
    "log": Ed25519PrivateKey.generate().public_key().public_bytes(*SPKI),
    "manifest": ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*SPKI),
}


class Says(BaseHTTPRequestHandler):
    """Answers every request with the status and text of the moment."""

    now: tuple[int, bytes]
    asked: list[str]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, body = type(self).asked_for()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST  # noqa: N815 - the names of the handler

    @classmethod
    def asked_for(cls) -> tuple[int, bytes]:
        return SAID[-1]

    def log_message(self, format: str, *args: Any) -> None: ...


SAID: list[tuple[int, bytes]] = [(200, b"{}")]


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    with served(Says, {"asked": []}) as (endpoint, _):
        vault = hvac.Client(url=endpoint, token="t", timeout=5, session=requests.Session())
        kms = boto3.client(
            "kms",
            region_name=REGION,
            endpoint_url=endpoint,
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="not-a-secret",
            config=Config(retries={"total_max_attempts": 1}),
        )
        yield Clients(lambda name: vault, lambda account, region: kms)
        kms.close()
        vault.adapter.close()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


texts = st.one_of(
    st.text(max_size=20),
    st.binary(max_size=80).map(b64),
    st.binary(min_size=60, max_size=66).map(lambda raw: f"vault:v1:{b64(raw)}"),
    st.binary(min_size=64, max_size=64).map(
        lambda raw: f"vault:v1:{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"
    ),
)
odd = st.one_of(st.none(), st.booleans(), st.integers(-3, 99), texts, st.just([]), st.just({}))
versions = st.one_of(
    odd,
    st.dictionaries(
        st.sampled_from(["1", "2"]),
        st.one_of(odd, st.fixed_dictionaries({"public_key": odd, "name": odd})),
    ),
)
vault_answers = st.one_of(
    odd,
    st.fixed_dictionaries(
        {
            "data": st.one_of(
                odd,
                st.fixed_dictionaries(
                    {},
                    optional={
                        "type": st.sampled_from(["ed25519", "ecdsa-p256", "aes256-gcm96", "x", 3]),
                        "keys": versions,
                        "exportable": odd,
                        "min_encryption_version": odd,
                        "latest_version": odd,
                        "signature": odd,
                        "ciphertext": odd,
                        "plaintext": odd,
                    },
                ),
            )
        }
    ),
)
metadata = st.fixed_dictionaries(
    {},
    optional={
        "KeySpec": st.sampled_from(["ECC_NIST_P256", "SYMMETRIC_DEFAULT", "RSA_2048"]),
        "KeyUsage": st.sampled_from(["SIGN_VERIFY", "ENCRYPT_DECRYPT"]),
        "Origin": st.sampled_from(["AWS_KMS", "EXTERNAL"]),
        "KeyState": st.sampled_from(["Enabled", "Disabled"]),
    },
)
kms_answers = st.fixed_dictionaries(
    {},
    optional={
        "KeyId": st.sampled_from([ARN, "other"]),
        "Signature": st.binary(max_size=80).map(b64),
        "PublicKey": st.binary(max_size=80).map(b64),
        "Plaintext": st.binary(max_size=80).map(b64),
        "CiphertextBlob": st.binary(max_size=80).map(b64),
        "KeyMetadata": metadata,
    },
)
statuses = st.sampled_from([200, 200, 200, 200, 204, 400, 403, 404, 429, 500, 503])


def told(uri: str, clients: Clients) -> None:
    """Ask for everything; nothing but our errors, and no signature at all, for none can hold."""
    for use in USES:
        with suppress(KeyMaterialError, KeyServiceError):
            public_half(uri, use, clients)  # type: ignore[arg-type]
    with pytest.raises(KeyServiceError):
        load_log(uri, "log.example", clients, PINNED["log"]).sign(b"head")
    with pytest.raises(KeyServiceError):
        load_manifest(uri, clients, PINNED["manifest"]).key.sign(b"manifest")
    wrap = load_wrap(uri, clients)
    with suppress(KeyServiceError):
        assert wrap.wrap(b"k" * 40, {"case": "c"})
    with suppress(KeyServiceError, ValueError):
        wrap.unwrap(b"vault:v1:AAAA", {"case": "c"})


@settings(max_examples=30)
@given(statuses, vault_answers)
def test_a_vault_that_answers_anything(clients: Clients, status: int, answer: Any) -> None:
    SAID.append((status, json.dumps(answer).encode()))
    told(URI, clients)


@settings(max_examples=30)
@given(statuses, kms_answers)
def test_a_kms_that_answers_anything(clients: Clients, status: int, answer: Any) -> None:
    SAID.append((status, json.dumps(answer).encode()))
    told(KMS, clients)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[]", b"7"], ids=range(5))
@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize("uri", [URI, KMS], ids=["vault", "kms"])
def test_what_is_no_json_at_all(clients: Clients, uri: str, status: int, body: bytes) -> None:
    SAID.append((status, body))
    told(uri, clients)


def test_a_service_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        vault = hvac.Client(url=endpoint, token="t", timeout=0.2, session=requests.Session())
        kms = boto3.client(
            "kms",
            region_name=REGION,
            endpoint_url=endpoint,
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="not-a-secret",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=0.2),
        )
        away = Clients(lambda name: vault, lambda account, region: kms)
        for uri, said in ((URI, "ReadTimeout"), (KMS, "ReadTimeoutError")):
            with pytest.raises(KeyServiceError, match=said):
                load_manifest(uri, away, PINNED["manifest"]).key.sign(b"manifest")
        kms.close()
        vault.adapter.close()
