"""The PKI engine's certificates after they are issued: list, revoke, CRL (API: PKI)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, ClassVar

from playbooks.drills.range.vault.durations import stamp
from playbooks.drills.range.vault.errors import absent, invalid
from playbooks.drills.range.vault.pki import Pki
from playbooks.drills.range.vault.pki_authority import Issued, number_of, serial_of
from playbooks.drills.range.vault.routes import route
from playbooks.drills.range.vault.wire import Reply, keys

if TYPE_CHECKING:
    from playbooks.drills.range.vault.wire import Asked


class PkiEngine(Pki):
    """A PKI mount with all of its endpoints. Every revocation writes a new CRL at once."""

    kind: ClassVar[str] = "pki"

    @route("LIST", "certs")
    def list_certificates(self, asked: Asked) -> Reply:
        return keys(sorted(self._issued()))

    @route("LIST", "certs/revoked")
    def list_revoked(self, asked: Asked) -> Reply:
        return keys(sorted(n for n, c in self._issued().items() if c.revoked is not None))

    def _issued(self) -> dict[str, Issued]:
        return self.authority.issued if self.authority else {}

    @route("GET", "cert/ca", free=True)
    def read_ca(self, asked: Asked) -> Reply:
        return Reply({"certificate": self.root().root.pem, "revocation_time": 0})

    @route("GET", "cert/crl", free=True)
    def read_crl(self, asked: Asked) -> Reply:
        return Reply({"certificate": _pem(self.root().crl), "revocation_time": 0})

    @route("GET", "ca/pem", free=True)
    def read_ca_pem(self, asked: Asked) -> Reply:
        pem = self.root().root.pem.encode()
        return Reply(raw=pem, content_type="application/pem-certificate-chain")

    @route("GET", "crl", free=True)
    def read_crl_der(self, asked: Asked) -> Reply:
        return Reply(raw=self.root().crl, content_type="application/pkix-crl")

    @route("GET", "crl/pem", free=True)
    def read_crl_pem(self, asked: Asked) -> Reply:
        return Reply(raw=_pem(self.root().crl).encode(), content_type="application/x-pem-file")

    @route("GET", "crl/rotate")
    def rotate_crl(self, asked: Asked) -> Reply:
        self.root().write_crl(self.core.now)
        return Reply({"success": True})

    @route("GET", "config/crl")
    def read_crl_config(self, asked: Asked) -> Reply:
        return Reply({"disable": False, "expiry": f"{self.root().crl_seconds}s"})

    @route("POST", "config/crl")
    def write_crl_config(self, asked: Asked) -> Reply:
        authority = self.root()
        authority.crl_seconds = asked.span("expiry", authority.crl_seconds)
        authority.write_crl(self.core.now)
        return Reply()

    @route("GET", "cert/{serial}", free=True)
    def read_certificate(self, asked: Asked) -> Reply:
        found = self._issued().get(_serial(asked.named["serial"]))
        if found is None:
            raise absent()
        return Reply({"certificate": found.pem, "revocation_time": int(found.revoked or 0)})

    @route("POST", "revoke")
    def revoke(self, asked: Asked) -> Reply:
        serial = _serial(asked.needed("serial_number"))
        authority = self.root()
        found = authority.issued.get(serial)
        if found is None:
            raise invalid(f"certificate with serial {serial} not found")
        if found is authority.root:
            raise invalid("adding issuer to its own CRL is not allowed")
        if found.revoked is None:
            found.revoked = self.core.now
            authority.write_crl(self.core.now)
        return Reply(
            {
                "revocation_time": int(found.revoked),
                "revocation_time_rfc3339": stamp(found.revoked),
                "state": "revoked",
            }
        )


def _serial(text: str) -> str:
    try:
        return serial_of(number_of(text))
    except ValueError as e:
        raise invalid("invalid serial number, expected hex digits between colons") from e


def _pem(der: bytes) -> str:
    text = base64.encodebytes(der).decode().replace("\n", "")
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN X509 CRL-----", *lines, "-----END X509 CRL-----"])
