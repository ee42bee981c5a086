"""Keys in AWS KMS: `awskms:arn:aws:kms:REGION:ACCOUNT:key/ID`.

Only a key's own ARN, never an alias, which can be led to another key. Asymmetric keys have one
version for ever (KMS Developer Guide, "Rotating AWS KMS keys"). Source: KMS API Reference (Sign,
GetPublicKey, DescribeKey, Encrypt, Decrypt).
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from evidence.errors import KeyMaterialError, KeyServiceError
from evidence.signing.place import Clients, Use

FORM = "awskms"
# KeySpec and KeyUsage that a key must have to be used for this.
SPEC: Mapping[Use, tuple[str, str]] = {
    "log": ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"),
    "manifest": ("ECC_NIST_P256", "SIGN_VERIFY"),
    "wrap": ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
}
ALGORITHM: Mapping[Use, str] = {"log": "ED25519_SHA_512", "manifest": "ECDSA_SHA_256"}
# Made inside of the service: an imported key's bytes are somebody's (DescribeKey, "Origin").
ORIGINS = {"AWS_KMS", "AWS_CLOUDHSM"}
# What Sign takes as it is; more goes as a digest (Sign, "Message").
MAX_RAW = 4096
# What Decrypt says of another ciphertext, or another encryption context (Decrypt, "Errors").
ALTERED = {"InvalidCiphertextException", "IncorrectKeyException"}

_ARN = re.compile(
    r"awskms:(?P<arn>arn:aws(-[a-z]+)*:kms:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):key/[\w-]+)"
)


@dataclass(frozen=True, slots=True)
class KmsKey:
    """One key. `client()` is a boto3 client of its account and region."""

    arn: str
    client: Callable[[], Any] = field(repr=False)
    form: str = FORM

    @property
    def name(self) -> str:
        """The key's URI."""
        return f"awskms:{self.arn}"

    def public(self, use: Use) -> bytes:
        """Check the key, as Place has it."""
        told = self._ask("DescribeKey", lambda kms: kms.describe_key(KeyId=self.arn))
        key = told.get("KeyMetadata", {})
        found = (str(key.get("KeySpec")), str(key.get("KeyUsage")))
        if found != SPEC[use]:
            raise KeyMaterialError(
                f"{self.name} is {' for '.join(found)}; the {use} key must be "
                f"{' for '.join(SPEC[use])}"
            )
        if key.get("Origin") not in ORIGINS:
            raise KeyMaterialError(
                f"{self.name} has origin {key.get('Origin')}: its bytes exist outside of KMS. Make "
                "a key of origin AWS_KMS"
            )
        if key.get("KeyState") != "Enabled":
            raise KeyMaterialError(f"{self.name} is {key.get('KeyState')}, not Enabled")
        if use == "wrap":
            return b""
        answer = self._ask("GetPublicKey", lambda kms: kms.get_public_key(KeyId=self.arn))
        return self._bytes("GetPublicKey", answer, "PublicKey")

    def sign(self, use: Use, message: bytes) -> bytes:
        """Sign, as Place has it."""
        raw = len(message) <= MAX_RAW
        if use == "log":
            if not raw:
                raise KeyServiceError(f"{self.name} signs at most {MAX_RAW} bytes with Ed25519")
            return self._signed(message, "RAW", ALGORITHM["log"])
        given = message if raw else hashlib.sha256(message).digest()
        der = self._signed(given, "RAW" if raw else "DIGEST", ALGORITHM["manifest"])
        try:
            r, s = decode_dss_signature(der)
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        except (ValueError, OverflowError) as error:
            raise self._odd("Sign") from error

    def _signed(self, message: bytes, kind: str, algorithm: str) -> bytes:
        told = self._ask(
            "Sign",
            lambda kms: kms.sign(
                KeyId=self.arn, Message=message, MessageType=kind, SigningAlgorithm=algorithm
            ),
        )
        return self._bytes("Sign", told, "Signature")

    def wrap(self, key: bytes, about: Mapping[str, str]) -> bytes:
        """Encrypt; `about` is the encryption context, which CloudTrail shows for each use."""
        told = self._ask(
            "Encrypt",
            lambda kms: kms.encrypt(KeyId=self.arn, Plaintext=key, EncryptionContext=dict(about)),
        )
        return self._bytes("Encrypt", told, "CiphertextBlob")

    def unwrap(self, wrapped: bytes, about: Mapping[str, str]) -> bytes:
        """Decrypt with this very key, whatever the ciphertext names."""
        try:
            told = self._ask(
                "Decrypt",
                lambda kms: kms.decrypt(
                    KeyId=self.arn, CiphertextBlob=wrapped, EncryptionContext=dict(about)
                ),
            )
        except ClientError as error:
            raise ValueError(f"{self.name} does not decrypt it") from error
        return self._bytes("Decrypt", told, "Plaintext")

    def _ask(self, what: str, ask: Callable[[Any], Any]) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = ask(self.client())
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "error"))
            if what == "Decrypt" and code in ALTERED:
                raise
            raise KeyServiceError(
                f"KMS does not do {what} with {self.name}: {code}. `stanch permissions` prints "
                "what Stanch's role needs; the key's own policy must allow it, too"
            ) from error
        except BotoCoreError as error:
            raise KeyServiceError(
                f"KMS was not reached for {what} with {self.name}: {type(error).__name__}"
            ) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # What is no answer of KMS breaks botocore's own reading.
            raise self._odd(what) from error
        return answer

    def _bytes(self, what: str, told: Mapping[str, Any], member: str) -> bytes:
        found = told.get(member)
        # An answer of another key is none. Each names its key by ARN; moto by the id in it.
        ours = {self.arn, self.arn.rpartition("/")[2]}
        if told.get("KeyId") not in ours or not isinstance(found, bytes) or not found:
            raise self._odd(what)
        return found

    def _odd(self, what: str) -> KeyServiceError:
        return KeyServiceError(f"KMS answered to {what} with {self.name} what is no such answer")


def kms_key(uri: str, clients: Clients) -> KmsKey:
    """Return the key of a URI; nothing is asked yet. Raise KeyMaterialError for a malformed one."""
    found = _ARN.fullmatch(uri)
    if found is None:
        raise KeyMaterialError(
            f"{uri[:200]!r} is not awskms:arn:aws:kms:REGION:ACCOUNT:key/ID; an alias will not do, "
            "for it can be led to another key"
        )
    region, account = found["region"], found["account"]
    return KmsKey(found["arn"], lambda: clients.kms(account, region))
