"""Whether an authority's certificates were revoked when it stamped, by lists of their issuers.

Lists are pinned, or lie in a bundle; either way they are signed by a certificate that the pinned
one leads to, so nobody makes one up, though who makes a bundle can leave one out. RFC 5280, 5;
which revocations make older tokens doubtful, RFC 3161, 4, says. cryptography only.
"""

import re
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ReasonFlags

from evidence.errors import TimestampError

MAX_LISTS = 1 << 22
# The key was never anybody else's: what it signed before stays good (RFC 3161, 4, number 1).
HARMLESS = frozenset(
    {
        ReasonFlags.unspecified,
        ReasonFlags.affiliation_changed,
        ReasonFlags.superseded,
        ReasonFlags.cessation_of_operation,
    }
)

_BLOCK = re.compile(rb"-----BEGIN X509 CRL-----\r?\n.*?-----END X509 CRL-----\r?\n?", re.DOTALL)

List = x509.CertificateRevocationList


class RevokedError(TimestampError):
    """A certificate was revoked, its key perhaps somebody else's from `since` on."""

    def __init__(self, said: str, since: datetime) -> None:
        super().__init__(said)
        self.since = since


def read_lists(pem: bytes, chain: Sequence[x509.Certificate]) -> tuple[List, ...]:
    """Return the lists in PEM, one after another, each signed by a certificate of the chain.

    Raises:
        TimestampError: when one is malformed, of another issuer, forged, or speaks only of changes
            or for others.
    """
    if len(pem) > MAX_LISTS:
        raise TimestampError(f"its revocation lists have more than {MAX_LISTS} bytes")
    blocks = _BLOCK.findall(pem)
    if not blocks or _BLOCK.sub(b"", pem).strip():
        raise TimestampError("its revocation lists are not CRLs in PEM, one after another")
    try:
        found = tuple(x509.load_pem_x509_crl(block) for block in blocks)
        for one in found:
            _refuse_foreign(one, chain)
            _refuse_partial(one)
    except ValueError as error:
        raise TimestampError("a revocation list of it is malformed") from error
    return found


def refuse_revoked(
    certificates: Sequence[x509.Certificate], lists: Sequence[List], time: datetime
) -> None:
    """Raise RevokedError where a list revokes one of these for what was stamped at `time`."""
    for certificate in certificates:
        for one in lists:
            if one.issuer != certificate.issuer:
                continue
            entry = one.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is None:
                continue
            since, reason = entry.revocation_date_utc, _reason(entry)
            if reason in HARMLESS and time < since:
                continue
            after = "" if time >= since else ", and by its reason nothing it signed before counts"
            raise RevokedError(
                f"the certificate of {certificate.subject.rfc4514_string()} was revoked at "
                f"{since.isoformat()} ({reason.value if reason else 'no reason given'}){after}",
                min(since, _invalid_since(entry) or since),
            )


def known_until(certificates: Sequence[x509.Certificate], lists: Sequence[List]) -> datetime | None:
    """Return up to when lists tell of all of these but roots; None where one has no list."""
    ends = []
    for certificate in certificates:
        if certificate.subject == certificate.issuer:
            continue
        told = [one.last_update_utc for one in lists if _tells(one, certificate)]
        if not told:
            return None
        ends.append(max(told))
    return min(ends, default=None)


def _refuse_foreign(one: List, chain: Sequence[x509.Certificate]) -> None:
    for issuer in chain:
        key = issuer.public_key()
        if issuer.subject == one.issuer and isinstance(
            key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey
        ):
            if one.is_signature_valid(key):
                return
    raise TimestampError(
        "a revocation list of it is not signed by a certificate that the pinned one leads to"
    )


def _refuse_partial(one: List) -> None:
    """Refuse what cannot be read without other lists, or is about others' certificates."""
    for extension in one.extensions:
        value = extension.value
        point = isinstance(value, x509.IssuingDistributionPoint)
        if extension.critical and not point:
            raise TimestampError(
                f"a revocation list of it has the critical extension {extension.oid.dotted_string},"
                " which is not known here: only whole lists are read"
            )
        if isinstance(value, x509.IssuingDistributionPoint) and (
            value.indirect_crl or value.only_some_reasons or value.only_contains_attribute_certs
        ):
            raise TimestampError("a revocation list of it is not a whole one of its issuer")


def _tells(one: List, certificate: x509.Certificate) -> bool:
    if one.issuer != certificate.issuer:
        return False
    try:
        point = one.extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return True
    try:
        ca = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        ca = False
    return not (point.only_contains_user_certs if ca else point.only_contains_ca_certs)


def _reason(entry: x509.RevokedCertificate) -> ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None


def _invalid_since(entry: x509.RevokedCertificate) -> datetime | None:
    """Return since when its key may be another's, where the issuer says so (RFC 5280, 5.3.2)."""
    try:
        found = entry.extensions.get_extension_for_class(x509.InvalidityDate).value
    except x509.ExtensionNotFound:
        return None
    return found.invalidity_date_utc
