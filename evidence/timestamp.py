"""Timestamps on the ledger's checkpoints (RFC 3161): whom they are asked of, and the request.

What is stamped is the text of a checkpoint alone, `checkpoint_text` in UTF-8: origin, size and
root, one a line, as every signature line of the note signs it. So a token stays good whatever
cosignatures are added to the note later, and it holds for the log's state, not for one copy of a
note. The imprint is SHA-512, the request carries a nonce, names the policy, and asks for the
authority's certificate.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from evidence import der
from evidence.errors import TimestampError
from evidence.timestamp_revocation import read_lists

SHA512 = "2.16.840.1.101.3.4.2.3"
NONCE_BYTES = 8
MAX_NAME = 32
MAX_PEM = 1 << 16

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Authority:
    """A timestamping authority as it is trusted: all of it is pinned.

    `certificate` is the one that signs tokens. `chain` is what it leads to: one root at least, and
    the certificates in between. `policy` is an object identifier with dots. `lists` say which of
    these certificates were revoked, where they are known.
    """

    name: str
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    policy: str
    lists: tuple[x509.CertificateRevocationList, ...] = ()

    @property
    def crl(self) -> bytes:
        """Return the revocation lists in PEM, as they stand in a bundle; none where none is."""
        return b"".join(one.public_bytes(Encoding.PEM) for one in self.lists)

    @property
    def roots(self) -> tuple[x509.Certificate, ...]:
        """Return what of the chain is trusted in itself."""
        return tuple(c for c in self.chain if c.subject == c.issuer)

    @property
    def between(self) -> tuple[x509.Certificate, ...]:
        """Return what of the chain stands between the certificate and a root."""
        return tuple(c for c in self.chain if c.subject != c.issuer)

    @property
    def pem(self) -> bytes:
        """Return certificate and chain, as they stand in a bundle."""
        return b"".join(_pem(one) for one in (self.certificate, *self.chain))

    def trust(self) -> dict[str, str]:
        """Return the authority as it stands in trust.json."""
        crl = {"crl": self.crl.decode("ascii")} if self.lists else {}
        return crl | {
            "name": self.name,
            "certificate": _pem(self.certificate).decode("ascii"),
            "root": b"".join(map(_pem, self.chain)).decode("ascii"),
            "policy": self.policy,
        }


def authority(
    name: str, certificate: bytes, root: bytes, policy: str, crl: bytes = b""
) -> Authority:
    """Return an authority from PEM; `root` holds its root and all certificates in between.

    `crl` holds revocation lists (CRL) of the issuers among them, where they are known.

    Raises:
        TimestampError: when one of them is none, or `root` holds no self-signed certificate.
    """
    if not is_name(name):
        raise TimestampError(f"authority {name[:80]!r}; expected 1 to {MAX_NAME} of a-z, 0-9 and -")
    der.object_id(policy)
    found = []
    for what, pem in (("certificate", certificate), ("root", root)):
        if len(pem) > MAX_PEM:
            raise TimestampError(f"{name}: its {what} has more than {MAX_PEM} bytes")
        try:
            found.append(x509.load_pem_x509_certificates(pem))
        except ValueError as error:
            raise TimestampError(f"{name}: its {what} is not certificates in PEM") from error
    if len(found[0]) != 1:
        raise TimestampError(f"{name}: {len(found[0])} certificates to pin; expected one")
    made = Authority(name, found[0][0], tuple(found[1]), policy)
    if not made.roots:
        raise TimestampError(f"{name}: its root is not self-signed; add the certificate that is")
    return with_lists(made, crl) if crl else made


def with_lists(known: Authority, crl: bytes) -> Authority:
    """Return the authority with more revocation lists, in PEM.

    Raises:
        TimestampError: when one is none, or not signed by an issuer that the authority leads to.
    """
    try:
        return replace(known, lists=(*known.lists, *read_lists(crl, known.chain)))
    except TimestampError as error:
        raise TimestampError(f"{known.name}: {error}") from error


def is_name(name: str) -> bool:
    """Tell whether an authority may be called so; it becomes part of file names."""
    plain = set("abcdefghijklmnopqrstuvwxyz0123456789-")
    return 0 < len(name) <= MAX_NAME and plain.issuperset(name) and not name.startswith("-")


def is_private(url: str) -> bool:
    """Tell whether an authority may be asked there: over https, or http on this machine."""
    parts = urlsplit(url)
    loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
    return loopback or (parts.scheme == "https" and bool(parts.hostname))


def read_authorities(members: Mapping[str, Any]) -> tuple[tuple[Authority, ...], int]:
    """Read `timestamp_authorities` and `timestamp_quorum` of trust.json; none, 0 without them.

    Raises:
        TimestampError: when they are malformed, or the quorum cannot be reached.
    """
    listed = members.get("timestamp_authorities", [])
    try:
        found = tuple(
            authority(
                a["name"],
                a["certificate"].encode(),
                a["root"].encode(),
                a["policy"],
                a.get("crl", "").encode(),
            )
            for a in listed
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise TimestampError(
            "timestamp_authorities lacks name, certificate, root or policy of one"
        ) from error
    if len({one.name for one in found}) != len(found):
        raise TimestampError("timestamp_authorities names one twice")
    if len({one.certificate for one in found}) != len(found):
        raise TimestampError("timestamp_authorities holds one certificate under two names")
    quorum = members.get("timestamp_quorum", min(2, len(found)))
    if type(quorum) is not int or not min(1, len(found)) <= quorum <= len(found):
        raise TimestampError(f"timestamp_quorum is not 1 to {len(found)}, the authorities named")
    return found, quorum


def request(text: bytes, policy: str, nonce: int) -> bytes:
    """Return a TimeStampReq over `text` (RFC 3161, 2.4.1); `nonce` is random and positive."""
    algorithm = der.sequence(der.object_id(SHA512), der.null())
    imprint = der.sequence(algorithm, der.octets(hashlib.sha512(text).digest()))
    return der.sequence(
        der.integer(1), imprint, der.object_id(policy), der.integer(nonce), der.boolean(True)
    )


def nonce_of(text: bytes, policy: str, asked: bytes) -> int:
    """Return the nonce of a request that is exactly one over `text`, as `request` writes it.

    Raises:
        TimestampError: when it is anything else.
    """
    parts = der.one(asked).parts()
    if len(parts) != 5:
        raise TimestampError("its request has not the five parts that we write")
    nonce = parts[3].number()
    if nonce <= 0 or request(text, policy, nonce) != asked:
        raise TimestampError("its request is not one over this checkpoint under this policy")
    return nonce


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
