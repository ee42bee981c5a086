"""Answers one timestamp request: a token, or a refusal that says why (RFC 3161, 2.4).

The token is a CMS SignedData (RFC 5652, 5) over a TSTInfo, with one signer whose certificate is
named by ESSCertIDv2 (RFC 5816, 2.2.1). ECDSA with SHA-512; everything is written in DER.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from evidence import der
from evidence.errors import TimestampError

if TYPE_CHECKING:
    from cryptography import x509

    from playbooks.drills.range.tsa_state import Identity

# PKIFailureInfo, the number of the bit (RFC 3161, 2.4.2).
BAD_ALGORITHM, BAD_REQUEST, BAD_FORMAT, NO_TIME, NO_POLICY, NO_EXTENSION = 0, 2, 5, 14, 15, 16
GRANTED, REJECTION = 0, 2

SHA512 = "2.16.840.1.101.3.4.2.3"
# Digests that are taken, and their sizes in bytes.
DIGESTS = {"2.16.840.1.101.3.4.2.1": 32, "2.16.840.1.101.3.4.2.2": 48, SHA512: 64}
ECDSA_SHA512 = "1.2.840.10045.4.3.4"
SIGNED_DATA, TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as read. `imprint` is encoded; it comes back as it is."""

    imprint: bytes
    policy: str | None
    nonce: int | None
    certificate: bool


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """A request that gets no token: the failure bit, and why in words."""

    def __init__(self, bit: int, why: str) -> None:
        super().__init__(why)
        self.bit = bit
        self.why = why


def read_request(data: bytes, policy: str) -> Asked:
    """Read a TimeStampReq (RFC 3161, 2.4.1). Raise Refused where it is not answered."""
    try:
        version, imprint, *rest = der.one(data).parts()
        if version.number() != 1:
            raise Refused(BAD_REQUEST, "expected a request of version 1")
        algorithm, digest = imprint.parts()
        name, *parameters = algorithm.parts()
        size = DIGESTS.get(name.oid())
        if size is None or [p.encoded for p in parameters] not in ([], [der.null()]):
            raise Refused(BAD_ALGORITHM, "expected SHA-256, SHA-384 or SHA-512")
        if len(digest.octets()) != size:
            raise Refused(BAD_FORMAT, "the digest has not its algorithm's length")
        asked = _optional(imprint.encoded, rest)
    except (TimestampError, ValueError) as error:
        raise Refused(BAD_FORMAT, f"not a TimeStampReq in DER: {error}") from error
    if asked.policy not in (None, policy):
        raise Refused(NO_POLICY, f"this authority stamps under {policy} alone")
    return asked


def _optional(imprint: bytes, rest: list[der.Element]) -> Asked:
    policy, nonce, certificate = None, None, False
    if rest and rest[0].tag == der.OID:
        policy = rest.pop(0).oid()
    if rest and rest[0].tag == der.INTEGER:
        nonce = rest.pop(0).number()
    if rest and rest[0].tag == der.BOOLEAN:
        certificate = rest.pop(0).truth()
    if rest and rest[0].tag == 0xA0:
        raise Refused(NO_EXTENSION, "no extension is known here")
    if rest:
        raise Refused(BAD_REQUEST, "the request holds something unknown")
    return Asked(imprint, policy, nonce, certificate)


def granted(asked: Asked, identity: Identity, policy: str, serial: int, now: datetime) -> bytes:
    """Return a TimeStampResp with a token, its time to the microsecond."""
    info = _info(asked, identity.certificate, policy, serial, now)
    status = der.sequence(der.integer(GRANTED))
    return der.sequence(status, _signed(info, identity, include=asked.certificate))


def refused(refusal: Refused) -> bytes:
    """Return a TimeStampResp without a token."""
    bits = bytearray(refusal.bit // 8 + 1)
    bits[-1] = 0x80 >> refusal.bit % 8
    # X.690, 11.2.2: no zero bits follow the last one that is set.
    failure = der.value(der.BIT_STRING, bytes([7 - refusal.bit % 8]) + bytes(bits))
    text = der.sequence(der.value(der.UTF8, refusal.why.encode()))
    return der.sequence(der.sequence(der.integer(REJECTION), text, failure))


def _info(
    asked: Asked, certificate: x509.Certificate, policy: str, serial: int, now: datetime
) -> bytes:
    """Return a TSTInfo (RFC 3161, 2.4.2)."""
    return der.sequence(
        der.integer(1),
        der.object_id(policy),
        asked.imprint,
        der.integer(serial),
        der.value(der.TIME, _time(now)),
        # Accuracy: one second.
        der.sequence(der.integer(1)),
        *([] if asked.nonce is None else [der.integer(asked.nonce)]),
        der.tagged(0, _directory_name(certificate.subject)),
    )


def _signed(info: bytes, identity: Identity, *, include: bool) -> bytes:
    """Return the ContentInfo with one SignerInfo over the TSTInfo (RFC 5652, 5.3 and 5.4)."""
    certificate = identity.certificate.public_bytes(Encoding.DER)
    attributes = sorted(
        [
            _attribute(CONTENT_TYPE, der.object_id(TST_INFO)),
            _attribute(MESSAGE_DIGEST, der.octets(hashlib.sha512(info).digest())),
            _attribute(SIGNING_CERTIFICATE_V2, _named(identity.certificate, certificate)),
        ]
    )
    # Signed as a SET, sent under the tag [0] (RFC 5652, 5.4).
    signature = identity.key.sign(der.set_of(attributes), ec.ECDSA(hashes.SHA512()))
    # RFC 5754, 2: the digest's parameters are left out.
    digest = der.sequence(der.object_id(SHA512))
    signer = der.sequence(
        der.integer(1),
        der.sequence(
            identity.certificate.issuer.public_bytes(),
            der.integer(identity.certificate.serial_number),
        ),
        digest,
        der.tagged(0, b"".join(attributes)),
        der.sequence(der.object_id(ECDSA_SHA512)),
        der.octets(signature),
    )
    data = der.sequence(
        der.integer(3),
        der.set_of([digest]),
        der.sequence(der.object_id(TST_INFO), der.tagged(0, der.octets(info))),
        *([der.tagged(0, certificate)] if include else []),
        der.set_of([signer]),
    )
    return der.sequence(der.object_id(SIGNED_DATA), der.tagged(0, data))


def _named(certificate: x509.Certificate, encoded: bytes) -> bytes:
    """Return a SigningCertificateV2 with one ESSCertIDv2, of SHA-512 (RFC 5035, 3 and 4)."""
    serial = der.integer(certificate.serial_number)
    issuer = der.sequence(der.sequence(_directory_name(certificate.issuer)), serial)
    algorithm = der.sequence(der.object_id(SHA512))
    digest = der.octets(hashlib.sha512(encoded).digest())
    return der.sequence(der.sequence(der.sequence(algorithm, digest, issuer)))


def _attribute(name: str, content: bytes) -> bytes:
    return der.sequence(der.object_id(name), der.set_of([content]))


def _directory_name(name: x509.Name) -> bytes:
    return der.tagged(4, name.public_bytes())


def _time(now: datetime) -> bytes:
    """Return a GeneralizedTime: UTC, no zeros at the end of its fraction (RFC 3161, 2.4.2)."""
    text = now.astimezone(UTC).strftime("%Y%m%d%H%M%S.%f").rstrip("0").rstrip(".")
    return f"{text}Z".encode()
