"""Reads a timestamp answer strictly: what it says, and what of it no signature would protect.

OpenSSL, under rfc3161-client, lets the version numbers, the signature algorithm's name and added
certificates of a token be changed; here each of them has one value that is taken (RFC 5652, 5.1
and 5.3; RFC 5754, 3). Standard library and cryptography only; no signature is checked here.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from evidence import der
from evidence.errors import TimestampError
from evidence.timestamp import SHA512, Authority

MAX_TOKEN = 1 << 16

_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_ESS, _ESS_V2 = "1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47"
_SHA256, _SHA384 = "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2"
_HASH = {_SHA256: "sha256", _SHA384: "sha384", SHA512: "sha512"}
# By the digest: which names of a signature algorithm may stand in the signer's part.
_RSA, _PSS = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"
_RSA_WITH = {
    _SHA256: "1.2.840.113549.1.1.11",
    _SHA384: "1.2.840.113549.1.1.12",
    SHA512: "1.2.840.113549.1.1.13",
}
_ECDSA_WITH = {
    _SHA256: "1.2.840.10045.4.3.2",
    _SHA384: "1.2.840.10045.4.3.3",
    SHA512: "1.2.840.10045.4.3.4",
}
# PKIFailureInfo (RFC 3161, 2.4.2).
_FAILURES = {
    0: "badAlg",
    2: "badRequest",
    5: "badDataFormat",
    14: "timeNotAvailable",
    15: "unacceptedPolicy",
    16: "unacceptedExtension",
    17: "addInfoNotAvailable",
    25: "systemFailure",
}


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says: `time` aware, `imprint` the SHA-512 digest that was stamped."""

    policy: str
    imprint: bytes
    serial: int
    time: datetime
    nonce: int | None


def read_token(answer: bytes, signer: Authority) -> Token:
    """Return what the TimeStampResp says, having checked that its form is that of `signer`.

    Raises:
        TimestampError: when it is a refusal, malformed, or names another certificate.
    """
    if len(answer) > MAX_TOKEN:
        raise TimestampError(f"answer of {len(answer)} bytes; at most {MAX_TOKEN} are read")
    try:
        status, *rest = der.one(answer).parts()
        _refuse_refusal(status)
        (content,) = rest
        name, wrapped = content.parts()
        (data,) = _inside(wrapped, 0xA0)
        if name.oid() != _SIGNED_DATA:
            raise TimestampError("token is not CMS signed data")
        return _signed_data(data, signer)
    except (ValueError, IndexError) as error:
        raise TimestampError("token has not the parts that RFC 5652 names") from error


def _refuse_refusal(status: der.Element) -> None:
    number, *more = status.parts()
    if number.number() == 0:
        if more:
            raise TimestampError("token was granted with words or failures; expected none")
        return
    failures = [
        name
        for part in more
        if part.tag == der.BIT_STRING
        for bit, name in _FAILURES.items()
        if len(part.content) > bit // 8 + 1 and part.content[1 + bit // 8] & 0x80 >> bit % 8
    ]
    why = ", ".join(failures) or "no reason given"
    raise TimestampError(f"the authority granted no token: status {number.number()}, {why}")


def _signed_data(data: der.Element, signer: Authority) -> Token:
    version, digests, content, *certificates, signers = data.parts()
    if version.number() != 3:
        raise TimestampError("token is not signed data of version 3")
    if len(certificates) > 1:
        raise TimestampError("token carries more than certificates beside its signature")
    known = {c.public_bytes(Encoding.DER) for c in (signer.certificate, *signer.chain)}
    for part in certificates:
        if any(one.encoded not in known for one in _inside(part, 0xA0)):
            raise TimestampError(
                "token carries a certificate that is not pinned: another authority made it, or "
                "this one's certificate was changed"
            )
    (info,) = _signer(digests, signers, signer)
    kind, wrapped = content.parts()
    (octets,) = _inside(wrapped, 0xA0)
    if kind.oid() != _TST_INFO or info != _TST_INFO:
        raise TimestampError("token does not hold a TSTInfo")
    return _info(der.one(octets.octets()))


