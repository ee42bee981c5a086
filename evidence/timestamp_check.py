"""Decides whether a timestamp token holds: made by the pinned authority, over this very text.

The signature and the chain at the token's time are checked by rfc3161-client (1.0.6 or later:
earlier ones let one authority pass for another), what it leaves open by `timestamp_token`.
"""

import hashlib
import re
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from cryptography import x509

from evidence.errors import TimestampError
from evidence.timestamp import Authority, nonce_of
from evidence.timestamp_revocation import refuse_revoked
from evidence.timestamp_token import Token, read_token

LEAST = (1, 0, 6)


def missing() -> str:
    """Return what is missing to check signatures (the extra `verify-time`), or nothing."""
    try:
        import rfc3161_client  # noqa: F401

        found = version("rfc3161-client")
    except (ImportError, PackageNotFoundError):
        return "rfc3161-client is not installed"
    numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:3])
    return "" if numbers >= LEAST else f"rfc3161-client {found} is too old"


def check(signer: Authority, text: bytes, asked: bytes, answer: bytes) -> Token:
    """Return the token that `answer` holds for the request `asked` over `text`.

    Raises:
        RevokedError: when a list revokes the authority for it.
        TimestampError: when it does not hold, and why.
    """
    token = made(signer, text, asked, answer)
    refuse_revoked((signer.certificate, *signer.chain), signer.lists, token.time)
    return token


def made(signer: Authority, text: bytes, asked: bytes, answer: bytes) -> Token:
    """Return the token as `check` does, whether or not a certificate was revoked since.

    Raises:
        TimestampError: when it does not hold, and why.
    """
    token = read_token(answer, signer)
    if token.imprint != hashlib.sha512(text).digest():
        raise TimestampError("it stamps something else than the checkpoint's text")
    if token.policy != signer.policy:
        raise TimestampError(f"it was made under policy {token.policy}, not {signer.policy}")
    if token.nonce != nonce_of(text, signer.policy, asked):
        raise TimestampError("it answers another request: its nonce is not the one asked with")
    for certificate in (signer.certificate, *signer.chain):
        _refuse_outside(certificate, token.time)
    _verify(signer, token, text, answer)
    return token


def _refuse_outside(certificate: x509.Certificate, time: datetime) -> None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begin <= time <= end:
        when = "had expired" if time > end else "was not valid yet"
        raise TimestampError(
            f"the certificate of {certificate.subject.rfc4514_string()} {when} at the token's "
            f"time, {time.isoformat(timespec='seconds')}"
        )


def _verify(signer: Authority, token: Token, text: bytes, answer: bytes) -> None:
    # Only here, so that a verifier without it can still check all the rest.
    from rfc3161_client import VerifierBuilder, decode_timestamp_response
    from rfc3161_client.errors import VerificationError

    verifier = VerifierBuilder(
        policy_id=x509.ObjectIdentifier(signer.policy),
        tsa_certificate=signer.certificate,
        intermediates=list(signer.between),
        roots=list(signer.roots),
        nonce=token.nonce,
    ).build()
    try:
        decoded = decode_timestamp_response(answer)
        verifier.verify_message(decoded, text)
        time = decoded.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise TimestampError(f"its signature does not hold: {error}") from error
    if time.replace(microsecond=0) != token.time.replace(microsecond=0):
        raise TimestampError("its time reads as two different ones")