def _signer(digests: der.Element, signers: der.Element, pinned: Authority) -> tuple[str]:
    """Check the one signer's part; return the content type that it signs."""
    (one,) = _inside(signers, der.SET)
    parts = one.parts()
    if len(parts) != 6:
        raise TimestampError("signer has attributes that are not signed, or lacks some")
    version, issuer, digest, attributes, algorithm, _ = parts
    if version.number() != 1:
        raise TimestampError("signer is not of version 1, named by issuer and serial number")
    certificate = pinned.certificate
    expected = der.sequence(
        certificate.issuer.public_bytes(), der.integer(certificate.serial_number)
    )
    if issuer.encoded != expected:
        raise TimestampError("another authority signed it: its certificate is not the pinned one")
    if [part.encoded for part in _inside(digests, der.SET)] != [digest.encoded]:
        raise TimestampError("token and signer name different digests")
    name = digest.parts()[0].oid()
    if name not in _HASH or algorithm.parts()[0].oid() not in _names(pinned, name):
        raise TimestampError("signature algorithm does not fit the pinned key and the digest")
    return (_attributes(attributes, pinned),)


def _names(pinned: Authority, digest: str) -> set[str]:
    key = pinned.certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {_ECDSA_WITH[digest]}
    return {_RSA, _PSS, _RSA_WITH[digest]} if isinstance(key, rsa.RSAPublicKey) else set()


def _attributes(attributes: der.Element, pinned: Authority) -> str:
    """Check which certificate the signed attributes name; return the content type that they do."""
    found: dict[str, der.Element] = {}
    for attribute in _inside(attributes, 0xA0):
        name, values = attribute.parts()
        (found[name.oid()],) = _inside(values, der.SET)
    named = found.get(_ESS_V2) or found.get(_ESS)
    content = found.get("1.2.840.113549.1.9.3")
    if named is None or content is None:
        raise TimestampError("signature names no certificate (RFC 5816), or no content type")
    # SigningCertificate: the first of the certificates that it lists signed (RFC 5035, 5.4.1).
    first, *more = named.parts()[0].parts()[0].parts()
    algorithm = "sha1" if _ESS_V2 not in found else "sha256"
    if first.tag == der.SEQUENCE and more:
        algorithm = _HASH.get(first.parts()[0].oid(), "")
        first = more[0]
    encoded = pinned.certificate.public_bytes(Encoding.DER)
    if not algorithm or first.octets() != hashlib.new(algorithm, encoded).digest():
        raise TimestampError("signature names another certificate than the pinned one")
    return content.oid()


def _info(info: der.Element) -> Token:
    """Read a TSTInfo (RFC 3161, 2.4.2)."""
    version, policy, imprint, serial, time, *rest = info.parts()
    algorithm, digest = imprint.parts()
    if version.number() != 1 or algorithm.parts()[0].oid() != SHA512:
        raise TimestampError("token is not of version 1 over SHA-512")
    nonces = [part.number() for part in rest if part.tag == der.INTEGER]
    return Token(
        policy.oid(), digest.octets(), serial.number(), _time(time), nonces[0] if nonces else None
    )


def _time(element: der.Element) -> datetime:
    """Read a GeneralizedTime in UTC; fractions beyond microseconds are cut."""
    whole, _, fraction = element.text().removesuffix("Z").partition(".")
    digits = whole + fraction
    if element.tag != der.TIME or not element.text().endswith("Z") or len(whole) != 14:
        raise TimestampError("token's time is not a GeneralizedTime in UTC with seconds")
    if not (digits.isascii() and digits.isdigit()):
        raise TimestampError("token's time is not digits")
    micro = int(fraction[:6].ljust(6, "0")) if fraction else 0
    return datetime.strptime(whole, "%Y%m%d%H%M%S").replace(microsecond=micro, tzinfo=UTC)


def _inside(element: der.Element, tag: int) -> list[der.Element]:
    if element.tag != tag:
        raise TimestampError(f"DER value of tag {element.tag:#04x}; expected {tag:#04x}")
    return element.parts()
